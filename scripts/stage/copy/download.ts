import type { Store } from '../../lib/stores/store.ts'
import type { Copier } from './copier.ts'
import { oneByOne } from './one-by-one.ts'

/** Bucket to folder: reads each object, pinned to the version that was listed. A file is there whole or not at all. */
export const downloadCopier = (from: Store, to: Store, concurrency: number, signal: AbortSignal): Copier =>
  oneByOne('download', { concurrency, signal, from }, async ({ key, etag }) => {
    await to.write(key, await from.read(key, etag === undefined ? {} : { ifMatch: etag }))
  })
