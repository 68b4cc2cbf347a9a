import type { Outcome } from '../../lib/cli/command.ts'
import type { Approval } from '../../lib/cli/confirm.ts'
import { aboutUsd, bytes, count, duration, facts, percent, plural, usd } from '../../lib/cli/format.ts'
import { asStrings, hyperparameterNames } from '../../lib/insights/hyperparameters.ts'
import { PRICES, priceNote } from '../../lib/runs/cost.ts'
import { INSTANCES, modelBytesOf } from '../../lib/runs/instances.ts'
import type { DoneBy, TrainResult } from '../../lib/runs/results.ts'
import { sharingShare } from './size.ts'
import type { Order } from './spec.ts'
import type { Planned } from './train.ts'

/** What a job may cost. Dollars are undefined for an instance without a known price. */
export interface Estimate {
  readonly seconds: number
  readonly usd: number | undefined
  /** If it runs as long as it may. */
  readonly mostUsd: number | undefined
}

export function estimateOf(order: Pick<Order, 'instanceType' | 'volumeGB' | 'maxRuntimeSeconds'>, seconds: number) {
  const price = INSTANCES[order.instanceType]?.usdPerHour
  const cost = (s: number) =>
    price === undefined ? undefined : ((price + order.volumeGB * PRICES.diskGBHour) * s) / 3600
  return { seconds, usd: cost(seconds), mostUsd: cost(order.maxRuntimeSeconds) } satisfies Estimate
}

const FEWEST = { pairs: 1000, entities: 10 } as const
const MOST_SHARED = 0.25

/** What should be known before money is spent. */
export function warningsOf({ staged, order }: Planned): string[] {
  const { mini_batch_size: batch, num_entity_vectors: vectors } = order.hyperparameters
  const { pairs, entities, holdoutPairs } = staged
  const shared = sharingShare(entities, vectors)
  return [
    pairs < FEWEST.pairs || entities < FEWEST.entities
      ? `${plural(pairs, 'pair')} of ${plural(entities, 'entity', 'entities')} ${pairs === 1 ? 'is' : 'are'} little to learn from: take a longer window, or less trust`
      : '',
    pairs < batch
      ? `${pairs === 1 ? 'the only pair is' : `all ${count(pairs)} pairs are`} less than one mini batch: lower --mini-batch-size`
      : '',
    shared > MOST_SHARED
      ? `about ${percent(shared, 1)} of the entities share their vector with another one: raise --num-entity-vectors to ${count(10 * entities)}`
      : '',
    holdoutPairs === 0 ? 'no holdout: the model cannot be calibrated or measured, so there will be no threshold' : '',
  ].filter((warning) => warning !== '')
}

function costText({ order, estimate }: Planned): string {
  if (estimate.usd === undefined || estimate.mostUsd === undefined)
    return `unknown: ${order.instanceType} is not in the list of prices (${PRICES.date})`
  const spot = order.maxWaitSeconds === undefined ? '' : ', less on spot instances'
  return `${aboutUsd(estimate.usd)} for ${duration(1000 * estimate.seconds)} (a guess from the pairs and epochs), at most ${usd(estimate.mostUsd)} by --max-runtime${spot} (${priceNote})`
}

function planFacts(planned: Planned): [string, string][] {
  const { staged, order } = planned
  const { num_entity_vectors: vectors, vector_dim: dim } = order.hyperparameters
  const shown = asStrings(order.hyperparameters)
  return [
    ['model', `${order.output}/…/model.tar.gz, about ${bytes(modelBytesOf(vectors, dim))}`],
    ['pairs', `${count(staged.pairs)} of ${plural(staged.entities, 'entity', 'entities')}, ${bytes(staged.bytes)}`],
    ['holdout', staged.holdoutPairs === 0 ? 'none' : plural(staged.holdoutPairs, 'pair')],
    [
      'vectors',
      `${count(vectors)} for ${plural(staged.entities, 'entity', 'entities')}: about ${percent(sharingShare(staged.entities, vectors), 1)} share theirs`,
    ],
    ['image', order.image],
    [
      'instance',
      `${order.instanceType}${order.maxWaitSeconds === undefined ? '' : ' (spot)'}, ${order.volumeGB} GB, stopped after ${duration(1000 * order.maxRuntimeSeconds)}`,
    ],
    ['cost', costText(planned)],
    ...hyperparameterNames.map((name): [string, string] => [name, shown[name]]),
    ...warningsOf(planned).map((warning): [string, string] => ['warning', warning]),
  ]
}

