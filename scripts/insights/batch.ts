import { applyLayer, LEAK, prefixOffsets, prefixRow, type Weights } from './network.ts'
import { SparseGradient } from './sparse-gradient.ts'

/** Gradients of the loss of one mini batch with respect to all weights. */
export interface Gradients {
  readonly entities: SparseGradient
  readonly prefixes: SparseGradient
  readonly layers: readonly { readonly weight: Float32Array; readonly bias: Float32Array }[]
}

/**
 * Forward and backward pass over one mini batch: addresses are encoded once each, and any number of examples (entity row, address,
 * real or not) are judged on them.
 */
export class Batch {
  readonly gradients: Gradients
  private readonly weights: Weights
  private readonly offsets: readonly number[]
  /** Rows of every address's prefixes. */
  private readonly rows: Uint32Array
  /** Input of every layer, and after the last one the output; then where gradients flow back. */
  private readonly values: readonly Float32Array[]
  private readonly flow: Float32Array
  private readonly below: Float32Array
  private addresses = 0

  constructor(weights: Weights, maxAddresses: number, maxEntities: number) {
    const { dim, entityRows, prefixLengths } = weights.shape
    const { offsets, rows } = prefixOffsets(weights.shape)
    this.weights = weights
    this.offsets = offsets
    this.rows = new Uint32Array(maxAddresses * prefixLengths.length)
    this.values = [weights, ...weights.layers].map(() => new Float32Array(maxAddresses * dim))
    this.flow = new Float32Array(maxAddresses * dim)
    this.below = new Float32Array(maxAddresses * dim)
    this.gradients = {
      entities: new SparseGradient(entityRows, Math.min(entityRows, maxEntities), dim),
      prefixes: new SparseGradient(rows, Math.min(rows, maxAddresses * prefixLengths.length), dim),
      layers: weights.layers.map(() => ({ weight: new Float32Array(dim * dim), bias: new Float32Array(dim) })),
    }
  }

  /** Encodes addresses; forgets the gradients of the batch before. */
  encode(ips: Uint32Array, count: number): void {
    this.addresses = count
    this.sumPrefixes(ips, count)
    const { layers, shape } = this.weights
    for (const [l, layer] of layers.entries()) {
      const y = this.values[l + 1]!
      applyLayer(layer, this.values[l]!, y, count, shape.dim)
      if (l < layers.length - 1) for (let i = 0; i < count * shape.dim; i++) if (y[i]! < 0) y[i]! *= LEAK
    }
    this.flow.fill(0, 0, count * shape.dim)
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
    const encoded = this.values[this.values.length - 1]!
    const { flow } = this
    const [e, a] = [entityRow * dim, address * dim]
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
    let [flow, below] = [this.flow, this.below]
    for (let l = layers.length - 1; l >= 0; l--) {
      if (l < layers.length - 1) leakBack(this.values[l + 1]!, flow, this.addresses * shape.dim)
      layerBack(layers[l]!.weight, this.gradients.layers[l]!, this.values[l]!, flow, below, this.addresses, shape.dim)
      ;[flow, below] = [below, flow]
    }
    this.prefixesBack(flow)
  }

  private sumPrefixes(ips: Uint32Array, count: number): void {
    const { prefixes, shape } = this.weights
    const { dim, prefixLengths, prefixRows } = shape
    const sums = this.values[0]!
    const levels = prefixLengths.length
    for (let a = 0; a < count; a++) {
      const to = a * dim
      for (let i = 0; i < dim; i++) sums[to + i] = 0
      for (let k = 0; k < levels; k++) {
        const row = this.offsets[k]! + prefixRow(ips[a]!, prefixLengths[k]!, prefixRows)
        this.rows[a * levels + k] = row
        const from = row * dim
        for (let i = 0; i < dim; i++) sums[to + i]! += prefixes[from + i]!
      }
    }
  }

  private prefixesBack(flow: Float32Array): void {
    const { dim, prefixLengths } = this.weights.shape
    const gradient = this.gradients.prefixes
    const levels = prefixLengths.length
    for (let a = 0; a < this.addresses; a++)
      for (let k = 0; k < levels; k++) {
        const g = gradient.slot(this.rows[a * levels + k]!) * dim
        const from = a * dim
        for (let i = 0; i < dim; i++) gradient.values[g + i]! += flow[from + i]!
      }
  }
}

function leakBack(after: Float32Array, flow: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) if (after[i]! < 0) flow[i]! *= LEAK
}

/** Gradients of one layer: of W and b, and below, of its input. */
function layerBack(
  weight: Float32Array,
  gradient: { readonly weight: Float32Array; readonly bias: Float32Array },
  input: Float32Array,
  flow: Float32Array,
  below: Float32Array,
  count: number,
  dim: number,
): void {
  const [dWeight, dBias] = [gradient.weight, gradient.bias]
  below.fill(0, 0, count * dim)
  for (let n = 0; n < count; n++) {
    const at = n * dim
    for (let o = 0; o < dim; o++) {
      const d = flow[at + o]!
      const row = o * dim
      dBias[o]! += d
      for (let i = 0; i < dim; i++) {
        dWeight[row + i]! += d * input[at + i]!
        below[at + i]! += d * weight[row + i]!
      }
    }
  }
}
