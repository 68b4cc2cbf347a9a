import { createHash } from 'node:crypto'
import { messageOf, UsageError, UserError } from '../cli/errors.ts'
import type { Store } from '../stores/store.ts'
import { type Json, type Ledger, readLedger, type StepRecord, writeLedger } from './ledger.ts'
import { clearDeadLock, withLock } from './lock.ts'
import { nextCommand } from './next.ts'
import type { Request } from './request.ts'

export type Result = Record<string, Json>

export interface StepPlan {
  /** The options that shape the result. */
  readonly settings: Record<string, Json>
  /** Earlier steps whose results are read. */
  readonly inputs: readonly string[]
  readonly overwrite: boolean
  /** Cheap steps are simply done again with other settings; the rest asks for --overwrite. Default: refuse. */
  readonly onChange?: 'refuse' | 'redo'
  /** True when the done result no longer stands, for example because its files are gone. */
  readonly stale?: () => Promise<boolean>
}

/** What a step's work may note down for the case that it is interrupted. */
export interface StepMemory {
  /** What an earlier, unfinished attempt with the same settings noted. */
  readonly recalled: Readonly<Record<string, Json>>
  /** Writes to the ledger at once. */
  remember(notes: Record<string, Json>): Promise<void>
}

/** One run: its folder, its ledger, and the steps taken on it. */
export class Run {
  readonly id: string
  readonly store: Store
  #ledger: Ledger
  #written: Promise<void> = Promise.resolve()

  constructor(store: Store, ledger: Ledger) {
    this.id = ledger.id
    this.store = store
    this.#ledger = ledger
  }

  get uri(): string {
    return this.store.uri
  }

  /** URI of something of the run, by its key or how its keys begin. */
  uriOf(key: string): string {
    return this.store.uriOf(key)
  }

  get ledger(): Ledger {
    return this.#ledger
  }

  get request(): Request {
    return this.#ledger.request
  }

  /** Of the workspace that the run is in. */
  get workspace(): string {
    return this.uri.replace(/\/runs\/[^/]+$/, '')
  }

  /** Local path of the run's folder; undefined when the workspace is in S3. */
  get folder(): string | undefined {
    return this.store.localPath === undefined ? undefined : this.store.uri
  }

  /** Local path of something in the run's folder. @throws UserError when the workspace is in S3 */
  path(key: string): string {
    const { folder } = this
    if (folder === undefined) throw new UserError(`${this.uri} is not on this machine`)
    return key === '' ? folder : `${folder}/${key.replace(/\/$/, '')}`
  }

  /** Result of a done step. @throws UserError naming the command that is to be run first */
  result(step: string): Result {
    const record = this.#ledger.steps[step]
    if (record?.state === 'done' && record.result !== undefined) return record.result
    throw new UserError(`run ${this.id} has no finished ${step}`, {
      hint: nextCommand(step, this),
    })
  }

  isDone(step: string): boolean {
    return this.#ledger.steps[step]?.state === 'done'
  }

  /**
   * Whether a step is done as planned, so that `step` would only hand its result back: then nobody needs to be asked first.
   * @throws UsageError when it was done with other settings
   */
  async isCurrent(name: string, plan: StepPlan): Promise<boolean> {
    this.#ledger = (await readLedger(this.store)) ?? this.#ledger
    return this.#isCurrent(name, plan, this.#stampsOf(plan.inputs))
  }

