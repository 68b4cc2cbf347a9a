import type { Hyperparameters } from './hyperparameters.ts'
import { Kernel } from './kernel/kernel.ts'
import { type BatchSize, kernelBytesOf } from './kernel/layout.ts'
import { entityRow, initialWeights, type Shape, type Weights, weightBytesOf } from './network.ts'
import type { Pairs } from './pairs.ts'
import { Random } from './random.ts'

/** Lengths of the prefixes that the address encoder sums. Single addresses are left out: few are ever seen twice. */
const PREFIX_LENGTHS = [8, 12, 16, 20, 24]

/**
 * Rows of a prefix length: a power of two that leaves the /24 networks of small sets room, and never more than 2¹⁶, because
 * larger tables cost more memory accesses than they are worth.
 */
export function prefixRowsFor(ips: Uint32Array): number {
  const networks = new Set<number>()
  for (const ip of ips) if (networks.add(ip >>> 8).size >= MOST_ROWS / 2) return MOST_ROWS
  return Math.max(FEWEST_ROWS, 2 ** Math.ceil(Math.log2(2 * networks.size)))
}

const FEWEST_ROWS = 1 << 10
const MOST_ROWS = 1 << 16

export interface TrainerSettings {
  readonly hyperparameters: Hyperparameters
  readonly seed: number
  readonly signal?: AbortSignal
  /** Called often, with the pairs gone through so far in all epochs. */
  readonly onProgress?: (pairs: number) => void
  /** Called after every epoch (from 1) with the mean log loss of its examples and what copies the weights as they are. */
  readonly onEpoch?: (epoch: number, loss: number, weights: () => Weights) => void
  /** Called every batch_metrics_publish_interval mini batches. */
  readonly onMetrics?: (batch: number, loss: number) => void
}

/** Pairs that one random address serves. */
const SHARED = 4

/** Time between two checks of the signal: long enough to cost nothing, short enough to stop at once. */
const PAUSE_MS = 40

/**
 * IP Insights, trained on one core: logistic loss on the dot product of a hashed entity vector and an encoded address, with random
 * addresses and shuffled entities as negatives. Equal pairs, hyperparameters and seed give equal weights.
 */
export async function trainWeights(pairs: Pairs, settings: TrainerSettings): Promise<Weights> {
  const { hyperparameters, seed, signal } = settings
  const shape = shapeOf(hyperparameters, prefixRowsFor(pairs.ip))
  const stepper = new Stepper(pairs, initialWeights(shape, seed), hyperparameters, seed)
  const order = Uint32Array.from({ length: pairs.ip.length }, (_, i) => i)
  const size = Math.min(hyperparameters.mini_batch_size, order.length)
  let paused = Date.now()
  let batches = 0
  for (let epoch = 1; epoch <= hyperparameters.epochs; epoch++) {
    new Random(seed, 2, epoch).shuffle(order)
    let loss = 0
    for (let start = 0; start < order.length; start += size) {
      const batch = order.subarray(start, start + size)
      const batchLoss = stepper.step(batch)
      loss += batchLoss * batch.length
      batches += 1
      if (batches % hyperparameters.batch_metrics_publish_interval === 0) settings.onMetrics?.(batches, batchLoss)
      if (Date.now() - paused < PAUSE_MS) continue
      settings.onProgress?.((epoch - 1) * order.length + start)
      await new Promise(setImmediate)
      signal?.throwIfAborted()
      paused = Date.now()
    }
    settings.onEpoch?.(epoch, loss / order.length, () => stepper.weights())
  }
  return stepper.weights()
}

export const shapeOf = (set: Hyperparameters, prefixRows: number): Shape => ({
  dim: set.vector_dim,
  entityRows: set.num_entity_vectors,
  layers: set.num_ip_encoder_layers,
  prefixLengths: PREFIX_LENGTHS,
  prefixRows,
})

