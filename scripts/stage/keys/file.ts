import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pMap from 'p-map'
import { UserError } from '../../cli/errors.ts'
import { count } from '../../cli/format.ts'
import { compareKeys, type ObjectInfo, type Store } from '../../stores/store.ts'
import type { Failure } from '../copy/copier.ts'
import { decodeKey } from '../selection.ts'
import type { KeySource } from './key-source.ts'
import type { ListSettings } from './list.ts'

/** A list of keys that somebody made: a line each, or, in a file that ends in `.csv`, a manifest `bucket,key` (percent-encoded). */
export async function readKeysFile(path: string): Promise<{ keys: string[]; hash: string }> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`--keys-file ${path} cannot be read: ${error.message}`, { exitCode: 2 })
  })
  const lines = content.toString('utf8').split(/\r?\n/)
  const keys = lines.flatMap((line, i) =>
    line === '' ? [] : [path.endsWith('.csv') ? manifestKey(line, path, i) : line],
  )
  return {
    keys: [...new Set(keys)].sort(compareKeys),
    hash: createHash('sha256').update(content).digest('hex').slice(0, 16),
  }
}

function manifestKey(line: string, path: string, index: number): string {
  const [, key, ...rest] = line.split(',')
  try {
    if (key && rest.length === 0) return decodeKey(key)
  } catch {
    // Not percent-encoding: the same mistake as a wrong number of fields.
  }
  throw new UserError(`--keys-file ${path}: line ${index + 1} is not bucket,key with the key percent-encoded`, {
    hint: 'a file of bare keys, one a line, must not end in .csv',
    exitCode: 2,
  })
}

/** Takes exactly the keys of a list; each is looked at once for its size. */
export async function keysOfFile(
  store: Store,
  path: string,
  keys: readonly string[],
  { concurrency, signal }: ListSettings,
): Promise<KeySource> {
  const lost: Failure[] = []
  return {
    objects: (async function* () {
      for (let at = 0; at < keys.length; at += BATCH) {
        const batch = keys.slice(at, at + BATCH)
        const found = await pMap(batch, (key) => store.head(key), { concurrency, signal })
        for (const [i, object] of found.entries())
          if (object === undefined) lost.push({ key: batch[i] ?? '', reason: `named in ${path}, but not in the logs` })
          else yield object satisfies ObjectInfo
      }
    })(),
    findings: {
      looked: [`${count(keys.length)} keys of ${path}`],
      warnings: [],
      lost,
      nearest: async () => [],
    },
  }
}

const BATCH = 1000