export const approvalOf = (planned: Planned): Approval => ({
  action: `train on ${planned.order.instanceType} in SageMaker`,
  plan: facts(planFacts(planned)).split('\n'),
  kind: 'spend',
  ...(planned.estimate.usd !== undefined && { usd: planned.estimate.usd }),
})

/** What would be done. */
export function previewOfJob(planned: Planned): Outcome {
  const { staged, order, estimate } = planned
  return {
    json: {
      run: staged.id,
      dryRun: true,
      model: order.output,
      region: order.region,
      image: order.image,
      pairs: staged.pairs,
      holdoutPairs: staged.holdoutPairs,
      entities: staged.entities,
      sharingShare: sharingShare(staged.entities, order.hyperparameters.num_entity_vectors),
      instanceType: order.instanceType,
      volumeGB: order.volumeGB,
      maxRuntimeSeconds: order.maxRuntimeSeconds,
      spot: order.maxWaitSeconds !== undefined,
      estimatedSeconds: estimate.seconds,
      estimatedUsd: estimate.usd ?? null,
      mostUsd: estimate.mostUsd ?? null,
      hyperparameters: order.hyperparameters,
      warnings: warningsOf(planned),
    },
    text: facts(planFacts(planned)),
  }
}

type JobResult = DoneBy<TrainResult, 'sagemaker'>

interface Done {
  readonly job: string
  readonly model: string
  readonly modelBytes: number
  readonly digest: string
  readonly auc: number | null
  readonly trainSeconds: number
  readonly billedSeconds: number
}

/** What the job came to, as the ledger and `--output json` have it; under the names of a training on this machine. */
export function resultOfJob({ staged, order, wish }: Planned, done: Done): JobResult {
  const { epochs, vector_dim, num_entity_vectors } = order.hyperparameters
  const price = INSTANCES[order.instanceType]?.usdPerHour
  return {
    backend: 'sagemaker',
    ...done,
    /** An endpoint is needed to calibrate: deploy does it. */
    calibration: null,
    image: order.image,
    region: order.region,
    instanceType: order.instanceType,
    pairs: staged.pairs,
    holdoutPairs: staged.holdoutPairs,
    entities: staged.entities,
    sharingEntities: Math.round(staged.entities * sharingShare(staged.entities, num_entity_vectors)),
    epochs,
    vectorDim: vector_dim,
    numEntityVectors: num_entity_vectors,
    usd: price === undefined ? null : (price * done.billedSeconds) / 3600,
    baselines: {},
    threshold: null,
    alertsPerDay: wish.alertsPerDay,
  }
}

export function outcomeOfJob(id: string, result: JobResult, repeated: boolean, next?: string): Outcome {
  return {
    json: { run: id, ...result, repeated },
    text: facts([
      ['run', id],
      ['model', `${result.model} (${bytes(result.modelBytes)})${repeated ? ', was trained before' : ''}`],
      [
        'trained',
        `${plural(result.pairs, 'pair')} of ${plural(result.entities, 'entity', 'entities')}, ${plural(result.epochs, 'epoch')}, job ${result.job}`,
      ],
      [
        'paid',
        `${count(result.billedSeconds)} s of ${result.instanceType}${result.usd === null ? '' : `, ${aboutUsd(result.usd)}`}`,
      ],
      result.auc === null
        ? undefined
        : ['AUC', `${result.auc.toFixed(4)} against uniform random addresses, by SageMaker`],
      ['threshold', 'none yet: deploy makes it, with the holdout'],
    ]),
    ...(next !== undefined && { next }),
  }
}
