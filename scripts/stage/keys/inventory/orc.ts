import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { batched, encodeKey } from '../../../lib/runs/selected.ts'
import { orcRows } from './orc/file.ts'

const COLUMNS = ['key', 'size', 'e_tag', 'storage_class', 'is_latest', 'is_delete_marker']

/** What `rewriteOrc` leaves of a report's columns, spelled as in CSV reports. */
export const REWRITTEN_SCHEMA = 'Key, Size, ETag, StorageClass'

/**
 * Rewrites a data file of a report from ORC, which DuckDB cannot read, to the CSV of other reports: of what a reader of the
 * bucket sees the keys that are wanted. @throws UserError that calls the file by its key
 */
export async function rewriteOrc(
  { path, key }: { path: string; key: string },
  target: string,
  isWanted: (key: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const rows = Readable.from(batched(csvRows(path, isWanted)))
  try {
    await pipeline(rows, createGzip({ level: 1 }), createWriteStream(target), { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw new UserError(`the file ${key} of the inventory cannot be read: ${messageOf(error)}`, {
      hint: 'take another report, or have the inventory written as CSV or Parquet',
      cause: error,
    })
  }
}

async function* csvRows(path: string, isWanted: (key: string) => boolean): AsyncGenerator<string> {
  for await (const [key, size, etag, storageClass, isLatest, isMarker] of orcRows(path, COLUMNS)) {
    if (typeof key !== 'string') throw new Error('it has a row without a key')
    if (isLatest === false || isMarker === true || !isWanted(key)) continue
    yield `${[encodeKey(key), size, etag, storageClass].map(csvField).join(',')}\n`
  }
}

const csvField = (value: unknown): string => `"${String(value ?? '').replaceAll('"', '')}"`
