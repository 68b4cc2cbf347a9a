import type { Caller } from '../s3/state.ts'
import type { QueryErrorSettings, Rows, StatementKind } from './settings.ts'
import type { Statement } from './statement.ts'
import type { QueryTree } from './syntax-tree.ts'

export type State = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

/** A statement; what is a query has its tree, too. */
export type Parsed<S = Statement> = S extends { readonly query: string } ? S & { readonly tree: QueryTree } : S

/** A query execution. */
export interface Query {
  readonly id: string
  readonly text: string
  readonly statement: Parsed
  readonly caller: Caller
  readonly workgroup: string
  readonly database: string
  /** `s3://bucket/prefix/` that results go below; undefined when Athena manages them. */
  readonly output: string | undefined
  readonly submitted: Date
  state: State
  started?: Date
  completed?: Date
  reason?: string
  error?: QueryErrorSettings
  /** What the engine has read and written so far. */
  readonly scanned: { bytes: number; rows: number }
  readonly written: { bytes: number; rows: number }
  /** Of a SELECT. */
  rows?: Rows
  /** Of a CTAS. */
  manifest?: string
}

const STATEMENT_TYPE: Readonly<Record<StatementKind, string>> = {
  select: 'DML',
  ctas: 'DDL',
  'create-database': 'DDL',
  'create-table': 'DDL',
  'drop-table': 'DDL',
}

const SUBSTATEMENT: Readonly<Record<StatementKind, string>> = {
  select: 'SELECT',
  ctas: 'CREATE_TABLE_AS_SELECT',
  'create-database': 'CREATE_DATABASE',
  'create-table': 'CREATE_TABLE',
  'drop-table': 'DROP_TABLE',
}

export const hasEnded = ({ state }: Query): boolean => state !== 'QUEUED' && state !== 'RUNNING'

/** Where the rows of a SELECT, or the text of DDL, are. */
export function resultObject({ output, id, statement: { kind } }: Query): string | undefined {
  if (output === undefined) return undefined
  if (kind === 'ctas') return `${output}tables/${id}`
  return `${output}${id}.${kind === 'select' ? 'csv' : 'txt'}`
}

const seconds = (time: Date): number => time.getTime() / 1000

/** QueryExecution of GetQueryExecution. */
export function describe(query: Query) {
  const { id, text, statement, database, workgroup, output, state, reason, error } = query
  const location = resultObject(query)
  return {
    QueryExecutionId: id,
    Query: text,
    StatementType: STATEMENT_TYPE[statement.kind],
    SubstatementType: SUBSTATEMENT[statement.kind],
    ...(location !== undefined && { ResultConfiguration: { OutputLocation: location } }),
    ManagedQueryResultsConfiguration: { Enabled: output === undefined },
    QueryExecutionContext: { Database: database },
    Status: {
      State: state,
      ...(reason !== undefined && { StateChangeReason: reason }),
      SubmissionDateTime: seconds(query.submitted),
      ...(query.completed && { CompletionDateTime: seconds(query.completed) }),
      ...(error && {
        AthenaError: {
          ErrorCategory: error.category,
          ErrorType: error.type,
          Retryable: error.retryable,
          ErrorMessage: error.reason,
        },
      }),
    },
    Statistics: {
      ...times(query),
      DataScannedInBytes: query.scanned.bytes,
      ...(query.manifest !== undefined && { DataManifestLocation: query.manifest }),
      ResultReuseInformation: { ReusedPreviousResult: false },
    },
    WorkGroup: workgroup,
    EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
  }
}

function times({ submitted, started, completed }: Query) {
  const end = completed ?? started ?? submitted
  const [queued, all] = [(started ?? end).getTime() - submitted.getTime(), end.getTime() - submitted.getTime()]
  return {
    QueryQueueTimeInMillis: queued,
    EngineExecutionTimeInMillis: all - queued,
    TotalExecutionTimeInMillis: all,
    ServiceProcessingTimeInMillis: 0,
  }
}

/** QueryRuntimeStatistics of GetQueryRuntimeStatistics. */
export function runtimeStatistics(query: Query) {
  const { scanned, written } = query
  return {
    Timeline: times(query),
    Rows: {
      InputRows: scanned.rows,
      InputBytes: scanned.bytes,
      OutputRows: written.rows,
      OutputBytes: written.bytes,
    },
  }
}
