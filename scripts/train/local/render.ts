import type { CommandResult } from '../../lib/cli/command.ts'
import { bytes, count, facts, percent, plural } from '../../lib/cli/format.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import { type HyperparameterName, hyperparameterNames } from '../../lib/insights/hyperparameters.ts'
import { entityRow, weightBytesOf } from '../../lib/insights/network.ts'
import type { Pairs } from '../../lib/insights/pairs.ts'
import { prefixRowsFor, shapeOf } from '../../lib/insights/trainer.ts'
import type { DoneBy, TrainResult } from '../../lib/runs/results.ts'
import { type Input, littleData, NO_HOLDOUT } from '../input.ts'
import type { Output, Settings, Training } from './train.ts'

type Trained = DoneBy<TrainResult, 'local'>
type Baselines = Trained['baselines']

/** The result of training, for the ledger and `--output json`. */
export function trainResultOf(input: Input, settings: Settings, training: Training, output: Output): Trained {
  const { hyperparameters, seed, alertsPerDay } = settings
  const { calibration, trainSeconds, digest } = training
  const { store } = output
  const { ip, net24, net16 } = calibration?.baselines ?? {}
  const baselines: Baselines = ip && net24 && net16 ? { ip: ip.auc, net24: net24.auc, net16: net16.auc } : {}
  return {
    backend: 'local',
    model: store.uriOf(output.model),
    modelBytes: training.bytes,
    calibration: calibration === undefined ? null : store.uriOf(output.calibration),
    pairs: input.train.ip.length,
    holdoutPairs: input.holdout?.ip.length ?? 0,
    entities: input.train.entities.length,
    sharingEntities: sharingEntities(input.train, hyperparameters.num_entity_vectors),
    epochs: hyperparameters.epochs,
    vectorDim: hyperparameters.vector_dim,
    numEntityVectors: hyperparameters.num_entity_vectors,
    seed,
    trainSeconds,
    auc: calibration?.auc ?? null,
    baselines,
    threshold: calibration?.threshold ?? null,
    alertsPerDay,
    digest,
  }
}

type Result = Trained & { readonly run?: string }

/** What `--dry-run` shows. */
export function renderTrainPlan(input: Input, settings: Settings, run: { run?: string }, model: string): CommandResult {
  const { hyperparameters } = settings
  const batch = Math.min(hyperparameters.mini_batch_size, input.train.ip.length)
  const steps = hyperparameters.epochs * Math.ceil(input.train.ip.length / batch)
  const weights = weightBytesOf(shapeOf(hyperparameters, prefixRowsFor(input.train.ip)))
  const warnings = warningsBefore(input, hyperparameters.num_entity_vectors)
  const shown = hyperparameterNames.map((name: HyperparameterName) => [name, String(hyperparameters[name])] as const)
  return {
    json: {
      ...run,
      dryRun: true,
      model,
      pairs: input.train.ip.length,
      holdoutPairs: input.holdout?.ip.length ?? 0,
      entities: input.train.entities.length,
      steps,
      weightBytes: weights,
      hyperparameters,
      warnings,
    },
    text: facts([
      ['model', model],
      ['pairs', `${count(input.train.ip.length)} of ${plural(input.train.entities.length, 'entity', 'entities')}`],
      ['holdout', input.holdout === undefined ? 'none: no calibration' : plural(input.holdout.ip.length, 'pair')],
      ['work', `${plural(steps, 'step')}, ${bytes(weights)} of weights`],
      ...shown,
      ...warnings.map((warning) => ['warning', warning] as const),
    ]),
  }
}

export function renderTrained(result: Result, repeated: boolean, next?: string): CommandResult {
  const { baselines, auc, threshold, alertsPerDay } = result
  const rule = (name: keyof Baselines) => baselines[name]?.toFixed(4) ?? '–'
  return {
    json: { ...result, repeated },
    text: facts([
      result.run === undefined ? undefined : ['run', result.run],
      ['model', `${result.model} (${bytes(result.modelBytes)})${repeated ? ', was trained before' : ''}`],
      [
        'trained',
        `${plural(result.pairs, 'pair')} of ${plural(result.entities, 'entity', 'entities')}, ${plural(result.epochs, 'epoch')}, ${count(result.trainSeconds)} s`,
      ],
      auc === null ? undefined : ['AUC', `${auc.toFixed(4)} against random public addresses`],
      auc === null
        ? undefined
        : ['rules', `seen before: address ${rule('ip')}, /24 ${rule('net24')}, /16 ${rule('net16')}`],
      [
        'threshold',
        threshold === null ? 'none' : `${threshold.toPrecision(5)}, for ${plural(alertsPerDay, 'alert')} a day`,
      ],
    ]),
    ...(next !== undefined && { next }),
  }
}

/** With AWS's rule of two vectors per entity 39 % share theirs; more than this is a mistake. */
const MOST_SHARED = 0.5

/** What the user should know before training. */
export function warningsBefore({ train, holdout }: Input, vectors: number): string[] {
  const [pairs, entities] = [train.ip.length, train.entities.length]
  const warnings = littleData(pairs, entities)
  const shared = sharingEntities(train, vectors)
  if (shared > MOST_SHARED * entities)
    warnings.push(
      `${percent(shared, entities)} of the entities share their vector with another one: raise --num-entity-vectors to ${count(10 * entities)}`,
    )
  if (holdout === undefined) warnings.push(NO_HOLDOUT)
  return warnings
}

/** What the user should know after training. */
export function warningsAfter({ holdout }: Input, calibration: Calibration | undefined): string[] {
  if (holdout === undefined) return []
  if (calibration === undefined)
    return [
      'no pair of the holdout is of an entity that was trained on often enough: the model is not calibrated, and has no threshold',
    ]
  const { auc, baselines } = calibration
  if (auc > baselines.net16.auc) return []
  return [
    `the model (AUC ${auc.toFixed(4)}) does not beat the rule "/16 seen before" (${baselines.net16.auc.toFixed(4)}): it is not worth deploying as it is`,
  ]
}

/** How many entities share their vector with another one. */
function sharingEntities({ entities }: Pairs, vectors: number): number {
  const users = new Map<number, number>()
  for (const entity of entities) {
    const row = entityRow(entity, vectors)
    users.set(row, (users.get(row) ?? 0) + 1)
  }
  return [...users.values()].filter((n) => n > 1).reduce((sum, n) => sum + n, 0)
}
