import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pMapIterable } from 'p-map'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { PRICES } from '../../lib/runs/cost.ts'
import { decodeKey } from '../../lib/runs/selected.ts'
import { linesOf } from '../../lib/stores/lines.ts'
import type { ObjectInfo, Store } from '../../lib/stores/store.ts'
import type { Failure } from '../copy/copier.ts'
import { sorted } from '../sorted.ts'
import type { KeySource, ListSettings } from './key-source.ts'

/** Reads a file of keys once, to count and identify its content. @throws UserError when it is not one */
export async function surveyKeysFile(path: string): Promise<{ keys: number; hash: string }> {
  const hash = createHash('sha256')
  let keys = 0
  for await (const _ of keysIn(path, (chunk) => hash.update(chunk))) keys += 1
  return { keys, hash: hash.digest('hex').slice(0, 16) }
}

/** The keys of a file: one per line, or, if its name ends in `.csv`, a manifest `bucket,key` (percent-encoded). */
async function* keysIn(path: string, onChunk: (chunk: Buffer) => void = () => {}): AsyncGenerator<string> {
  let index = 0
  for await (const text of linesOf(bytesOf(path, onChunk))) {
    // Some editors write a byte order mark, and end lines with CR LF.
    const line = (index === 0 ? text.replace(/^\ufeff/, '') : text).replace(/\r$/, '')
    if (line !== '') yield path.endsWith('.csv') ? manifestKey(line, path, index) : line
    index += 1
  }
}

async function* bytesOf(path: string, onChunk: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      onChunk(chunk)
      yield chunk
    }
  } catch (error) {
    throw new UserError(`--keys-file ${path} cannot be read: ${messageOf(error)}`, { exitCode: 2 })
  }
}

function manifestKey(line: string, path: string, index: number): string {
  const [, key, ...rest] = line.split(',')
  try {
    if (key && rest.length === 0) return decodeKey(key)
  } catch {
    // Not percent-encoded: the same mistake as a wrong number of fields.
  }
  throw new UserError(`--keys-file ${path}: line ${index + 1} is not bucket,key with the key percent-encoded`, {
    hint: 'a file of bare keys, one a line, must not end in .csv',
    exitCode: 2,
  })
}

/** In S3 a key may have any parts; in a folder these would lead elsewhere. */
function whyNot({ localPath }: Store, key: string): string {
  const part = key.split('/').find((name) => name === '.' || name === '..')
  return localPath === undefined || part === undefined
    ? 'not in the logs'
    : `refused: it has the part "${part}", and nothing outside of the logs is read`
}

/** Takes exactly the keys of a file; one HEAD request each tells the size. */
export async function keysOfFile(store: Store, path: string, { concurrency }: ListSettings): Promise<KeySource> {
  const lost: Failure[] = []
  const looks = { what: 'HEAD requests', count: 0, each: PRICES.getRequest }
  const look = async ({ key }: ObjectInfo): Promise<ObjectInfo | undefined> => {
    looks.count += 1
    const object = await store.head(key)
    if (object === undefined) lost.push({ key, reason: `named in ${path}, but ${whyNot(store, key)}` })
    return object
  }
  return {
    objects: (async function* () {
      const folder = await mkdtemp(join(tmpdir(), 'prestage-keys-'))
      try {
        const keys = sorted(unsized(path), folder)
        for await (const object of pMapIterable(keys, look, { concurrency })) if (object !== undefined) yield object
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })(),
    findings: {
      looked: [`the keys of ${path}`],
      warnings: [],
      lost,
      costs: [looks],
      nearest: async () => [],
    },
  }
}

async function* unsized(path: string): AsyncGenerator<ObjectInfo> {
  for await (const key of keysIn(path)) yield { key, size: 0 }
}
