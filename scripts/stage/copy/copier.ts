import { explained } from '../../lib/aws/errors.ts'
import type { ObjectInfo, Store } from '../../lib/stores/store.ts'
import { forEach } from '../concurrency.ts'
import { isArchived, isDiskFull, reasonOf, stopsAll } from './reasons.ts'

/** An object that could not be staged. */
export interface Failure {
  readonly key: string
  readonly reason: string
  /** `outdated`: the logs no longer hold what was planned. `content`: the copy is not what a digest says. */
  readonly kind?: 'outdated' | 'content'
}

/** A backend that brings objects of the logs into the run's folder. */
export interface Copier {
  readonly name: string
  /** Copies what it is given, and reports every object once; throws only when going on makes no sense. */
  copy(objects: AsyncIterable<ObjectInfo>, report: CopyReport): Promise<void>
}

export interface CopyReport {
  copied(objects: number): void
  failed(failure: Failure): void
  state(text: string): void
}

/** Where copies within S3 go, and how they are stored there. */
export interface Destination {
  readonly source: {
    readonly bucket: string
    /** Account that must own the bucket. */
    readonly owner?: string
    readonly requesterPays: boolean
  }
  readonly bucket: string
  /** Put before every key; ends in a slash. */
  readonly prefix: string
  readonly owner?: string
  readonly storageClass?: string
  /** Encrypt copies with this KMS key instead of the bucket's default. */
  readonly kmsKey?: string
  /** Copy the objects' tags too. */
  readonly tags: boolean
}

export interface Limits {
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** Permissions that the calls of a copy need. */
const RIGHTS = { action: 's3:GetObject and s3:PutObject', resource: '*' }

/** Copies object by object, several at a time. An object that cannot be copied does not keep the others. */
export const oneByOne = (
  name: string,
  from: Pick<Store, 'head'>,
  limits: Limits,
  copyOne: (object: ObjectInfo) => Promise<void>,
): Copier => ({
  name,
  async copy(objects, report) {
    await forEach(objects, limits, async (object) => {
      const { key } = object
      try {
        const reason = await archivedReason(object, from)
        if (reason !== undefined) return report.failed({ key, reason })
        await copyOne(object)
        report.copied(1)
      } catch (error) {
        limits.signal.throwIfAborted()
        if (isDiskFull(error)) throw error
        if (stopsAll(error)) throw explained(error, { what: `${name} of ${JSON.stringify(key)}`, ...RIGHTS })
        report.failed({ key, ...reasonOf(error) })
      }
    })
  },
})

/** Why an archived object cannot be read. A restored one can, which a listing does not show. */
async function archivedReason(object: ObjectInfo, from: Pick<Store, 'head'>): Promise<string | undefined> {
  if (!isArchived(object)) return undefined
  const now = await from.head(object.key)
  // A report may describe another place: what lies on this machine is not archived.
  if (now === undefined || !isArchived(now) || now.restored === 'yes') return undefined
  const next = now.restored === 'soon' ? 'its restoration is not finished yet' : 'restore it first'
  return `archived (${object.storageClass}): ${next}`
}
