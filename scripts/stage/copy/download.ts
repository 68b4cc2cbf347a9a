import type { Store } from '../../lib/stores/store.ts'
import { type Copier, type Limits, oneByOne } from './copier.ts'

/** Bucket to folder: reads each object, pinned to the version that was listed. A file is there whole or not at all. */
export const downloadCopier = (from: Store, to: Store, limits: Limits): Copier =>
  oneByOne('download', from, limits, async ({ key, etag }) => {
    await to.write(key, await from.read(key, etag === undefined ? {} : { ifMatch: etag }))
  })
