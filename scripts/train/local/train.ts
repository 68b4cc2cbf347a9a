import { totalmem } from 'node:os'
import type { Context } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { bytes } from '../../lib/cli/format.ts'
import { eventsByEntity, MIN_EVENTS } from '../../lib/insights/accesses.ts'
import { type Calibration, calibrationText } from '../../lib/insights/calibration.ts'
import { scoreBy } from '../../lib/insights/encoder.ts'
import { aucOn, calibrate, examplesOf, holdoutOf } from '../../lib/insights/evaluation.ts'
import type { Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import { MOST_KERNEL_BYTES } from '../../lib/insights/kernel/layout.ts'
import { digestOf, packModel, type Trained } from '../../lib/insights/model.ts'
import type { Weights } from '../../lib/insights/network.ts'
import type { Pairs } from '../../lib/insights/pairs.ts'
import { kernelBytesFor, trainingBytesOf, trainWeights } from '../../lib/insights/trainer.ts'
import type { Store } from '../../lib/stores/store.ts'
import type { Input } from '../input.ts'

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

/** Holdout pairs that are scored after every epoch. */
const EPOCH_SAMPLE = 20_000

type Host = Pick<Context, 'progress' | 'signal' | 'talk' | 'now'>

/** Trains, calibrates, and writes both files whole. */
export async function train(host: Host, input: Input, settings: Settings, output: Output): Promise<Training> {
  const started = host.now().getTime()
  const weights = await weightsOf(host, input, settings)
  const trainSeconds = (host.now().getTime() - started) / 1000
  // Compressing takes another thread.
  const [packed, measured] = await Promise.all([
    packModel(trainedOf(input.train, weights, settings)),
    calibrationOf(host, input, settings, weights),
  ])
  const digest = digestOf(packed)
  const calibration = measured && { ...measured, model: digest }
  host.signal.throwIfAborted()
  const { store } = output
  // Never a model beside the calibration of another one.
  await store.remove(output.calibration)
  await store.write(output.model, packed)
  if (calibration !== undefined) await store.write(output.calibration, calibrationText(calibration))
  return { trainSeconds, digest, bytes: packed.length, ...(calibration !== undefined && { calibration }) }
}

async function weightsOf(host: Host, { train, holdout }: Input, settings: Settings): Promise<Weights> {
  const { hyperparameters, seed } = settings
  const total = hyperparameters.epochs * train.ip.length
  const progress = host.progress('training', total, 'pairs')
  const auc = aucAfterEpoch(train, holdout, seed)
  const weights = await trainWeights(train, {
    hyperparameters,
    seed,
    signal: host.signal,
    onProgress: (pairs) => progress.set(pairs),
    onEpoch: (epoch, loss, now) => {
      if (!(loss < MOST_LOSS)) throw diverged(epoch)
      progress.set(epoch * train.ip.length)
      const onHoldout = auc === undefined ? '' : `, AUC on the holdout ${auc(now()).toFixed(4)}`
      progress.state(`epoch ${epoch} of ${hyperparameters.epochs}: loss ${loss.toFixed(4)}${onHoldout}`)
    },
    onMetrics: (batch, loss) => host.talk.detail(`mini batch ${batch}: loss ${loss.toFixed(4)}`),
  })
  progress.end()
  return weights
}

/** Guessing costs 0.7: beyond this the weights grow without bound. */
const MOST_LOSS = 1000

/** A model of NaN flags nothing, which would look as if all were well. */
const diverged = (epoch: number): UserError =>
  new UserError(`training does not converge: in epoch ${epoch} the loss grows without bound`, {
    hint: 'lower --learning-rate or --num-ip-encoder-layers',
  })

/** Undefined when the holdout has nothing to score. */
function aucAfterEpoch(
  train: Pairs,
  pairs: Pairs | undefined,
  seed: number,
): ((weights: Weights) => number) | undefined {
  if (pairs === undefined) return undefined
  const holdout = holdoutOf(pairs, eventsByEntity(train), MIN_EVENTS)
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
    entities: eventsByEntity(pairs),
  }
}

async function calibrationOf(
  host: Host,
  { train, holdout, holdoutDays }: Input,
  { alertsPerDay, seed }: Settings,
  weights: Weights,
): Promise<Omit<Calibration, 'model'> | undefined> {
  if (holdout === undefined) return undefined
  const progress = host.progress('calibrating', holdout.ip.length, 'pairs')
  const settings = { alertsPerDay, days: holdoutDays, minEvents: MIN_EVENTS, seed, model: '' }
  const calibration = await calibrate(scoreBy(weights), { train, holdout }, settings, host.signal)
  progress.set(holdout.ip.length)
  progress.end()
  return calibration
}

/**
 * Checks that this machine can hold the training and its model. @param memory of the machine, bytes
 * @throws UserError when it cannot
 */
export function checkSize(pairs: Pairs, set: Hyperparameters, memory: number = totalmem()): void {
  const kernel = kernelBytesFor(pairs, set)
  if (kernel > MOST_KERNEL_BYTES)
    throw new UserError(
      `this model is too large for the trainer on this machine: training would take ${bytes(kernel)}, and it can use ${bytes(MOST_KERNEL_BYTES)}`,
      { hint: 'lower --num-entity-vectors or --vector-dim; in SageMaker a model may have 8 GB' },
    )
  const needed = trainingBytesOf(pairs, set)
  if (needed <= memory) return
  throw new UserError(`training would take about ${bytes(needed)} of memory; this machine has ${bytes(memory)}`, {
    hint: 'lower --mini-batch-size, --random-negative-sampling-rate, --num-ip-encoder-layers or --vector-dim',
  })
}
