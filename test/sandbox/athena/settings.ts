export type StatementKind = 'select' | 'ctas' | 'create-database' | 'create-table' | 'drop-table'

/** AthenaError as GetQueryExecution tells it; categories: 1 system, 2 user, 3 other; types: "Athena error catalog". */
export interface QueryErrorSettings {
  readonly category: 1 | 2 | 3
  readonly type: number
  readonly retryable: boolean
  readonly reason: string
}

/** A failure to produce. */
export interface Failure {
  /** Only statements of this kind, or whose text matches; every one when absent. */
  readonly when?: StatementKind | RegExp
  /**
   * `start` refuses StartQueryExecution, with the reason as the message of an InvalidRequestException; `queued` and `running` end it in
   * that state; `writing` when it has its rows, but has written none, or with `partial` half of them.
   */
  readonly stage: 'start' | 'queued' | 'running' | 'writing'
  readonly error: QueryErrorSettings
  /** The state that the query ends in. Default: FAILED. A transient error makes it QUEUED. */
  readonly becomes?: 'FAILED' | 'CANCELLED' | 'QUEUED'
  readonly partial?: boolean
  /** How often it happens; always when absent. */
  readonly times?: number
}

export interface WorkgroupSettings {
  /** EnforceWorkGroupConfiguration. */
  readonly enforced?: boolean
  /** `s3://bucket/prefix/` */
  readonly outputLocation?: string
  /** Managed query results. */
  readonly managed?: boolean
  /** BytesScannedCutoffPerQuery. */
  readonly cutoff?: number
  readonly state?: 'ENABLED' | 'DISABLED'
}

/** Rows as an answer of GetQueryResults has them. */
export interface Rows {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

/** How Athena behaves; may be changed while it runs. */
export interface AthenaSettings {
  /**
   * What moves queries from state to state. `instant`: they move at once; a number: they move after so many milliseconds per state;
   * `poll`: every GetQueryExecution is one step; `manual`: only advance() and settle().
   */
  pace: 'instant' | 'poll' | 'manual' | number
  /** Queries stay QUEUED until release(). */
  queue: boolean
  failures: Failure[]
  workgroups: Record<string, WorkgroupSettings>
  /** Answers a SELECT, or the one in a CTAS, in place of the engine. Undefined leaves it to the engine. */
  answer: (query: string) => Rows | undefined
  /** Rows in one object of a CTAS. */
  rowsPerObject: number
  /** Whether a CTAS also writes an object without any row, as a writer does that got none. */
  emptyObject: boolean
  /** Rows that one partition of a window may have, until the query has exhausted its resources. */
  rowsPerWorker: number
  /** Whether the rows of a SELECT begin with the names of its columns. */
  header: boolean
  /** Whether text is compressed as it was asked for, or always: the documents contradict each other. */
  compression: 'as-asked' | 'always'
}

export const defaultSettings = (): AthenaSettings => ({
  pace: 'instant',
  queue: false,
  failures: [],
  workgroups: { primary: {} },
  answer: () => undefined,
  rowsPerObject: 1000,
  emptyObject: false,
  header: true,
  rowsPerWorker: Number.POSITIVE_INFINITY,
  compression: 'as-asked',
})

const struck = new WeakMap<Failure, number>()

/** The failure that is due for a statement in a stage; counts as having happened. */
export function failureOf(
  { failures }: AthenaSettings,
  stage: Failure['stage'],
  kind: StatementKind,
  text: string,
): Failure | undefined {
  const due = failures.find(
    (failure) =>
      failure.stage === stage &&
      (failure.when === undefined ||
        (failure.when instanceof RegExp ? failure.when.test(text) : failure.when === kind)) &&
      (struck.get(failure) ?? 0) < (failure.times ?? Number.POSITIVE_INFINITY),
  )
  if (due !== undefined) struck.set(due, (struck.get(due) ?? 0) + 1)
  return due
}
