import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { ConditionFailed, NoSuchObject, type ObjectInfo } from '../../lib/stores/store.ts'
import type { Failure } from './copier.ts'

/** Storage classes that must be restored before anything can read them. */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE'])

export const isArchived = ({ storageClass }: ObjectInfo): boolean => ARCHIVES.has(storageClass ?? '')

type Reason = Omit<Failure, 'key'>

const CHANGED: Reason = { reason: 'changed in the logs since it was listed', kind: 'outdated' }
const GONE: Reason = { reason: 'gone from the logs since it was listed', kind: 'outdated' }
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
export function reasonOf(error: unknown): Reason {
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

export const isDiskFull = (error: unknown): boolean => FULL.has((error as NodeJS.ErrnoException | null)?.code ?? '')

/** Whether going on with other objects is in vain. */
export const stopsAll = (error: unknown): boolean =>
  error instanceof Error && (HOPELESS.has(error.name) || HOPELESS.has((error.cause as Error | undefined)?.name ?? ''))
