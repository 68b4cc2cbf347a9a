import { createHash } from 'node:crypto'
import type { RunHost } from '../aws/settings.ts'
import { messageOf, UsageError, UserError } from '../cli/errors.ts'
import { kebab } from '../cli/options.ts'
import { fitted, type Json } from '../cli/shapes.ts'
import type { Store } from '../stores/store.ts'
import type { Checkpoint, Saved } from './checkpoints.ts'
import { type Ledger, readLedger, type StepRecord, type StepSettings, writeLedger } from './ledger.ts'
import { clearDeadLock, withLock } from './lock.ts'
import { nextCommand } from './next.ts'
import type { Request } from './request.ts'
import {
  type Backend,
  type DoneBy,
  isStepName,
  type Results,
  resultSchemas,
  type StepName,
  stepKind,
} from './results.ts'
import { daysOf } from './window.ts'

export interface StepPlan {
  /** The options that shape the result, under their names in camelCase. */
  readonly settings: StepSettings
  /** Earlier steps whose results are read. */
  readonly inputs: readonly StepName[]
  readonly overwrite: boolean
  /** What to do when the step was done with other settings: cheap steps are done again, the rest asks for --overwrite. Default: refuse. */
  readonly onChange?: 'refuse' | 'redo'
  /** Whether a done step must be done again all the same, for example because its files are gone. */
  readonly redoIf?: () => Promise<boolean>
}

/** One run: its folder, its ledger, and the steps taken on it. */
export class Run {
  readonly id: string
  readonly store: Store
  /** The process that works on it: whose locks it takes, and whose clock it reads. */
  readonly host: RunHost
  #ledger: Ledger
  #written: Promise<void> = Promise.resolve()

