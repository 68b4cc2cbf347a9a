/** What can fail. A model has the stages `Creating`, at the call, and `Loading`, of what it is deployed or used by. */
export type Kind = 'training' | 'transform' | 'endpoint' | 'model'

/** A failure to produce. */
export interface Failure {
  readonly kind: Kind
  /** The state of the resource that it fails in: `Downloading`, `Training`, `Creating`, `Updating`, … */
  readonly stage: string
  /** FailureReason; an empty one is left out, as AWS does when an update of an endpoint is rolled back. */
  readonly reason: string
  /** Only resources with this name. */
  readonly name?: string | RegExp
  /** How often it happens; always when absent. */
  readonly times?: number
  /** Where it ends, in place of Failed: a training job as Stopped with this SecondaryStatus, an update with this status. */
  readonly into?: 'MaxRuntimeExceeded' | 'MaxWaitTimeExceeded' | 'Interrupted' | 'UpdateRollbackFailed'
}

/** The first invocations of a serverless endpoint after it was deployed. */
export interface ColdStart {
  readonly invocations: number
  /** Milliseconds that each of them takes. */
  readonly delay?: number
  /** Each of them waits for this. */
  readonly until?: Promise<unknown>
  /** What they answer; when absent they are only slow. `ModelError` is one without an answer of the container: its status is 0. */
  readonly error?: 'ModelNotReadyException' | 'ServiceUnavailable' | 'ModelError'
}

/** How SageMaker behaves; may be changed while it runs. */
export interface SageMakerSettings {
  /**
   * What moves jobs and endpoints from state to state. `instant`: they move at once; a number: they move after so many milliseconds per state;
   * `poll`: every Describe is one step; `manual`: only advance() and settle().
   */
  pace: 'instant' | 'poll' | 'manual' | number
  /** Jobs and endpoints that reach this state stay in it until release(). */
  hold: { readonly kind: Kind; readonly stage: string } | undefined
  failures: Failure[]
  coldStart: ColdStart | undefined
  /** Lines that are answered within the minute that an invocation may take; more end in a time-out, a ModelError of status 0. */
  linesInTime: number
  /** Whether AssembleWith Line adds its newline to answers that end in one, too. */
  doubledNewlines: boolean
  /** Whether an endpoint that is being created can be deleted. */
  deletesCreating: boolean
  /** How often a new resource is not found at first, by callers and by resources that use it. */
  unseenFor: number
  /** What the container answers to what it cannot read: nobody has told. */
  unreadable: 400 | 500 | 'an answer'
  /** Megabytes below which the container of a serverless endpoint does not start. */
  leastMemoryMB: number
  /**
   * By the name that Service Quotas gives it, such as `ml.p3.2xlarge for training job usage`. When absent: of serverless endpoints what a
   * new account has, else unlimited.
   */
  quota: Record<string, number>
}

export const defaultSettings = (): SageMakerSettings => ({
  pace: 'instant',
  hold: undefined,
  failures: [],
  coldStart: undefined,
  linesInTime: Number.POSITIVE_INFINITY,
  doubledNewlines: false,
  deletesCreating: true,
  unseenFor: 0,
  unreadable: 400,
  leastMemoryMB: 3072,
  quota: {},
})

const struck = new WeakMap<Failure, number>()

const concerns = ({ name }: Failure, asked: string): boolean =>
  name === undefined || (typeof name === 'string' ? name === asked : name.test(asked))

/** The failure that is due for a resource in a stage; counts as having happened. */
export function failureOf(
  { failures }: SageMakerSettings,
  asked: { readonly kind: Kind; readonly stage: string; readonly name: string },
): Failure | undefined {
  const failure = failures.find(
    (due) =>
      due.kind === asked.kind &&
      due.stage === asked.stage &&
      concerns(due, asked.name) &&
      (struck.get(due) ?? 0) < (due.times ?? Number.POSITIVE_INFINITY),
  )
  if (failure !== undefined) struck.set(failure, (struck.get(failure) ?? 0) + 1)
  return failure
}
