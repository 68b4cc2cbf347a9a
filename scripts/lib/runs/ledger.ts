import * as v from 'valibot'
import { messageOf, UserError } from '../cli/errors.ts'
import { fitted, type Json, json, optionalMembers, record, time } from '../cli/shapes.ts'
import type { Store, WriteOptions } from '../stores/store.ts'
import { checkpointSchemas, type Saved } from './checkpoints.ts'
import { paths } from './paths.ts'
import { requestSchema } from './request.ts'
import {
  isStepName,
  type PlainStep,
  type Results,
  resultSchemas,
  type StepName,
  type StepOnOther,
  stepKind,
} from './results.ts'

/** Of the ledger's form. Another version of prestage reads no run with another one. */
export const LEDGER_VERSION = 2

/** The options that shape a step's result, by name; null where one was not given. */
export type StepSettings = Readonly<Record<string, Json>>

/** What the ledger says about one step. */
export interface StepRecord<S extends StepName = StepName> {
  readonly state: 'running' | 'done' | 'failed'
  readonly settings: StepSettings
  /** Stamps of the earlier steps that this one read. */
  readonly inputs: Readonly<Record<string, string>>
  /** Names the result: equal stamps, equal bytes. Only a done step has one. */
  readonly stamp?: string
  readonly startedAt: string
  readonly finishedAt?: string
  /** What a step needs in order to continue, such as the ids of remote jobs. */
  readonly checkpoint: Saved<S>
  /** Only a done step has one. */
  readonly result?: Results[S]
  readonly error?: string
}

type Steps = { readonly [S in PlainStep]?: StepRecord<S> } & { readonly [S in StepOnOther]: StepRecord<S> }

const stepSchema = <S extends StepName>(
  checkpoint: v.GenericSchema<unknown, Saved<S>>,
  result: v.GenericSchema<unknown, Results[S]>,
) =>
  v.exactOptional(
    v.pipe(
      v.strictObject({
        state: v.picklist(['running', 'done', 'failed']),
        settings: record(v.string(), json),
        inputs: record(v.string(), v.string()),
        stamp: v.exactOptional(v.string()),
        startedAt: time,
        finishedAt: v.exactOptional(time),
        checkpoint,
        result: v.exactOptional(result),
        error: v.exactOptional(v.string()),
      }),
      v.check(
        ({ state, result, stamp }) => state !== 'done' || (result !== undefined && stamp !== undefined),
        'a result and a stamp of a done step',
      ),
    ),
  )

const plainSteps = {
  stage: stepSchema<'stage'>(checkpointSchemas.stage, resultSchemas.stage),
  extract: stepSchema<'extract'>(checkpointSchemas.extract, resultSchemas.extract),
  train: stepSchema<'train'>(checkpointSchemas.train, resultSchemas.train),
  deploy: stepSchema<'deploy'>(checkpointSchemas.deploy, resultSchemas.deploy),
  score: stepSchema<'score'>(checkpointSchemas.score, resultSchemas.score),
  report: stepSchema<'report'>(checkpointSchemas.report, resultSchemas.report),
  clean: stepSchema<'clean'>(checkpointSchemas.clean, resultSchemas.clean),
}

/** Steps on other runs are known by their names alone. */
const stepsSchema: v.GenericSchema<unknown, Steps> = v.lazy((given) => {
  const others = Object.keys(given ?? {}).filter((name) => isStepName(name) && stepKind(name) !== name)
  const named = Object.fromEntries(
    others.map((name) => [name, plainSteps[name.startsWith('score/') ? 'score' : 'report']]),
  )
  return optionalMembers({ ...plainSteps, ...named })
})

const ledgerSchema = v.strictObject({
  version: v.literal(LEDGER_VERSION),
  id: v.string(),
  createdAt: time,
  touchedAt: time,
  request: requestSchema,
  steps: stepsSchema,
})

/** What run.json holds: the request, and the state of every step. */
export interface Ledger extends Omit<v.InferOutput<typeof ledgerSchema>, 'steps'> {
  readonly steps: Steps
}

/** Undefined when the run has none. @throws UserError when it is damaged, or of another version */
export async function readLedger(store: Store): Promise<Ledger | undefined> {
  const text = await store.text(paths.ledger)
  if (text === undefined) return undefined
  try {
    const ledger: unknown = JSON.parse(text)
    refuseOtherVersion(ledger)
    return fitted(ledgerSchema, ledger)
  } catch (error) {
    throw new UserError(`${store.uriOf(paths.ledger)} cannot be read: ${messageOf(error)}`, {
      hint: 'move the run folder away and stage again; what is copied already lies in its staged/ folder',
    })
  }
}

function refuseOtherVersion(ledger: unknown): void {
  const version = typeof ledger === 'object' && ledger !== null && 'version' in ledger ? ledger.version : LEDGER_VERSION
  if (version !== LEDGER_VERSION)
    throw new Error(
      `another version of prestage wrote it (form ${JSON.stringify(version)}, this one knows ${LEDGER_VERSION})`,
    )
}

/** Written whole: a reader sees the old ledger or the new one. */
export async function writeLedger(store: Store, ledger: Ledger, condition?: WriteOptions): Promise<void> {
  await store.write(paths.ledger, `${JSON.stringify(ledger, null, 2)}\n`, condition)
}
