import type { QueryExecutionStatus } from '@aws-sdk/client-athena'
import { UserError } from '../../cli/errors.ts'

/** A query that ended as FAILED or CANCELLED. */
export class QueryFailed extends Error {
  readonly id: string
  readonly state: string
  readonly reason: string
  /** AthenaError.ErrorType, "Athena error catalog", Athena user guide. */
  readonly type: number | undefined
  /** 1 system, 2 user, 3 other. */
  readonly category: number | undefined
  readonly retryable: boolean

  constructor(id: string, { State, StateChangeReason, AthenaError }: QueryExecutionStatus) {
    const reason = StateChangeReason ?? AthenaError?.ErrorMessage ?? 'Athena gives no reason'
    super(`query ${id} ${State ?? 'FAILED'}: ${reason}`)
    this.name = 'QueryFailed'
    this.id = id
    this.state = State ?? 'FAILED'
    this.reason = reason
    this.type = AthenaError?.ErrorType
    this.category = AthenaError?.ErrorCategory
    this.retryable = AthenaError?.Retryable ?? false
  }
}

/** The rows of a query that succeeded are there no more: those that Athena manages are kept for 24 hours. */
export class ResultsGone extends UserError {}

const between = (first: number, last: number) => (type: number) => type >= first && type <= last
const isExhausted = between(0, 8)
const isThrottled = between(1400, 1406)
const isResultWrite = between(401, 402)
const isPermission = between(1500, 1501)

/** Types of failures that another attempt would meet again, and pay for again: "Athena error catalog", Athena user guide. */
const TIMED_OUT: readonly unknown[] = [206, 210]
const TOO_MANY_VERSIONS = 1402

/** Tries of one statement. */
const MOST = 3
/** What exhausts the engine once may have met a busy one. */
const MOST_EXHAUSTED = 2

/** Whether another attempt may end otherwise, after so many. */
export function isWorthAnother({ state, type, category, retryable }: QueryFailed, attempts: number): boolean {
  if (state === 'CANCELLED' || TIMED_OUT.includes(type) || type === TOO_MANY_VERSIONS) return false
  if (type !== undefined && isExhausted(type)) return attempts < MOST_EXHAUSTED
  const passing = retryable || category === 1 || (type !== undefined && (isThrottled(type) || isResultWrite(type)))
  return passing && attempts < MOST
}

interface Doing {
  /** As a phrase: "extracting pairs". */
  readonly what: string
  /** Bytes after which the workgroup cancels a query. */
  readonly cutoff: number | undefined
  /** How bytes are written for people. */
  bytes(n: number): string
}

/** Its refusals have Glue's type and words of their own: aws-samples/experimental-programmatic-access-ccft#5. */
const LAKE_FORMATION = /Lake ?Formation permission/i

/** What to tell about a failure that stays. */
export function explainedFailure(failure: QueryFailed, doing: Doing): UserError {
  const { id, state, reason } = failure
  const isRefused = LAKE_FORMATION.test(reason) || (failure.type !== undefined && isPermission(failure.type))
  const exitCode = isRefused ? 4 : 1
  const verb = state === 'CANCELLED' ? 'was cancelled' : 'failed'
  return new UserError(`${doing.what}: query ${id} ${verb}: ${reason}`, {
    hint: hintOf(failure, doing),
    exitCode,
    cause: failure,
  })
}

function hintOf({ state, reason, type }: QueryFailed, { cutoff, bytes }: Doing): string {
  if (state === 'CANCELLED' && /scan|limit|cutoff/i.test(reason))
    return `the workgroup stops a query ${cutoff === undefined ? '' : `after ${bytes(cutoff)} `}of scanned data, and what was scanned is charged: stage a shorter window, or raise the cutoff of the workgroup`
  if (state === 'CANCELLED') return 'somebody stopped it; the same command starts it again'
  if (TIMED_OUT.includes(type))
    return 'a shorter window, or a higher quota "DML query timeout" of Athena: 30 minutes unless it was raised'
  if (type === TOO_MANY_VERSIONS)
    return 'Glue keeps no more versions of this table: remove old ones with aws glue batch-delete-table-version'
  if (type !== undefined && isExhausted(type))
    return 'the query was too large for Athena: a shorter window, or fewer accounts'
  if (LAKE_FORMATION.test(reason))
    return 'Lake Formation guards this catalog: its administrator has to let the caller create tables in the database (or create that) and use them'
  if (
    (type !== undefined && isPermission(type)) ||
    /access ?denied|insufficient permissions|not authorized/i.test(reason)
  )
    return 'the caller needs to read the staged objects, to write below the run, and to use the tables of the database in Glue'
  if (/HIVE_BAD_DATA|malformed|JSON/i.test(reason))
    return 'a staged object is damaged or no log of this source: extracting on this machine names it (stage with a local --workspace)'
  if (/HIVE_PATH_ALREADY_EXISTS/.test(reason)) return 'add --overwrite: it begins anew at another place'
  return 'the same command begins where it stopped; the query and its reason stand in the Athena console'
}
