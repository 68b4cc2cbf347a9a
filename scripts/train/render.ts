import type { Outcome } from '../lib/cli/command.ts'
import { bytes, count, facts, plural } from '../lib/cli/format.ts'
import { type HyperparameterName, hyperparameterNames } from '../lib/insights/hyperparameters.ts'
import { weightBytesOf } from '../lib/insights/network.ts'
import { prefixRowsFor, shapeOf } from '../lib/insights/trainer.ts'
import type { DoneBy, TrainResult } from '../lib/runs/results.ts'
import type { Input, Output, Settings, Training } from './train.ts'
import { sharingEntities, warningsBefore } from './warnings.ts'

type Trained = DoneBy<TrainResult, 'local'>
type Baselines = Trained['baselines']

/** What training came to, as the ledger and `--output json` have it. */
export function resultOf(input: Input, settings: Settings, training: Training, output: Output): Trained {
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

/** What would be done. */
export function previewOf(input: Input, settings: Settings, run: { run?: string }, model: string): Outcome {
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

export function outcomeOf(result: Result, repeated: boolean, next?: string): Outcome {
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
