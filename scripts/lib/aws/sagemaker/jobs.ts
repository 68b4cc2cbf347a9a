import {
  DescribeTrainingJobCommand,
  type DescribeTrainingJobCommandOutput,
  DescribeTransformJobCommand,
  type DescribeTransformJobCommandOutput,
  paginateListTrainingJobs,
  paginateListTransformJobs,
  type SageMakerClient,
  StopTrainingJobCommand,
  StopTransformJobCommand,
} from '@aws-sdk/client-sagemaker'
import { UserError } from '../../cli/errors.ts'
import type { Waiting } from '../../cli/host.ts'
import { aboutSagemaker, answered, ifThere, onceVisible, unlessTaken, untilVisible, watched } from './calls.ts'
import { type Failure, failureFor, stopFor } from './failures.ts'

export type TrainingJob = DescribeTrainingJobCommandOutput
export type TransformJob = DescribeTransformJobCommandOutput

/** What matters of a job, whatever its kind. */
interface JobState {
  readonly status: string | undefined
  /** For progress: `Training: Downloading the image`. */
  readonly text: string
  readonly secondaryStatus?: string | undefined
  readonly reason?: string | undefined
}

interface JobQuery {
  readonly NameContains: string
  readonly StatusEquals: 'InProgress' | 'Stopping'
}

interface NamedJob {
  readonly name: string
  readonly arn: string
}

/** The calls for one kind of job. */
export interface JobApi<Job> {
  readonly kind: 'training' | 'transform'
  /** As it stands in the names of operations. */
  readonly operation: 'TrainingJob' | 'TransformJob'
  describe(name: string, abortSignal?: AbortSignal): Promise<Job>
  stop(name: string): Promise<unknown>
  /** Page by page. */
  list(query: JobQuery): AsyncIterable<readonly NamedJob[]>
  stateOf(job: Job): JobState
}

const named = (name = '', arn = ''): NamedJob => ({ name, arn })

/** Jobs in one answer; SageMaker's most. */
const PAGE = 100

export const trainingJobs = (client: SageMakerClient): JobApi<TrainingJob> => ({
  kind: 'training',
  operation: 'TrainingJob',
  describe: (TrainingJobName, abortSignal) =>
    client.send(new DescribeTrainingJobCommand({ TrainingJobName }), abortSignal && { abortSignal }),
  stop: (TrainingJobName) => client.send(new StopTrainingJobCommand({ TrainingJobName })),
  async *list(query) {
    for await (const { TrainingJobSummaries = [] } of paginateListTrainingJobs({ client, pageSize: PAGE }, query))
      yield TrainingJobSummaries.map((job) => named(job.TrainingJobName, job.TrainingJobArn))
  },
  stateOf: ({ TrainingJobStatus, SecondaryStatus, SecondaryStatusTransitions = [], FailureReason }) => {
    const { StatusMessage = '' } = SecondaryStatusTransitions.at(-1) ?? {}
    const text = `${SecondaryStatus}${StatusMessage === '' ? '' : `: ${StatusMessage}`}`
    return { status: TrainingJobStatus, text, secondaryStatus: SecondaryStatus, reason: FailureReason }
  },
})

export const transformJobs = (client: SageMakerClient): JobApi<TransformJob> => ({
  kind: 'transform',
  operation: 'TransformJob',
  describe: (TransformJobName, abortSignal) =>
    client.send(new DescribeTransformJobCommand({ TransformJobName }), abortSignal && { abortSignal }),
  stop: (TransformJobName) => client.send(new StopTransformJobCommand({ TransformJobName })),
  async *list(query) {
    for await (const { TransformJobSummaries = [] } of paginateListTransformJobs({ client, pageSize: PAGE }, query))
      yield TransformJobSummaries.map((job) => named(job.TransformJobName, job.TransformJobArn))
  },
  stateOf: ({ TransformJobStatus, FailureReason }) => ({
    status: TransformJobStatus,
    text: `${TransformJobStatus}`,
    reason: FailureReason,
  }),
})

export const isUnderWay = (status: string | undefined): boolean => status === 'InProgress' || status === 'Stopping'

/** What a call about a job is about, for messages. */
export const aboutJob = <Job>({ kind, operation }: JobApi<Job>, name: string, verb: string, region = '*') =>
  aboutSagemaker(`${kind}-job`, name, `${verb}${operation}`, region)

