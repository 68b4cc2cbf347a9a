import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { ConditionFailed, type ObjectInfo } from '../../lib/stores/store.ts'

/** Storage classes that must be restored before anything can read them. */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE'])

export const isArchived = ({ storageClass }: ObjectInfo): boolean => ARCHIVES.has(storageClass ?? '')

/** S3's error codes, as the copy calls and the reports of batch jobs give them, in words. */
const REASONS: Readonly<Record<string, string>> = {
  PreconditionFailed: 'changed in the logs since it was listed',
  NoSuchKey: 'gone from the logs since it was listed',
  NotFound: 'gone from the logs since it was listed',
  InvalidObjectState: 'archived: restore it first',
  ObjectNotInActiveTierError: 'archived: restore it first',
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

/** Why an object was not copied, of S3's code and message. */
export const reasonOfCode = (code: string, message: string): string =>
  REASONS[code] ?? (message === '' ? code : `${code}: ${message}`)

/** Why an object was not copied, of what was thrown. */
export function reasonOf(error: unknown): string {
  if (error instanceof ConditionFailed) return reasonOfCode('PreconditionFailed', '')
  if (error instanceof UserError) return error.message
  const name = error instanceof Error ? error.name : ''
  return REASONS[name] ?? (name === '' || name === 'Error' ? messageOf(error) : `${name}: ${messageOf(error)}`)
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

/** The same of the disk that is copied to. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EROFS'])

export const isOfFullDisk = (error: unknown): boolean => FULL.has((error as NodeJS.ErrnoException | null)?.code ?? '')

/** Whether going on with other objects is in vain. */
export const stopsAll = (error: unknown): boolean =>
  error instanceof Error && (HOPELESS.has(error.name) || HOPELESS.has((error.cause as Error | undefined)?.name ?? ''))
