import { AwsError } from '../http.ts'
import type { QueryErrorSettings } from './settings.ts'

/** Refusal of a request. @param code AthenaErrorCode */
export const invalid = (message: string, code = 'INVALID_INPUT'): AwsError =>
  new AwsError('InvalidRequestException', 400, message, { fields: { AthenaErrorCode: code } })

/** Refusal of something that this sandbox does not have, in place of a guess. */
export const notHere = (what: string): AwsError => new AwsError('NotImplemented', 501, `${what} is not in this sandbox`)

/** Why a query fails. */
export class QueryError extends Error {
  readonly settings: QueryErrorSettings

  constructor(settings: QueryErrorSettings) {
    super(settings.reason)
    this.settings = settings
  }
}

/** ErrorType by the name that begins a reason; names and types that are not known are user errors. */
const TYPES: Readonly<Record<string, number>> = {
  TABLE_NOT_FOUND: 1301,
  SCHEMA_NOT_FOUND: 1301,
  COLUMN_NOT_FOUND: 1006,
  TYPE_MISMATCH: 1002,
  FUNCTION_NOT_FOUND: 1303,
  INVALID_CAST_ARGUMENT: 1100,
  HIVE_BAD_DATA: 1001,
  HIVE_CURSOR_ERROR: 1001,
  INVALID_TABLE_PROPERTY: 1101,
  FAILED: 1003,
  PERMISSION_DENIED: 1501,
}
const USER_ERROR = 1000

/** A mistake in the statement. The part before the colon says which. */
export function userError(reason: string): QueryError {
  const [, name = ''] = /^([A-Z_]+):/.exec(reason) ?? []
  return new QueryError({ category: 2, type: TYPES[name] ?? USER_ERROR, retryable: false, reason })
}

export const exhausted = (): QueryError =>
  new QueryError({ category: 2, type: 0, retryable: false, reason: 'Query exhausted resources at this scale factor' })
