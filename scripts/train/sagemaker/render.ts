import type { CommandResult } from '../../lib/cli/command.ts'
import type { Approval } from '../../lib/cli/confirm.ts'
import { aboutUsd, bytes, count, duration, facts, percent, plural, usd } from '../../lib/cli/format.ts'
import { asStrings, hyperparameterNames } from '../../lib/insights/hyperparameters.ts'
import { INSTANCES, modelBytesOf, PRICES, priceNote } from '../../lib/runs/cost.ts'
import type { DoneBy, TrainResult } from '../../lib/runs/results.ts'
import { littleData, NO_HOLDOUT } from '../input.ts'
import type { PairSet } from './pair-set.ts'
import { sharingShare, type TrainingJobSpec } from './spec.ts'

/** What a job may cost. Dollars are undefined for an instance without a known price. */
interface Estimate {
  readonly seconds: number
  readonly usd: number | undefined
  /** If it runs as long as it may. */
  readonly mostUsd: number | undefined
}

/** A job that is planned: nothing of it has been sent. */
export interface PlannedJob {
  readonly pairSet: PairSet
  readonly spec: TrainingJobSpec
  /** Why this instance type. */
  readonly why: string
  readonly alertsPerDay: number
  readonly estimate: Estimate
}

export function estimateOf(
  spec: Pick<TrainingJobSpec, 'instanceType' | 'volumeGB' | 'maxRuntimeSeconds'>,
  seconds: number,
) {
  const price = INSTANCES[spec.instanceType]?.usdPerHour
  const cost = (s: number) =>
    price === undefined ? undefined : ((price + spec.volumeGB * PRICES.diskGBHour) * s) / 3600
  return { seconds, usd: cost(seconds), mostUsd: cost(spec.maxRuntimeSeconds) } satisfies Estimate
}

const MOST_SHARED = 0.25

/** What the user should know before money is spent. */
export function warningsOf({ pairSet, spec }: PlannedJob): string[] {
  const { mini_batch_size: batch, num_entity_vectors: vectors } = spec.hyperparameters
  const { pairs, entities, holdoutPairs } = pairSet
  const shared = sharingShare(entities, vectors)
  return [
    ...littleData(pairs, entities),
    pairs < batch
      ? `${pairs === 1 ? 'the only pair is' : `all ${count(pairs)} pairs are`} less than one mini batch: lower --mini-batch-size`
      : '',
    shared > MOST_SHARED
      ? `about ${percent(shared, 1)} of the entities share their vector with another one: raise --num-entity-vectors to ${count(10 * entities)}`
      : '',
    holdoutPairs === 0 ? NO_HOLDOUT : '',
  ].filter((warning) => warning !== '')
}

function costText({ spec, estimate }: PlannedJob): string {
  if (estimate.usd === undefined || estimate.mostUsd === undefined)
    return `unknown: ${spec.instanceType} is not in the list of prices (${PRICES.date})`
  const spot = spec.maxWaitSeconds === undefined ? '' : ', less on spot instances'
  return `${aboutUsd(estimate.usd)} for ${duration(1000 * estimate.seconds)} (a guess from the pairs and epochs), at most ${usd(estimate.mostUsd)} by --max-runtime${spot} (${priceNote})`
}

function encryptionText({ kmsKey, bucketKey }: TrainingJobSpec): string {
  if (kmsKey !== undefined) return `the model and the disk with ${kmsKey}`
  return bucketKey === undefined
    ? "the model with the account's own key for S3, aws/s3: SageMaker's default"
    : `the model with ${bucketKey}, the key of the bucket`
}

function planFacts(job: PlannedJob): [string, string][] {
  const { pairSet, spec, why } = job
  const { num_entity_vectors: vectors, vector_dim: dim } = spec.hyperparameters
  const shown = asStrings(spec.hyperparameters)
  return [
    ['model', `${spec.output}/…/model.tar.gz, about ${bytes(modelBytesOf(vectors, dim))}`],
    ['pairs', `${count(pairSet.pairs)} of ${plural(pairSet.entities, 'entity', 'entities')}, ${bytes(pairSet.bytes)}`],
    ['holdout', pairSet.holdoutPairs === 0 ? 'none' : plural(pairSet.holdoutPairs, 'pair')],
    [
      'vectors',
      `${count(vectors)} for ${plural(pairSet.entities, 'entity', 'entities')}: about ${percent(sharingShare(pairSet.entities, vectors), 1)} share theirs`,
    ],
    ['image', spec.image],
    [
      'instance',
      `${spec.instanceType}${spec.maxWaitSeconds === undefined ? '' : ' (spot)'} (${why}), ${spec.volumeGB} GB of disk, stopped after ${duration(1000 * spec.maxRuntimeSeconds)}`,
    ],
    ['encryption', encryptionText(spec)],
    ['cost', costText(job)],
    ...hyperparameterNames.map((name): [string, string] => [name, shown[name]]),
    ...warningsOf(job).map((warning): [string, string] => ['warning', warning]),
  ]
}

export const trainingJobApproval = (job: PlannedJob): Approval => ({
  action: `train on ${job.spec.instanceType} in SageMaker`,
  plan: facts(planFacts(job)).split('\n'),
  kind: 'spend',
  ...(job.estimate.usd !== undefined && { usd: job.estimate.usd }),
})

/** What `--dry-run` shows. */
export function renderTrainingJobPlan(job: PlannedJob): CommandResult {
  const { pairSet, spec, estimate } = job
  return {
    json: {
      run: pairSet.id,
      dryRun: true,
      model: spec.output,
      region: spec.region,
      image: spec.image,
      pairs: pairSet.pairs,
      holdoutPairs: pairSet.holdoutPairs,
      entities: pairSet.entities,
      sharingShare: sharingShare(pairSet.entities, spec.hyperparameters.num_entity_vectors),
      instanceType: spec.instanceType,
      volumeGB: spec.volumeGB,
      maxRuntimeSeconds: spec.maxRuntimeSeconds,
      spot: spec.maxWaitSeconds !== undefined,
      estimatedSeconds: estimate.seconds,
      estimatedUsd: estimate.usd ?? null,
      mostUsd: estimate.mostUsd ?? null,
      hyperparameters: spec.hyperparameters,
      warnings: warningsOf(job),
    },
    text: facts(planFacts(job)),
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

/** The result of the job, for the ledger and `--output json`, with the members of a training on this machine. */
export function resultOfJob({ pairSet, spec, alertsPerDay }: PlannedJob, done: Done): JobResult {
  const { epochs, vector_dim, num_entity_vectors } = spec.hyperparameters
  const price = INSTANCES[spec.instanceType]?.usdPerHour
  return {
    backend: 'sagemaker',
    ...done,
    /** An endpoint is needed to calibrate: deploy does it. */
    calibration: null,
    image: spec.image,
    region: spec.region,
    instanceType: spec.instanceType,
    pairs: pairSet.pairs,
    holdoutPairs: pairSet.holdoutPairs,
    entities: pairSet.entities,
    sharingEntities: Math.round(pairSet.entities * sharingShare(pairSet.entities, num_entity_vectors)),
    epochs,
    vectorDim: vector_dim,
    numEntityVectors: num_entity_vectors,
    usd: price === undefined ? null : (price * done.billedSeconds) / 3600,
    baselines: {},
    threshold: null,
    alertsPerDay,
  }
}

export function renderTrainingJob(id: string, result: JobResult, repeated: boolean, next?: string): CommandResult {
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
