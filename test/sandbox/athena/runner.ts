import { setTimeout as wait } from 'node:timers/promises'
import { AwsError } from '../http.ts'
import { QueryError } from './errors.ts'
import { hasEnded, type Query } from './query.ts'
import { type Failure, failureOf, type QueryErrorSettings } from './settings.ts'
import type { Shared, Work } from './shared.ts'
import { work } from './work.ts'

/** Moves queries from state to state. */
export class Runner {
  readonly #shared: Shared
  readonly #broken: (error: unknown) => void
  readonly #queues = new Map<Query, Promise<void>>()
  readonly #closing = new AbortController()

  /** @param broken is told of bugs of the sandbox */
  constructor(shared: Shared, broken: (error: unknown) => void) {
    this.#shared = shared
    this.#broken = broken
  }

  close(): void {
    this.#closing.abort()
  }

  canMove = (query: Query): boolean => !hasEnded(query) && !(this.#shared.settings.queue && query.state === 'QUEUED')

  /** Let a query go on by itself, if that is the pace. */
  start(query: Query): void {
    this.#go(query).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#broken(error)
    })
  }

  async #go(query: Query): Promise<void> {
    while (this.canMove(query)) {
      const { pace } = this.#shared.settings
      if (pace === 'poll' || pace === 'manual') return
      // Never within the request that started it, so that its caller sees the state before.
      await wait(pace === 'instant' ? 1 : pace, undefined, { signal: this.#closing.signal })
      await this.step(query)
    }
  }

  /** Move a query by one step, after steps already under way. */
  step(query: Query): Promise<void> {
    return this.#after(query, async () => {
      if (this.canMove(query)) await (query.state === 'QUEUED' ? this.#admit(query) : this.#run(query))
    })
  }

  /** Called at every look. */
  async polled(query: Query): Promise<void> {
    if (this.#shared.settings.pace === 'poll') await this.step(query)
  }

  /** Cancel a query; what a CTAS had written by then stays. */
  async stop(query: Query): Promise<void> {
    if (hasEnded(query)) return
    const wasRunning = query.state === 'RUNNING'
    this.#end(query, 'CANCELLED', 'Query cancelled by user')
    if (wasRunning) await this.#after(query, () => this.#leave(query))
  }

  #after(query: Query, task: () => Promise<void>): Promise<void> {
    const next = (this.#queues.get(query) ?? Promise.resolve()).then(task)
    this.#queues.set(
      query,
      next.catch(() => {}),
    )
    return next
  }

  async #admit(query: Query): Promise<void> {
    const failure = this.#failure('queued', query)
    if (failure === undefined) {
      query.state = 'RUNNING'
      query.started ??= this.#shared.s3.now()
    } else this.#fail(query, failure)
  }

  async #run(query: Query): Promise<void> {
    const failure = this.#failure('running', query)
    if (failure !== undefined) {
      this.#fail(query, failure)
      return
    }
    try {
      const done = await work(this.#shared, query)
      // It was stopped meanwhile.
      if (hasEnded(query)) return
      this.#finish(query, done)
    } catch (error) {
      if (!hasEnded(query)) this.#end(query, 'FAILED', messageOf(error), errorOf(error))
      if (!(error instanceof QueryError)) throw error
    }
  }

  #finish(query: Query, done: Work): void {
    const { cutoff } = this.#shared.settings.workgroups[query.workgroup] ?? {}
    if (cutoff !== undefined && query.scanned.bytes > cutoff) {
      done.write('half')
      query.scanned.bytes = cutoff
      this.#end(query, 'CANCELLED', 'Bytes scanned limit was exceeded')
      return
    }
    const failure = this.#failure('writing', query)
    if (failure === undefined) {
      done.write('all')
      this.#end(query, 'SUCCEEDED')
      return
    }
    if (failure.partial === true) done.write('half')
    this.#fail(query, failure)
  }

  /** What a query leaves behind that was stopped while it ran. */
  async #leave(query: Query): Promise<void> {
    try {
      const done = await work(this.#shared, query)
      done.write('half')
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
    }
  }

  #failure(stage: Failure['stage'], { statement, text }: Query): Failure | undefined {
    return failureOf(this.#shared.settings, stage, statement.kind, text)
  }

  #fail(query: Query, { becomes = 'FAILED', error }: Failure): void {
    if (becomes === 'QUEUED') query.state = 'QUEUED'
    else this.#end(query, becomes, error.reason, becomes === 'FAILED' ? error : undefined)
  }

  #end(query: Query, state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED', reason?: string, error?: QueryErrorSettings): void {
    query.state = state
    query.completed = this.#shared.s3.now()
    if (reason !== undefined) query.reason = reason
    if (error !== undefined) query.error = error
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function errorOf(error: unknown): QueryErrorSettings {
  if (error instanceof QueryError) return error.settings
  // Something that this sandbox does not have, or a bug of it: a look at the query says so as well.
  const type = error instanceof AwsError ? 1000 : 100
  return { category: 3, type, retryable: false, reason: messageOf(error) }
}
