import { SparseGradient } from './adam.ts'
import { addGradients, multiply, transpose } from './dense.ts'
import { Encoder, LEAK } from './encoder.ts'
import { type Layer, levelsOf, type Weights } from './network.ts'

/** Gradients of the loss of one mini batch with respect to all weights. */
export interface Gradients {
  readonly entities: SparseGradient
  readonly prefixes: SparseGradient
  readonly layers: readonly Layer[]
}

/**
 * Forward and backward pass over one mini batch: addresses are encoded once each, and any number of examples (entity row, address,
 * real or not) are judged on them.
 */
export class Batch {
  readonly gradients: Gradients
  private readonly weights: Weights
  private readonly encoder: Encoder
  /** Where gradients flow back. */
  private readonly flow: Float32Array
  private readonly below: Float32Array
  /** The layer that carries gradients back: weights transposed, no bias. */
  private readonly transposed: Layer
  private addresses = 0

  constructor(weights: Weights, maxAddresses: number, maxEntities: number) {
    const { dim, entityRows } = weights.shape
    const { levels, rows } = levelsOf(weights.shape)
    this.weights = weights
    this.encoder = new Encoder(weights, maxAddresses)
    this.flow = new Float32Array(maxAddresses * dim)
    this.below = new Float32Array(maxAddresses * dim)
    this.transposed = { weight: new Float32Array(dim * dim), bias: new Float32Array(dim) }
    this.gradients = {
      entities: new SparseGradient(entityRows, Math.min(entityRows, maxEntities), dim),
      prefixes: new SparseGradient(rows, Math.min(rows, maxAddresses * levels.length), dim),
      layers: weights.layers.map(() => ({ weight: new Float32Array(dim * dim), bias: new Float32Array(dim) })),
    }
  }

  /** Encodes addresses; forgets the gradients of the batch before. */
  encode(ips: Uint32Array, count: number): void {
    this.addresses = count
    this.encoder.encode(ips, count)
    this.flow.fill(0, 0, count * this.weights.shape.dim)
    this.gradients.entities.clear()
    this.gradients.prefixes.clear()
    for (const { weight, bias } of this.gradients.layers) {
      weight.fill(0)
      bias.fill(0)
    }
  }

  /** Judges one example with a weight, notes its gradients and returns its loss (log loss, not yet weighted). */
  judge(entityRow: number, address: number, real: boolean, weight: number): number {
    const { entities, shape } = this.weights
    const { dim } = shape
    const encoded = this.encoder.values[this.weights.layers.length]!
    const { flow } = this
    const e = entityRow * dim
    const a = address * dim
    let score = 0
    for (let i = 0; i < dim; i++) score += entities[e + i]! * encoded[a + i]!
    const toward = real ? score : -score
    const off = 1 / (1 + Math.exp(toward))
    const slope = (real ? -off : off) * weight
    const { values } = this.gradients.entities
    const g = this.gradients.entities.slot(entityRow) * dim
    for (let i = 0; i < dim; i++) {
      values[g + i]! += slope * encoded[a + i]!
      flow[a + i]! += slope * entities[e + i]!
    }
    return toward > -30 ? Math.log1p(Math.exp(-toward)) : -toward
  }

  /** Carries the gradients of all judged examples back through the encoder. */
  backward(): void {
    const { layers, shape } = this.weights
    const [count, dim] = [this.addresses, shape.dim]
    let [flow, below] = [this.flow, this.below]
    for (let l = layers.length - 1; l >= 0; l--) {
      const gradient = this.gradients.layers[l]!
      if (l < layers.length - 1) leakBack(this.encoder.values[l + 1]!, flow, count * dim)
      addGradients(gradient, flow, this.encoder.values[l]!, count)
      transpose(layers[l]!.weight, this.transposed.weight, dim)
      multiply(this.transposed, flow, below, count)
      ;[flow, below] = [below, flow]
    }
    this.prefixesBack(flow)
  }

  private prefixesBack(flow: Float32Array): void {
    const { levels, rows } = this.encoder
    const { dim } = this.weights.shape
    const gradient = this.gradients.prefixes
    for (let a = 0; a < this.addresses; a++)
      for (let k = 0; k < levels.length; k++) {
        const g = gradient.slot(rows[a * levels.length + k]!) * dim
        const from = a * dim
        for (let i = 0; i < dim; i++) gradient.values[g + i]! += flow[from + i]!
      }
  }
}

function leakBack(after: Float32Array, flow: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) if (after[i]! < 0) flow[i]! *= LEAK
}