  /**
   * What was noted by an attempt at a step that was begun as planned and did not come to its end: it was approved then, and some of
   * it may be paid for. Undefined when there is none.
   */
  left(name: string, plan: StepPlan): StepRecord | undefined {
    const before = this.#ledger.steps[name]
    if (before === undefined || before.state === 'done' || plan.overwrite) return undefined
    return isSame(before, plan, this.#stampsOf(plan.inputs)) ? before : undefined
  }

  /**
   * What was noted when a step was last begun over the same inputs and with the same of these settings, whatever became of it:
   * what it asked for may be paid for.
   */
  noted(name: string, plan: StepPlan, settings: readonly string[]): StepMemory['recalled'] {
    const before = this.#ledger.steps[name]
    if (before === undefined || plan.overwrite) return {}
    const some = (all: StepPlan['settings']) => Object.fromEntries(settings.map((one) => [one, all[one] ?? null]))
    const alike = { ...plan, settings: some(plan.settings) }
    return isSame({ ...before, settings: some(before.settings) }, alike, this.#stampsOf(plan.inputs))
      ? before.memory
      : {}
  }

  async #isCurrent(name: string, plan: StepPlan, inputs: Record<string, string>): Promise<boolean> {
    const before = this.#ledger.steps[name]
    if (before?.state !== 'done' || plan.overwrite || (await plan.stale?.())) return false
    if (isSame(before, plan, inputs)) return true
    this.#refuseChange(name, before, plan)
    return false
  }

  /**
   * Does a step once: what is done with the same settings over the same inputs is returned (`repeated`), also to who may only read
   * the run; what is not is done, under the run's lock, and recorded.
   */
  async step<R extends Result>(
    name: string,
    plan: StepPlan,
    work: (memory: StepMemory) => Promise<R>,
  ): Promise<R & { repeated: boolean }> {
    const done = async () => ({ ...(this.#ledger.steps[name]?.result as R), repeated: true })
    if (await this.isCurrent(name, plan)) {
      // Its owner may have died between its last note and the end.
      await clearDeadLock(this.store)
      return done()
    }
    return withLock(this.store, name, async () => {
      this.#ledger = (await readLedger(this.store)) ?? this.#ledger
      const inputs = this.#stampsOf(plan.inputs)
      const before = this.#ledger.steps[name]
      if (await this.#isCurrent(name, plan, inputs)) return done()
      const goesOn = before !== undefined && !plan.overwrite && isSame(before, plan, inputs)
      const record: StepRecord = {
        state: 'running',
        settings: plan.settings,
        inputs,
        startedAt: new Date().toISOString(),
        memory: goesOn ? before.memory : {},
      }
      return this.#perform(name, record, work)
    })
  }

  async #perform<R extends Result>(name: string, record: StepRecord, work: (memory: StepMemory) => Promise<R>) {
    await this.#record(name, record)
    const memory: StepMemory = {
      recalled: record.memory,
      remember: (notes) => {
        record.memory = { ...record.memory, ...notes }
        return this.#record(name, record)
      },
    }
    try {
      const result = await work(memory)
      const stamp = hash({ name, settings: record.settings, inputs: record.inputs, digest: result.digest ?? null })
      await this.#record(name, { ...record, state: 'done', stamp, result, finishedAt: new Date().toISOString() })
      return { ...result, repeated: false }
    } catch (error) {
      const failed = { state: 'failed', error: messageOf(error), finishedAt: new Date().toISOString() } as const
      // Where even this cannot be written (a full disk), the first failure is the one to show.
      await this.#record(name, { ...record, ...failed }).catch(() => {})
      throw error
    }
  }

  #stampsOf(inputs: readonly string[]): Record<string, string> {
    return Object.fromEntries(inputs.map((input) => [input, this.#stampOf(input)]))
  }

  /** @throws UserError when the step is not done, or was done over results that have been replaced since */
  #stampOf(step: string): string {
    this.result(step)
    const record = this.#ledger.steps[step]
    for (const [input, stamp] of Object.entries(record?.inputs ?? {}))
      if (this.isDone(input) && this.#stampOf(input) !== stamp)
        throw new UserError(`run ${this.id}: ${input} was done again after ${step}, whose result is out of date`, {
          hint: nextCommand(step, this),
        })
    return record?.stamp ?? ''
  }

  #refuseChange(name: string, before: StepRecord, plan: StepPlan): void {
    if (plan.onChange === 'redo' || hash(before.settings) === hash(plan.settings)) return
    const changed = Object.keys({ ...before.settings, ...plan.settings }).filter(
      (key) => hash(before.settings[key]) !== hash(plan.settings[key]),
    )
    const were = changed.map((key) => `${key} ${JSON.stringify(before.settings[key] ?? null)}`).join(', ')
    throw new UsageError(
      `run ${this.id}: ${name} was done with other settings (${were})`,
      'add --overwrite to replace its result, or leave the setting as it was',
    )
  }

  /** One write at a time: a step may remember several things at once, and the last state must be the last written. */
  #record(name: string, record: StepRecord): Promise<void> {
    const write = async () => {
      const steps = { ...this.#ledger.steps, [name]: record }
      this.#ledger = { ...this.#ledger, steps, touchedAt: new Date().toISOString() }
      await writeLedger(this.store, this.#ledger)
    }
    const written = this.#written.then(write)
    this.#written = written.catch(() => {})
    return written
  }
}

const isSame = (before: StepRecord, plan: StepPlan, inputs: Record<string, string>): boolean =>
  hash(before.settings) === hash(plan.settings) && hash(before.inputs) === hash(inputs)

/** Independent of the order of members. */
const hash = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value, sortMembers) ?? 'undefined')
    .digest('hex')
    .slice(0, 16)

function sortMembers(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
