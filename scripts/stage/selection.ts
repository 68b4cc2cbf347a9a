import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { paths } from '../lib/runs/paths.ts'
import { type Load, withObject } from '../lib/runs/read-cost.ts'
import { batched, encodeKey, parseRows, rowOf } from '../lib/runs/selected.ts'
import { compareKeys, type ObjectInfo, type Store } from '../lib/stores/store.ts'

/**
 * The objects of a run, in key order, as a file of rows `key,size,etag,storage class,SHA-256` (the key percent-encoded). The manifest
 * holds the same keys for S3 Batch Operations; this one holds what a proof needs besides.
 */
export interface Selection {
  readonly totals: SelectionTotals
  rows(): AsyncIterable<ObjectInfo>
}

/** A selection in a scratch file of this machine. */
export interface Draft extends Selection {
  dispose(): Promise<void>
}

export type SelectionTotals = Load & {
  /** Names the content: equal digests, equal objects. */
  readonly digest: string
}

/** Writes objects, which must come in key order, to a scratch file; what passes is never held in memory. */
export async function draftSelection(
  objects: AsyncIterable<ObjectInfo>,
  onObject: (object: ObjectInfo) => void = () => {},
): Promise<Draft> {
  const digest = createHash('sha256')
  let [load, last]: [Load, string] = [{ objects: 0, bytes: 0 }, '']
  async function* rows() {
    for await (const object of objects) {
      if (load.objects > 0 && compareKeys(object.key, last) <= 0)
        throw new Error(`keys out of order: ${last}, ${object.key}`)
      last = object.key
      load = withObject(load, object)
      onObject(object)
      const row = rowOf(object)
      digest.update(row)
      yield row
    }
  }
  const { file, dispose } = await scratch(batched(rows()))
  return {
    totals: { ...load, digest: digest.digest('hex') },
    rows: () => parseRows(createReadStream(file)),
    dispose,
  }
}

/** Writes chunks to a file of their own. */
async function scratch(chunks: AsyncIterable<string | Uint8Array>) {
  const folder = await mkdtemp(join(tmpdir(), 'prestage-'))
  const file = join(folder, 'selection.csv')
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    await pipeline(Readable.from(chunks, { objectMode: true, highWaterMark: 2 }), createWriteStream(file))
    return { file, dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** Stores a selection and its manifest in the run's folder. Row for row the same objects. */
export async function saveSelection(store: Store, bucket: string, selection: Selection): Promise<void> {
  await store.write(paths.manifest, manifestOf(selection, bucket))
  await store.write(paths.selection, text(selection, rowOf))
}

/** A manifest of S3 Batch Operations: rows `bucket,key`, no header. "Specifying a manifest", S3 user guide. */
export const manifestOf = (selection: Selection, bucket: string): Readable =>
  text(selection, ({ key }) => `${encodeURIComponent(bucket)},${encodeKey(key)}\n`)

/**
 * The saved selection of a run. From a bucket it is fetched first: a read that waits for hours of copying would be cut. `isWhole` when
 * it is the one of these totals: a process may have died between saving another one and noting its plan.
 */
export async function savedSelection(
  store: Store,
  totals: SelectionTotals,
): Promise<{ selection: Draft; isWhole: boolean }> {
  const { file, dispose } =
    store.localPath === undefined
      ? await scratch(await store.read(paths.selection))
      : { file: store.localPath(paths.selection), dispose: async () => {} }
  const digest = createHash('sha256')
  await pipeline(createReadStream(file), digest)
  return {
    selection: { totals, rows: () => parseRows(createReadStream(file)), dispose },
    isWhole: digest.digest('hex') === totals.digest,
  }
}

const text = (selection: Selection, row: (object: ObjectInfo) => string): Readable =>
  Readable.from(
    batched(
      (async function* () {
        for await (const object of selection.rows()) yield row(object)
      })(),
    ),
    { objectMode: false },
  )
