import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { messageOf } from '../lib/cli/errors.ts'
import type { ObjectInfo, Store } from '../lib/stores/store.ts'
import type { Failure } from './copy/copier.ts'
import { forEach } from './each.ts'
import type { Selection } from './selection.ts'

/** Copies that are read at once: the work is inflating and hashing, which more cannot speed up. */
const CONCURRENCY = 4

/** Reads the staged copy of every object whose content hash is known, and reports those that differ. @returns how many were read */
export async function verifyContent(
  selection: Selection,
  staged: Store,
  onFailure: (failure: Failure) => void,
  signal: AbortSignal,
): Promise<number> {
  let read = 0
  await forEach(selection.rows(), { concurrency: CONCURRENCY, signal }, async (object) => {
    if (object.sha256 === undefined) return
    read += 1
    try {
      if ((await contentHash(staged, object)) !== object.sha256)
        onFailure({ key: object.key, reason: 'its content is not what the digest says: SHA-256 differs' })
    } catch (error) {
      signal.throwIfAborted()
      onFailure({ key: object.key, reason: `cannot be checked: ${messageOf(error)}` })
    }
  })
  return read
}

async function contentHash(staged: Store, { key }: ObjectInfo): Promise<string> {
  const hash = createHash('sha256')
  const input = await staged.read(key)
  if (/\.gz$/.test(key)) await pipeline(input, createGunzip(), hash)
  else await pipeline(input, hash)
  return hash.digest('hex')
}
