import type { ObjectInfo } from '../../stores/store.ts'
import { forEach } from '../each.ts'
import type { Copier } from './copier.ts'
import { isArchived, reasonOf, stopsAll } from './reasons.ts'

/** Copies object by object, several at a time: one that cannot be copied does not keep the others. */
export const oneByOne = (
  name: string,
  limits: { readonly concurrency: number; readonly signal: AbortSignal },
  copyOne: (object: ObjectInfo) => Promise<void>,
): Copier => ({
  name,
  async copy(objects, report) {
    await forEach(objects, limits, async (object) => {
      if (isArchived(object)) {
        report.failed({ key: object.key, reason: `archived (${object.storageClass}): restore it first` })
        return
      }
      try {
        await copyOne(object)
        report.copied(1)
      } catch (error) {
        limits.signal.throwIfAborted()
        if (stopsAll(error)) throw error
        report.failed({ key: object.key, reason: reasonOf(error) })
      }
    })
  },
})