/** Undefined when there is no job of this name. */
export const findJob = <Job>(api: JobApi<Job>, name: string, signal?: AbortSignal): Promise<Job | undefined> =>
  answered(ifThere(api.describe(name, signal)), aboutJob(api, name, 'Describe'))

/** Why a job that has ended, and is not completed, has no result. */
export function whyFailed<Job>(api: JobApi<Job>, name: string, job: Job): Failure {
  const { status, secondaryStatus, reason } = api.stateOf(job)
  return status === 'Stopped' ? stopFor(secondaryStatus) : failureFor(api.kind, name, reason)
}

/** A job that is wanted, and how its attempts are told apart. */
export interface JobRequest<Job> {
  /** Name of an attempt, from 1. */
  nameOf(attempt: number): string
  /** An attempt that is known to exist, when an earlier process has noted one. Default: 1 */
  readonly firstAttempt?: number
  /** Whether the result of a completed job is taken. Otherwise another one is made. */
  isUsable(job: Job): boolean | Promise<boolean>
  /** Whether another job is made after one that would fail again. */
  readonly repeatsFailures: boolean
  /** Called before a new job is noted, for what it needs. */
  prepare?(): Promise<void>
  /** Called with the job that is taken, before a new one is created. */
  onJob?(name: string, attempt: number): Promise<void>
  /** Sends the request. */
  create(name: string): Promise<unknown>
}

export interface JobWatch extends Waiting {
  onState(text: string): void
  /** Called with its name when a stop leaves a job behind that goes on and costs money. */
  onLeft(name: string): void
}

/**
 * A wanted job at its end: the one that exists, or a new one. A job under way is waited for; after one that failed another is created
 * only where it may succeed.
 * @throws UserError that explains the failure
 */
export async function runJob<Job>(api: JobApi<Job>, request: JobRequest<Job>, watch: JobWatch): Promise<Job> {
  const { signal, sleep, onState, onLeft } = watch
  const name = await startedJob(api, request, watch)
  const look = async () => {
    const job = await untilVisible(() => findJob(api, name, signal), sleep)
    if (job === undefined) throw new Error(`${api.kind} job ${name} is gone`)
    onState(`${name} ${api.stateOf(job).text}`)
    return job
  }
  try {
    const job = await watched(look, (job) => !isUnderWay(api.stateOf(job).status), sleep)
    if (api.stateOf(job).status === 'Completed') return job
    throw jobFailure(api, name, whyFailed(api, name, job))
  } catch (error) {
    if (signal.aborted) onLeft(name)
    throw error
  }
}

/** The name of a job that exists by now: the last attempt, or one more. */
async function startedJob<Job>(api: JobApi<Job>, request: JobRequest<Job>, watch: JobWatch): Promise<string> {
  const { signal, sleep, onState } = watch
  // What was noted before it was created may be missing; what is in the way of it was there before.
  let attempt = request.firstAttempt ?? 1
  let last: Job | undefined
  for (; ; attempt++) {
    const job = await findJob(api, request.nameOf(attempt), signal)
    if (job === undefined) break
    last = job
  }
  if (last !== undefined && (await isTakenUp(api, request, last, request.nameOf(attempt - 1)))) {
    await request.onJob?.(request.nameOf(attempt - 1), attempt - 1)
    return request.nameOf(attempt - 1)
  }
  const name = request.nameOf(attempt)
  await request.prepare?.()
  await request.onJob?.(name, attempt)
  signal.throwIfAborted()
  // A stop does not break this off: what was sent may have been received.
  await answered(unlessTaken(onceVisible(() => request.create(name), sleep)), aboutJob(api, name, 'Create'))
  onState(`${name} created`)
  return name
}

/** @throws UserError for a failure that would come again */
async function isTakenUp<Job>(api: JobApi<Job>, request: JobRequest<Job>, job: Job, name: string): Promise<boolean> {
  const { status } = api.stateOf(job)
  if (isUnderWay(status)) return true
  if (status === 'Completed') return request.isUsable(job)
  const failure = whyFailed(api, name, job)
  if (request.repeatsFailures || failure.passes) return false
  throw jobFailure(api, name, failure, ', and the same job would fail again')
}

const jobFailure = <Job>({ kind }: JobApi<Job>, name: string, { why, hint }: Failure, again = ''): UserError =>
  new UserError(`${kind} job ${name} failed${again}: ${why}`, { hint })