/** Takes optimization steps, one mini batch each. */
class Stepper {
  private readonly pairs: Pairs
  private readonly set: Hyperparameters
  private readonly random: Random
  private readonly rowOf: Uint32Array
  private readonly kernel: Kernel
  private readonly totalSteps: number
  private steps = 0
  /** A copy of the weights as they are since the last step. */
  private copied: Weights | undefined

  constructor(pairs: Pairs, start: Weights, set: Hyperparameters, seed: number) {
    const size = batchSizeOf(pairs, set)
    this.pairs = pairs
    this.set = set
    this.random = new Random(seed, 3)
    this.rowOf = Uint32Array.from(pairs.entities, (entity) => entityRow(entity, set.num_entity_vectors))
    this.kernel = new Kernel(start, size, set.weight_decay)
    this.totalSteps = set.epochs * Math.ceil(pairs.ip.length / size.examples)
  }

  /** Returns the mean log loss of the batch's examples, before the step. */
  step(batch: Uint32Array): number {
    this.copied = undefined
    const { set, kernel } = this
    const { ips, entityRows, addresses } = kernel
    const size = batch.length
    const [randoms, shuffles] = [set.random_negative_sampling_rate, set.shuffled_negative_sampling_rate]
    const weight = 1 / (size * (1 + randoms + shuffles))
    for (let i = 0; i < size; i++) {
      ips[i] = this.pairs.ip[batch[i]!]!
      entityRows[i] = this.rowOf[this.pairs.entityIndex[batch[i]!]!]!
      addresses[i] = i
    }
    const pool = randomsFor(size, set)
    for (let i = 0; i < pool; i++) ips[size + i] = this.random.uint32()
    kernel.encode(size + pool)
    let loss = kernel.judge(size, true, weight)
    for (let s = 0; s < shuffles; s++) {
      this.random.shuffle(entityRows.subarray(0, size))
      loss += kernel.judge(size, false, weight)
    }
    for (let r = 0; r < randoms; r++) {
      for (let i = 0; i < size; i++) addresses[i] = size + randomOf(i, r, randoms, pool)
      loss += kernel.judge(size, false, weight)
    }
    kernel.backward(size + pool)
    this.steps += 1
    // Decreases linearly: large steps first, small ones to settle.
    kernel.update(set.learning_rate * (1 - (this.steps - 1) / this.totalSteps), this.steps)
    return loss * weight
  }

  weights(): Weights {
    this.copied ??= this.kernel.weights()
    return this.copied
  }
}

/** How many random addresses a mini batch has: each serves several pairs, because encoding it costs more than scoring with it. */
const randomsFor = (size: number, set: Hyperparameters): number =>
  Math.ceil((size * set.random_negative_sampling_rate) / SHARED)

/**
 * Which of the mini batch's random addresses is the negative of a pair in a round. Every round starts elsewhere, evenly spaced: no
 * pair gets an address twice, and all addresses are used equally often.
 */
export const randomOf = (pair: number, round: number, rounds: number, pool: number): number =>
  (pair + round * Math.max(1, Math.floor(pool / rounds))) % pool

/** How much one mini batch holds. */
const batchSizeOf = ({ ip }: Pairs, set: Hyperparameters): BatchSize => {
  const examples = Math.min(set.mini_batch_size, ip.length)
  return { examples, addresses: examples + randomsFor(examples, set) }
}

/** Bytes of memory that the kernel takes for a training. */
export const kernelBytesFor = (pairs: Pairs, set: Hyperparameters): number =>
  kernelBytesOf(shapeOf(set, prefixRowsFor(pairs.ip)), batchSizeOf(pairs, set))

/** Bytes of memory that training takes, roughly: the kernel, and the weights as they begin or end. */
export const trainingBytesOf = (pairs: Pairs, set: Hyperparameters): number =>
  kernelBytesFor(pairs, set) + weightBytesOf(shapeOf(set, prefixRowsFor(pairs.ip)))