  constructor(store: Store, ledger: Ledger, host: RunHost) {
    this.id = ledger.id
    this.store = store
    this.host = host
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
  result<S extends StepName>(step: S): Results[S] {
    const record = this.#recordOf(step)
    if (record?.state === 'done' && record.result !== undefined) return record.result
    throw new UserError(`run ${this.id} has no finished ${step}`, {
      hint: nextCommand(step, this),
    })
  }

  /**
   * Result of a step that was done where it is expected to have been done.
   * @throws UserError when it was not done, or done elsewhere: run folders can be copied
   */
  resultBy<B extends Backend, S extends 'train' | 'deploy'>(backend: B, step: S): DoneBy<Results[S], B> {
    const result = this.result(step)
    if (isBy(result, backend)) return result
    const where = { local: 'on this machine', sagemaker: 'in SageMaker' }
    throw new UserError(`run ${this.id}: ${step} was done ${where[result.backend]}, not ${where[backend]}`, {
      hint: `${nextCommand(step, this)} --overwrite`,
    })
  }

  /** The part of the window that is held out, and how many days it covers: 1 where there is none. */
  holdout(): { readonly from: Date; readonly to: Date; readonly days: number } {
    const [from, to] = [new Date(this.result('extract').cutoff), new Date(this.request.to)]
    const days = daysOf({ from, to })
    return { from, to, days: days > 0 ? days : 1 }
  }

  isDone(step: StepName): boolean {
    return this.#ledger.steps[step]?.state === 'done'
  }

  /**
   * Whether a step is done as planned, so that `step` would only return its result: then nobody needs to be asked first.
   * @throws UsageError when it was done with other settings
   */
  async isCurrent(name: StepName, plan: StepPlan): Promise<boolean> {
    this.#ledger = (await readLedger(this.store)) ?? this.#ledger
    return this.#isCurrent(name, plan, this.#stampsOf(plan.inputs))
  }

  /**
   * The record of an attempt at a step that was begun as planned and not finished: it was approved then, and some of it may be paid
   * for. Undefined when there is none.
   */
  unfinished<S extends StepName>(name: S, plan: StepPlan): StepRecord<S> | undefined {
    const before = this.#recordOf(name)
    if (before === undefined || before.state === 'done' || plan.overwrite) return undefined
    return isSame(before, plan, this.#stampsOf(plan.inputs)) ? before : undefined
  }

  /**
   * What the last attempt at a step has saved, finished or not, if it had the same inputs and the same of these settings: what it
   * asked for may be paid for.
   */
  savedBy<S extends StepName>(name: S, plan: StepPlan, settings: readonly string[]): Saved<S> | undefined {
    const before = this.#recordOf(name)
    if (before === undefined || plan.overwrite) return undefined
    const some = (all: StepSettings) => Object.fromEntries(settings.map((one) => [one, all[one] ?? null]))
    const alike = { ...plan, settings: some(plan.settings) }
    const isAlike = isSame({ ...before, settings: some(before.settings) }, alike, this.#stampsOf(plan.inputs))
    return isAlike ? before.checkpoint : undefined
  }

  async #isCurrent(name: StepName, plan: StepPlan, inputs: Record<string, string>): Promise<boolean> {
    const before = this.#ledger.steps[name]
    if (before?.state !== 'done' || plan.overwrite || (await plan.redoIf?.())) return false
    if (isSame(before, plan, inputs)) return true
    this.#refuseChange(name, before, plan)
    return false
  }

  /**
   * Does a step once. If it is done with the same settings over the same inputs, its result is returned (`repeated`), which needs no
   * right to write. Otherwise it is done, under the run's lock, and recorded.
   */
  async step<S extends StepName>(
    name: S,
    plan: StepPlan,
    work: (checkpoint: Checkpoint<Saved<S>>) => Promise<Results[S]>,
  ): Promise<Results[S] & { repeated: boolean }> {
    const done = () => ({ ...this.result(name), repeated: true })
    if (await this.isCurrent(name, plan)) {
      // Its owner may have died between its last note and the end.
      await clearDeadLock(this.store, this.host)
      return done()
    }
    return withLock(this.store, { ...this.host, step: name }, async () => {
      this.#ledger = (await readLedger(this.store)) ?? this.#ledger
      const inputs = this.#stampsOf(plan.inputs)
      const before = this.#recordOf(name)
      if (await this.#isCurrent(name, plan, inputs)) return done()
      const continues = before !== undefined && !plan.overwrite && isSame(before, plan, inputs)
      const startedAt = this.host.now().toISOString()
      const checkpoint = continues ? before.checkpoint : {}
      return this.#perform(name, { state: 'running', settings: plan.settings, inputs, startedAt, checkpoint }, work)
    })
  }

  async #perform<S extends StepName>(
    name: S,
    begun: StepRecord<S>,
    work: (checkpoint: Checkpoint<Saved<S>>) => Promise<Results[S]>,
  ) {
    let record = begun
    await this.#record(name, record)
    const checkpoint: Checkpoint<Saved<S>> = {
      saved: begun.checkpoint,
      save: (more) => {
        record = { ...record, checkpoint: { ...record.checkpoint, ...more } }
        return this.#record(name, record)
      },
    }
    try {
      const result = await work(checkpoint)
      // What the next reader would refuse must not be written.
      fitted(resultSchemas[stepKind(name)], result)
      const digest = 'digest' in result ? result.digest : null
      const stamp = hash({ name, settings: record.settings, inputs: record.inputs, digest })
      await this.#record(name, { ...record, state: 'done', stamp, result, finishedAt: this.host.now().toISOString() })
      return { ...result, repeated: false }
    } catch (error) {
      const failed = { state: 'failed', error: messageOf(error), finishedAt: this.host.now().toISOString() } as const
      // Where even this cannot be written (a full disk), the first failure is the one to show.
      await this.#record(name, { ...record, ...failed }).catch(() => {})
      throw error
    }
  }

  #recordOf<S extends StepName>(name: S): StepRecord<S> | undefined {
    const { steps }: { readonly steps: { readonly [N in StepName]?: StepRecord<N> } } = this.#ledger
    return steps[name]
  }

  #stampsOf(inputs: readonly StepName[]): Record<string, string> {
    return Object.fromEntries(inputs.map((input) => [input, this.#stampOf(input)]))
  }

  /** @throws UserError when the step is not done, or was done over results that have been replaced since */
  #stampOf(step: StepName): string {
    this.result(step)
    const record = this.#ledger.steps[step]
    for (const [input, stamp] of Object.entries(record?.inputs ?? {}))
      if (isStepName(input) && this.isDone(input) && this.#stampOf(input) !== stamp)
        throw new UserError(`run ${this.id}: ${input} was done again after ${step}, whose result is out of date`, {
          hint: nextCommand(step, this),
        })
    return record?.stamp ?? ''
  }

  #refuseChange(name: StepName, before: Pick<StepRecord, 'settings'>, plan: StepPlan): void {
    if (plan.onChange === 'redo' || hash(before.settings) === hash(plan.settings)) return
    const changed = Object.keys({ ...before.settings, ...plan.settings }).filter(
      (key) => hash(before.settings[key]) !== hash(plan.settings[key]),
    )
    if (changed.every((key) => key === 'definition'))
      throw new UsageError(
        `run ${this.id}: ${name} was done with another definition of ${this.request.source} in the configuration file`,
        'take the change back, or add --overwrite to replace its result',
      )
    const options = changed.filter((key) => key !== 'definition')
    const were = options.map((key) => typedOption(key, before.settings[key])).join(' ')
    throw new UsageError(
      `run ${this.id}: ${name} was done with other options: ${were}`,
      'repeat it with these options, or add --overwrite to replace its result',
    )
  }

  /** One write at a time: a step may save several things at once, and the last state must be the last written. */
  #record<S extends StepName>(name: S, record: StepRecord<S>): Promise<void> {
    const write = async () => {
      const steps = { ...this.#ledger.steps, [name]: record }
      this.#ledger = { ...this.#ledger, steps, touchedAt: this.host.now().toISOString() }
      await writeLedger(this.store, this.#ledger)
    }
    const written = this.#written.then(write)
    this.#written = written.catch(() => {})
    return written
  }
}

const isBy = <R extends { readonly backend: Backend }, B extends Backend>(
  result: R,
  backend: B,
): result is R & DoneBy<R, B> => result.backend === backend

/** An option as somebody would type it: `--alerts-per-day 5`, `--dedupe`; `(no --dedupe)` where it was not given. */
export function typedOption(key: string, value: Json | undefined): string {
  const option = `--${kebab(key)}`
  if (value === true) return option
  if (value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0))
    return `(no ${option})`
  return `${option} ${Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : value}`
}

const isSame = (
  before: Pick<StepRecord, 'settings' | 'inputs'>,
  plan: Pick<StepPlan, 'settings'>,
  inputs: Readonly<Record<string, string>>,
): boolean => hash(before.settings) === hash(plan.settings) && hash(before.inputs) === hash(inputs)

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
