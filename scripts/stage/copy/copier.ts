import { explained } from '../../lib/aws/errors.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { isArchived } from '../../lib/runs/read-cost.ts'
import { CHANGED, GONE } from '../../lib/runs/selected.ts'
import { ConditionFailed, NoSuchObject, type ObjectInfo, type Store } from '../../lib/stores/store.ts'
import { forEach } from '../concurrency.ts'

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

type Reason = Omit<Failure, 'key'>

const ARCHIVED: Reason = { reason: 'archived: restore it first' }

/** S3's error codes, as the copy calls and the reports of batch jobs give them. */
const REASONS: Readonly<Record<string, Reason>> = {
  PreconditionFailed: CHANGED,
  NoSuchKey: GONE,
  NotFound: GONE,
  InvalidObjectState: ARCHIVED,
  ObjectNotInActiveTierError: ARCHIVED,
}

/** Codes after which a second try gives the same answer. */
const PERMANENT = new Set([
  ...Object.keys(REASONS),
  'AccessDenied',
  'InvalidRequest',
  'InvalidArgument',
  'MethodNotAllowed',
])

/** Whether another try at what failed with this code is in vain. */
export const isPermanent = (code: string): boolean => PERMANENT.has(code)

/** Why an object was not copied, from S3's code and message. */
export const reasonOfCode = (code: string, message: string): Reason =>
  REASONS[code] ?? { reason: message === '' ? code : `${code}: ${message}` }

/** Why an object was not copied, from what was thrown. */
function reasonOf(error: unknown): Reason {
  if (error instanceof NoSuchObject) return { reason: error.message, kind: 'outdated' }
  if (error instanceof ConditionFailed) return CHANGED
  if (error instanceof UserError) return { reason: error.message }
  const name = error instanceof Error && error.name !== 'Error' ? error.name : ''
  return name === '' ? { reason: messageOf(error) } : reasonOfCode(name, messageOf(error))
}

/** Failures that every further object would meet too. */
const HOPELESS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'CredentialsProviderError',
  'NoSuchBucket',
  'AllAccessDisabled',
])

/** Errors of a disk on which nothing more can be written. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EROFS'])

const isDiskFull = (error: unknown): boolean => FULL.has((error as NodeJS.ErrnoException | null)?.code ?? '')

/** Whether going on with other objects is in vain. */
const stopsAll = (error: unknown): boolean =>
  error instanceof Error && (HOPELESS.has(error.name) || HOPELESS.has((error.cause as Error | undefined)?.name ?? ''))
