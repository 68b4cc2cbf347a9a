import { explained } from '../../lib/aws/errors.ts'
import type { ObjectInfo, Store } from '../../lib/stores/store.ts'
import { forEach } from '../each.ts'
import type { Copier } from './copier.ts'
import { isArchived, isOfFullDisk, reasonOf, stopsAll } from './reasons.ts'

interface Limits {
  readonly concurrency: number
  readonly signal: AbortSignal
  /** Where the objects are. */
  readonly from: Pick<Store, 'head'>
}

/** What the calls of a copy need. */
const RIGHTS = { action: 's3:GetObject and s3:PutObject', resource: '*' }

/** Copies object by object, several at a time: one that cannot be copied does not keep the others. */
export const oneByOne = (name: string, limits: Limits, copyOne: (object: ObjectInfo) => Promise<void>): Copier => ({
  name,
  async copy(objects, report) {
    await forEach(objects, limits, async (object) => {
      try {
        const reason = await unreadable(object, limits.from)
        if (reason !== undefined) return report.failed({ key: object.key, reason })
        await copyOne(object)
        report.copied(1)
      } catch (error) {
        limits.signal.throwIfAborted()
        if (isOfFullDisk(error)) throw error
        if (stopsAll(error)) throw explained(error, { what: `${name} of ${JSON.stringify(object.key)}`, ...RIGHTS })
        report.failed({ key: object.key, reason: reasonOf(error) })
      }
    })
  },
})

/** Why an archived object cannot be read; one that was restored can, and a listing does not tell. */
async function unreadable(object: ObjectInfo, from: Limits['from']): Promise<string | undefined> {
  if (!isArchived(object)) return undefined
  const now = await from.head(object.key)
  // A report may tell of another place: what lies on this machine is not archived.
  if (now === undefined || !isArchived(now) || now.restored === 'yes') return undefined
  const next = now.restored === 'soon' ? 'its restoration is not finished yet' : 'restore it first'
  return `archived (${object.storageClass}): ${next}`
}
