import { ConditionFailed, type Store } from '../../stores/store.ts'
import { forEach } from '../each.ts'
import type { Copier } from './copier.ts'
import { isArchived, reasonOf, stopsAll } from './reasons.ts'

/** Bucket to folder: reads each object, pinned to the version that was listed. A file is there whole or not at all. */
export function downloadCopier(from: Store, to: Store, concurrency: number, signal: AbortSignal): Copier {
  return {
    name: 'download',
    async copy(objects, report) {
      await forEach(objects, { concurrency, signal }, async (object) => {
        if (isArchived(object)) {
          report.failed({ key: object.key, reason: `archived (${object.storageClass}): restore it first` })
          return
        }
        try {
          const body = await from.read(object.key, object.etag === undefined ? {} : { ifMatch: object.etag })
          await to.write(object.key, body)
          report.copied(1)
        } catch (error) {
          signal.throwIfAborted()
          if (stopsAll(error)) throw error
          const changed = error instanceof ConditionFailed
          report.failed({
            key: object.key,
            reason: changed ? 'changed in the logs since it was listed' : reasonOf(error),
          })
        }
      })
    },
  }
}
