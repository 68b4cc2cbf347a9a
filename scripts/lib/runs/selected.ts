import type { Readable } from 'node:stream'
import { linesOf } from '../stores/lines.ts'
import type { ObjectInfo } from '../stores/store.ts'

// Rows of the objects that a run has selected, as its selection.csv and its manifest have them.

/** A key as S3 Batch Operations reads it in a manifest: percent-encoded UTF-8, slashes bare. */
export const encodeKey = (key: string): string => key.split('/').map(encodeURIComponent).join('/')
export const decodeKey = (encoded: string): string => decodeURIComponent(encoded)

export const rowOf = ({ key, size, etag = '', storageClass = '', sha256 = '' }: ObjectInfo): string =>
  `${encodeKey(key)},${size},${etag},${storageClass},${sha256}\n`

/** @throws Error for what is no row */
export function parseRow(row: string): ObjectInfo {
  const [key, size, etag, storageClass, sha256, ...rest] = row.split(',')
  if (!key || !/^\d+$/.test(size ?? '') || rest.length > 0) throw new Error(`not a row of a selection: ${row}`)
  return {
    key: decodeKey(key),
    size: Number(size),
    ...(etag && { etag }),
    ...(storageClass && { storageClass }),
    ...(sha256 && { sha256 }),
  }
}

/** Why a selected object is not to be had: the logs no longer hold what was planned. */
export const CHANGED = { reason: 'changed in the logs since it was listed', kind: 'outdated' } as const
export const GONE = { reason: 'gone from the logs since it was listed', kind: 'outdated' } as const

/** Fewer, larger chunks: a stream's cost is by the chunk. */
export async function* batched(rows: AsyncIterable<string>): AsyncGenerator<string> {
  let batch = ''
  for await (const row of rows) {
    batch += row
    if (batch.length > 65_536) {
      yield batch
      batch = ''
    }
  }
  if (batch !== '') yield batch
}

/** The objects of a file of rows. */
export async function* parseRows(input: Readable): AsyncGenerator<ObjectInfo> {
  for await (const line of linesOf(input)) if (line !== '') yield parseRow(line)
}
