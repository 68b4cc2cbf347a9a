import { setTimeout as wait } from 'node:timers/promises'
import { AwsError } from '../http.ts'
import type { Caller, S3State } from '../s3/state.ts'
import { countFailed, type Job, type JobStatus, type Task, TERMINAL } from './job.ts'
import { ManifestError, readManifest } from './manifest.ts'
import { type ColumnOrder, writeReport } from './report.ts'
import { type PrefixRule, runTask } from './tasks.ts'

type TaskError = { readonly code: string; readonly status: number; readonly message: string }

/** How jobs behave; may be changed while they run. */
export interface RunnerSettings {
  /**
   * What moves a job from state to state. `instant`: it moves at once; a number: it moves after so many milliseconds per state;
   * `poll`: every DescribeJob is one step; `manual`: only advance().
   */
  pace: 'instant' | 'poll' | 'manual' | number
  /** Tasks of one step; a job with more stays Active for several steps. */
  tasksPerStep: number
  /** A job that reaches this state stays in it until this setting changes. */
  hold: JobStatus | undefined
  /** Makes a task fail; `nth` counts from 1. */
  failTask: (task: Task, nth: number) => TaskError | undefined
  /** Fails a job that has reached this state. */
  failJob: { readonly at: JobStatus; readonly code: string; readonly reason: string } | undefined
  report: ColumnOrder | 'missing'
  prefix: PrefixRule
  /** Number of DescribeJobs after CreateJob that do not find the job yet. */
  invisibleFor: number
  /** Number of DescribeJobs after UpdateJobStatus that still return the old status. */
  staleFor: number
  /** Error code for an unknown job. */
  unknown: 'NoSuchJob' | 'NoSuchJobException' | 'NotFoundException'
  /** Answer to a repeated request: the job that the first one made, or IdempotencyException. */
  repeated: 'same' | 'refused'
  /** Whether a job that waits for its confirmation shows its number of tasks. */
  tellsTasks: boolean
}

export const defaultRunner = (): RunnerSettings => ({
  pace: 'instant',
  tasksPerStep: Number.POSITIVE_INFINITY,
  hold: undefined,
  failTask: () => undefined,
  failJob: undefined,
  report: 'status-first',
  prefix: 'slash',
  invisibleFor: 0,
  staleFor: 0,
  unknown: 'NoSuchJob',
  repeated: 'same',
  tellsTasks: true,
})

// S3 User Guide, "Tracking job status": a job with at least so many tasks fails when more than half of them fail.
const TASKS_BEFORE_FAILING = 1000
const LONGEST_WAIT = 30 * 86_400_000

/** Carries jobs out, one step of their states at a time. */
export class Runner {
  readonly settings: RunnerSettings
  readonly #s3: S3State
  readonly #queues = new Map<string, Promise<boolean>>()
  readonly #closing = new AbortController()

  constructor(s3: S3State, settings: RunnerSettings) {
    this.#s3 = s3
    this.settings = settings
  }

  close(): void {
    this.#closing.abort()
  }

  /** Let a job move by itself, if the pace says so. */
  start(job: Job): void {
    this.#go(job).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) fail(job, 'InternalError', String(error))
    })
  }

  async #go(job: Job): Promise<void> {
    for (;;) {
      const { pace } = this.settings
      if (pace === 'poll' || pace === 'manual') return
      // Never within the request that started it, so that its caller sees the state before.
      await wait(pace === 'instant' ? 1 : pace, undefined, { signal: this.#closing.signal })
      if (!(await this.step(job))) return
    }
  }

  /** Move a job by one step, after steps already under way. @returns whether there was one to make */
  step(job: Job): Promise<boolean> {
    const next = (this.#queues.get(job.id) ?? Promise.resolve(true)).then(() => this.#step(job))
    this.#queues.set(
      job.id,
      next.catch(() => false),
    )
    return next
  }

  /** Whether a job has somewhere to go: it has not ended, is not held and does not wait for confirmation. */
  canMove({ status, confirmed }: Job): boolean {
    if (TERMINAL.includes(status) || status === this.settings.hold) return false
    return status !== 'Suspended' || confirmed
  }

  async #step(job: Job): Promise<boolean> {
    if (!this.canMove(job)) return false
    const { failJob } = this.settings
    if (failJob?.at === job.status) fail(job, failJob.code, failJob.reason)
    else await this.#move(job)
    if (TERMINAL.includes(job.status)) job.ended ??= this.#s3.now()
    return true
  }

  async #move(job: Job): Promise<void> {
    switch (job.status) {
      case 'New':
        job.status = 'Preparing'
        return
      case 'Preparing':
        return this.#prepare(job)
      case 'Suspended':
        job.status = 'Ready'
        return
      case 'Ready':
        job.status = 'Active'
        job.activeSince = this.#s3.now()
        return
      case 'Active':
        return this.#work(job)
      case 'Pausing':
        job.status = 'Paused'
        return
      case 'Paused':
        // It continues by itself when the job of higher priority is done.
        job.status = 'Active'
        return
      case 'Completing':
        return this.#finish(job, 'Complete')
      case 'Failing':
        return this.#finish(job, 'Failed')
      case 'Cancelling':
        return this.#finish(job, 'Cancelled')
    }
  }

  /** S3 User Guide, "Creating a job": one that has waited for its confirmation for more than 30 days fails. */
  expire(job: Job): void {
    if (job.status !== 'Suspended' || this.#s3.now().getTime() - (job.suspended?.getTime() ?? 0) <= LONGEST_WAIT) return
    fail(job, 'ConfirmationExpired', 'The job was not confirmed within 30 days')
    job.ended = this.#s3.now()
  }

  #role(job: Job): Caller {
    return { account: job.account, arn: job.spec.role }
  }

  async #prepare(job: Job): Promise<void> {
    try {
      job.tasks = await readManifest(this.#s3, this.#role(job), job.spec.manifest)
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error
      return fail(job, error.code, error.message)
    }
    // Cancelled while the manifest was read.
    if (job.status !== 'Preparing') return
    job.status = job.spec.confirm ? 'Suspended' : 'Ready'
    if (job.spec.confirm) job.suspended = this.#s3.now()
  }

  async #work(job: Job): Promise<void> {
    const { tasks = [], results, spec } = job
    const until = Math.min(tasks.length, results.length + this.settings.tasksPerStep)
    while (results.length < until && job.status === 'Active') {
      const nth = results.length + 1
      const task = tasks[nth - 1]
      if (task === undefined) break
      const error = this.settings.failTask(task, nth)
      results.push(
        error ? { ...task, error } : await runTask(this.#s3, this.#role(job), spec.copy, task, this.settings.prefix),
      )
      if (nth >= TASKS_BEFORE_FAILING && countFailed(job) > nth / 2) {
        job.failures.push({ code: 'TaskFailureRateExceeded', reason: 'More than 50% of the tasks failed' })
        job.status = 'Failing'
      }
    }
    if (results.length === tasks.length && job.status === 'Active') job.status = 'Completing'
  }

  #finish(job: Job, end: JobStatus): void {
    const { report } = job.spec
    try {
      const order = this.settings.report
      if (report && order !== 'missing') writeReport(this.#s3, this.#role(job), job, report, order)
      job.status = end
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      fail(job, error.code, `The completion report cannot be written: ${error.message}`)
    }
  }
}

function fail(job: Job, code: string, reason: string): void {
  // As long as the API's model lets a reason be.
  job.failures.push({ code, reason: reason.slice(0, 256) })
  job.status = 'Failed'
}
