import { randomUUID } from 'node:crypto'
import type { S3State } from '../s3/state.ts'
import { countFailed, type Job, type JobStatus } from './job.ts'
import { defaultRunner, Runner, type RunnerSettings } from './runner.ts'

/** The jobs of a sandbox, as a test reaches into them. */
export class Control {
  readonly settings: RunnerSettings = defaultRunner()
  readonly runner: Runner
  readonly #jobs = new Map<string, Job>()

  constructor(s3: S3State) {
    this.runner = new Runner(s3, this.settings)
  }

  add(job: Omit<Job, 'id' | 'status' | 'results' | 'failures'> & { confirmed: boolean }): Job {
    const added: Job = { ...job, id: randomUUID(), status: 'New', results: [], failures: [] }
    this.#jobs.set(added.id, added)
    this.runner.start(added)
    return added
  }

  /** In the order of their creation. */
  jobs(): readonly Job[] {
    return [...this.#jobs.values()]
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id)
  }

  /** As S3 does 90 days after the end of a job. */
  forget(id: string): void {
    this.#jobs.delete(id)
  }

  #of(id: string | undefined): Job {
    const job = id === undefined ? this.jobs().at(-1) : this.find(id)
    if (!job) throw new Error(`no job ${id ?? ''}`)
    return job
  }

  /** Move a job, by default the last one, by so many steps. @returns its state then */
  async advance(steps = 1, id?: string): Promise<JobStatus> {
    const job = this.#of(id)
    for (let i = 0; i < steps; i++) await this.runner.step(job)
    return job.status
  }

  /** Move a job, by default the last one, until it ends or waits. @returns its state then */
  async settle(id?: string): Promise<JobStatus> {
    const job = this.#of(id)
    while (this.runner.canMove(job)) await this.runner.step(job)
    return job.status
  }

  /** Release jobs that were held. */
  release(): void {
    this.settings.hold = undefined
    for (const job of this.jobs()) this.runner.start(job)
  }

  /** Put a job into Pausing, as happens when one of higher priority runs. */
  pause(id?: string): void {
    const job = this.#of(id)
    job.status = 'Pausing'
    this.runner.start(job)
  }

  counts(id?: string): { total: number | undefined; succeeded: number; failed: number } {
    const job = this.#of(id)
    const failed = countFailed(job)
    return { total: job.tasks?.length, succeeded: job.results.length - failed, failed }
  }
}
