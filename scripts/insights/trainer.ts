import { Adam, type AdamSettings } from './adam.ts'
import { Batch } from './batch.ts'
import type { Hyperparameters } from './hyperparameters.ts'
import { entityRow, initialWeights, type Shape, type Weights } from './network.ts'
import type { Pairs } from './pairs.ts'
import { Random } from './random.ts'

/** Lengths of the prefixes that the address encoder sums: from continents' shares to single hosts. */
export const PREFIXES = { lengths: [8, 12, 16, 20, 24, 32], rows: 1 << 17 } as const

export interface TrainerSettings {
  readonly hyperparameters: Hyperparameters
  readonly seed: number
  readonly signal?: AbortSignal
  /** Called often, with the pairs gone through so far in all epochs. */
  readonly onProgress?: (pairs: number) => void
  /** Called after every epoch (from 1) with the mean log loss of its examples and the weights as they are. */
  readonly onEpoch?: (epoch: number, loss: number, weights: Weights) => void
  /** Called every batch_metrics_publish_interval mini batches. */
  readonly onMetrics?: (batch: number, loss: number) => void
}

/** Between two looks at the signal: long enough to cost nothing, short enough to stop at once. */
const PAUSE_MS = 40

/**
 * IP Insights, trained on one core: logistic loss on the dot product of a hashed entity vector and an encoded address, with random
 * addresses and shuffled entities as negatives. Equal pairs, hyperparameters and seed give equal weights.
 */
export async function trainWeights(pairs: Pairs, settings: TrainerSettings): Promise<Weights> {
  const { hyperparameters, seed, signal } = settings
  const weights = initialWeights(shapeOf(hyperparameters), seed)
  const stepper = new Stepper(pairs, weights, hyperparameters, seed)
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
    settings.onEpoch?.(epoch, loss / order.length, weights)
  }
  return weights
}

export const shapeOf = (hyperparameters: Hyperparameters): Shape => ({
  dim: hyperparameters.vector_dim,
  entityRows: hyperparameters.num_entity_vectors,
  layers: hyperparameters.num_ip_encoder_layers,
  prefixLengths: PREFIXES.lengths,
  prefixRows: PREFIXES.rows,
})

/** Takes optimization steps, one mini batch each. */
class Stepper {
  private readonly pairs: Pairs
  private readonly set: Hyperparameters
  private readonly random: Random
  private readonly rowOf: Uint32Array
  private readonly batch: Batch
  private readonly update: (step: number) => void
  private readonly ips: Uint32Array
  private readonly rows: Uint32Array
  private steps = 0

  constructor(pairs: Pairs, weights: Weights, set: Hyperparameters, seed: number) {
    const size = Math.min(set.mini_batch_size, pairs.ip.length)
    const addresses = size * (1 + set.random_negative_sampling_rate)
    this.pairs = pairs
    this.set = set
    this.random = new Random(seed, 3)
    this.rowOf = Uint32Array.from(pairs.entities, (entity) => entityRow(entity, set.num_entity_vectors))
    this.batch = new Batch(weights, addresses, size)
    this.update = updaterOf(weights, this.batch, { learningRate: set.learning_rate, weightDecay: set.weight_decay })
    this.ips = new Uint32Array(addresses)
    this.rows = new Uint32Array(size)
  }

  /** Returns the mean log loss of the batch's examples, before the step. */
  step(batch: Uint32Array): number {
    const { set, ips, rows } = this
    const size = batch.length
    const [randoms, shuffles] = [set.random_negative_sampling_rate, set.shuffled_negative_sampling_rate]
    const weight = 1 / (size * (1 + randoms + shuffles))
    for (let i = 0; i < size; i++) {
      ips[i] = this.pairs.ip[batch[i]!]!
      rows[i] = this.rowOf[this.pairs.entityIndex[batch[i]!]!]!
    }
    for (let i = size; i < size * (1 + randoms); i++) ips[i] = this.random.uint32()
    this.batch.encode(ips, size * (1 + randoms))
    let loss = 0
    for (let i = 0; i < size; i++) loss += this.batch.judge(rows[i]!, i, true, weight)
    for (let i = 0; i < size * randoms; i++) loss += this.batch.judge(rows[i % size]!, size + i, false, weight)
    for (let s = 0; s < shuffles; s++) {
      this.random.shuffle(rows.subarray(0, size))
      for (let i = 0; i < size; i++) loss += this.batch.judge(rows[i]!, i, false, weight)
    }
    this.batch.backward()
    this.steps += 1
    this.update(this.steps)
    return loss * weight
  }
}

/** Applies a batch's gradients to all weights. */
function updaterOf(weights: Weights, { gradients }: Batch, settings: AdamSettings): (step: number) => void {
  const { dim } = weights.shape
  const entities = new Adam(weights.entities, settings)
  const prefixes = new Adam(weights.prefixes, settings)
  const layers = weights.layers.map(
    ({ weight, bias }) => [new Adam(weight, settings), new Adam(bias, settings)] as const,
  )
  return (step) => {
    entities.sparse(gradients.entities, dim, step)
    prefixes.sparse(gradients.prefixes, dim, step)
    for (const [l, [weight, bias]] of layers.entries()) {
      weight.dense(gradients.layers[l]!.weight, step)
      bias.dense(gradients.layers[l]!.bias, step)
    }
  }
}
