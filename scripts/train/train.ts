import type { Context } from '../lib/cli/context.ts'
import { UserError } from '../lib/cli/errors.ts'
import { eventsByEntity, groupByEntity, MIN_EVENTS } from '../lib/insights/accesses.ts'
import { type Calibration, calibrationText } from '../lib/insights/calibration.ts'
import { aucOn, calibrate, examplesOf, holdoutOf, scoreBy } from '../lib/insights/evaluation.ts'
import type { Hyperparameters } from '../lib/insights/hyperparameters.ts'
import { digestOf, packModel, type Trained } from '../lib/insights/model-file.ts'
import type { Weights } from '../lib/insights/network.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { trainWeights } from '../lib/insights/trainer.ts'
import type { Store } from '../lib/stores/store.ts'

/** What is trained on, and held out. */
export interface Input {
  readonly train: Pairs
  /** Absent without a holdout. */
  readonly holdout?: Pairs
  /** Days that the holdout covers. */
  readonly holdoutDays: number
}

export interface Settings {
  readonly hyperparameters: Hyperparameters
  readonly seed: number
  readonly alertsPerDay: number
}

/** Where the two files go. */
export interface Output {
  readonly store: Store
  readonly model: string
  readonly calibration: string
}

export interface Training {
  readonly trainSeconds: number
  /** Of the model's file. */
  readonly digest: string
  readonly bytes: number
  /** Absent without a holdout that can be scored. */
  readonly calibration?: Calibration
}

/** Holdout pairs whose scores are looked at after every epoch. */
const EPOCH_SAMPLE = 20_000

type World = Pick<Context, 'progress' | 'signal' | 'talk' | 'now'>

/** Trains, calibrates, and writes both files whole. */
export async function train(world: World, input: Input, settings: Settings, output: Output): Promise<Training> {
  const started = world.now().getTime()
  const weights = await weightsOf(world, input, settings)
  const trainSeconds = (world.now().getTime() - started) / 1000
  const bytes = await packModel(trainedOf(input.train, weights, settings))
  const digest = digestOf(bytes)
  const calibration = await calibrationOf(world, input, settings, weights, digest)
  world.signal.throwIfAborted()
  const { store } = output
  // Never a model beside the calibration of another one.
  await store.remove(output.calibration)
  await store.write(output.model, bytes)
  if (calibration !== undefined) await store.write(output.calibration, calibrationText(calibration))
  return { trainSeconds, digest, bytes: bytes.length, ...(calibration !== undefined && { calibration }) }
}

async function weightsOf(world: World, { train, holdout }: Input, settings: Settings): Promise<Weights> {
  const { hyperparameters, seed } = settings
  const total = hyperparameters.epochs * train.ip.length
  const progress = world.progress('training', total, 'pairs')
  const auc = aucAfterEpoch(train, holdout, seed)
  const weights = await trainWeights(train, {
    hyperparameters,
    seed,
    signal: world.signal,
    onProgress: (pairs) => progress.set(pairs),
    onEpoch: (epoch, loss, now) => {
      if (!Number.isFinite(loss)) throw diverged(epoch)
      progress.set(epoch * train.ip.length)
      const onHoldout = auc === undefined ? '' : `, AUC on the holdout ${auc(now).toFixed(4)}`
      progress.state(`epoch ${epoch} of ${hyperparameters.epochs}: loss ${loss.toFixed(4)}${onHoldout}`)
    },
    onMetrics: (batch, loss) => world.talk.detail(`mini batch ${batch}: loss ${loss.toFixed(4)}`),
  })
  progress.end()
  return weights
}

/** A model of no numbers flags nothing, which would look like all is well. */
const diverged = (epoch: number): UserError =>
  new UserError(`training does not converge: in epoch ${epoch} its loss grew beyond all numbers`, {
    hint: 'a smaller --learning-rate, or fewer --num-ip-encoder-layers',
  })

/** Undefined when the holdout has nothing to score. */
function aucAfterEpoch(
  train: Pairs,
  pairs: Pairs | undefined,
  seed: number,
): ((weights: Weights) => number) | undefined {
  if (pairs === undefined) return undefined
  const holdout = holdoutOf(pairs, eventsByEntity(train, groupByEntity(train)), MIN_EVENTS)
  const examples = examplesOf(holdout, seed, EPOCH_SAMPLE)
  return examples.normal.length === 0 ? undefined : (weights) => aucOn(weights, examples)
}

function trainedOf(pairs: Pairs, weights: Weights, { hyperparameters, seed }: Settings): Trained {
  const { prefixLengths, prefixRows } = weights.shape
  return {
    description: {
      format: 'prestage-ip-insights',
      version: 1,
      hyperparameters,
      seed,
      prefixes: { lengths: prefixLengths, rows: prefixRows },
      trainedOn: { pairs: pairs.ip.length, entities: pairs.entities.length },
      entityCodec: 'percent',
    },
    weights,
    entities: eventsByEntity(pairs, groupByEntity(pairs)),
  }
}

async function calibrationOf(
  world: World,
  { train, holdout, holdoutDays }: Input,
  { alertsPerDay, seed }: Settings,
  weights: Weights,
  model: string,
): Promise<Calibration | undefined> {
  if (holdout === undefined) return undefined
  const progress = world.progress('calibrating', holdout.ip.length, 'pairs')
  const settings = { alertsPerDay, days: holdoutDays, minEvents: MIN_EVENTS, seed, model }
  const calibration = await calibrate(scoreBy(weights), train, holdout, settings, world.signal)
  progress.set(holdout.ip.length)
  progress.end()
  return calibration
}
