import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { messageOf } from '../lib/cli/errors.ts'
import { matched, type ObjectInfo, type Store } from '../lib/stores/store.ts'
import { forEach } from './concurrency.ts'
import type { Failure } from './copy/copier.ts'
import type { Selection } from './selection.ts'

/** Keys of copies whose content is known to be wrong. */
export type Suspects = ReadonlySet<string>

/** The selected objects that are not at the destination yet, or not with their size, or whose copies are suspect. */
export async function* outstanding(
  selection: Selection,
  staged: Store,
  suspects: Suspects = new Set(),
  onPresent: (object: ObjectInfo) => void = () => {},
): AsyncGenerator<ObjectInfo> {
  for await (const { left, right } of matched(selection.rows(), staged.list())) {
    if (left === undefined) continue
    if (right?.size === left.size && !suspects.has(left.key)) onPresent(left)
    else yield left
  }
}

export interface Proof {
  readonly present: number
  readonly bytes: number
  /** Rows of the manifest without an object of their size. */
  readonly missing: number
  /** Staged objects that no row asks for: a later step would read them as if they were meant. */
  readonly extra: number
}

/** Compares every row of the manifest with what is at the destination. */
export async function prove(
  selection: Selection,
  staged: Store,
  report: { missing(failure: Failure): void; extra(key: string): void },
): Promise<Proof> {
  const proof = { present: 0, bytes: 0, missing: 0, extra: 0 }
  for await (const { left, right } of matched(selection.rows(), staged.list())) {
    if (left === undefined) {
      proof.extra += 1
      if (right !== undefined) report.extra(right.key)
    } else if (right?.size === left.size) {
      proof.present += 1
      proof.bytes += left.size
    } else {
      proof.missing += 1
      const reason =
        right === undefined ? 'not at the destination' : `${right.size} bytes at the destination, ${left.size} expected`
      report.missing({ key: left.key, reason })
    }
  }
  return proof
}

/** Copies that are read at once. The work is inflating and hashing, which more cannot speed up. */
const READS = 4

/** Reads staged copies and reports those whose content is not what a digest says. @returns how many were read */
export async function proveContent(
  objects: AsyncIterable<ObjectInfo>,
  staged: Store,
  onFailure: (failure: Failure) => void,
  signal: AbortSignal,
): Promise<number> {
  let read = 0
  await forEach(objects, { concurrency: READS, signal }, async ({ key, sha256 }) => {
    read += 1
    try {
      if (sha256 === undefined) throw new Error('no digest names it any more')
      if ((await contentHash(staged, key)) === sha256) return
      onFailure({ key, reason: 'its content is not what the digest says: SHA-256 differs', kind: 'content' })
    } catch (error) {
      signal.throwIfAborted()
      onFailure({ key, reason: `cannot be checked: ${messageOf(error)}`, kind: 'content' })
    }
  })
  return read
}

async function contentHash(staged: Store, key: string): Promise<string> {
  const hash = createHash('sha256')
  const input = await staged.read(key)
  if (/\.gz$/.test(key)) await pipeline(input, createGunzip(), hash)
  else await pipeline(input, hash)
  return hash.digest('hex')
}
