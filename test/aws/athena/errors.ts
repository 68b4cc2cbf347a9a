import { AwsError } from '../http.ts'
import type { QueryErrorSettings } from './settings.ts'

/** Refusal of a request. */
export const invalid = (message: string): AwsError => new AwsError('InvalidRequestException', 400, message)

/** What this sandbox does not have, in place of a guess. */
export const notHere = (what: string): AwsError => new AwsError('NotImplemented', 501, `${what} is not in this sandbox`)

/** Why a query fails. Types are those of the "Athena error catalog", Athena user guide. */
export class QueryError extends Error {
  readonly settings: QueryErrorSettings

  constructor(settings: QueryErrorSettings) {
    super(settings.reason)
    this.settings = settings
  }
}

const userError = (type: number, reason: string): QueryError =>
  new QueryError({ category: 2, type, retryable: false, reason })

export const ddlFailed = (reason: string): QueryError => userError(1003, `FAILED: ${reason}`)
export const semantic = (reason: string): QueryError => userError(1006, reason)
export const badData = (reason: string): QueryError => userError(1001, reason)
export const badProperty = (reason: string): QueryError => userError(1101, reason)
export const pathExists = (table: string, location: string): QueryError =>
  userError(1100, `HIVE_PATH_ALREADY_EXISTS: Target directory for table '${table}' already exists: ${location}`)
export const noPermission = (reason: string): QueryError => userError(1501, reason)
export const exhausted = (): QueryError =>
  new QueryError({ category: 2, type: 0, retryable: false, reason: 'Query exhausted resources at this scale factor' })
