/** Kingma and Ba, "Adam: A Method for Stochastic Optimization": the decay rates and the guard that it recommends. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8]

/** The learning rate at a step (from 1) with both corrections for the moments' start at zero. */
export const correctedRate = (learningRate: number, step: number): number =>
  (learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step)

/**
 * Adam for one table of weights, with an L2 penalty as a part of the gradient. Of a sparse gradient only the touched rows move
 * ("lazy"): the cost follows the batch, not the table.
 */
export class Adam {
  private readonly weights: Float32Array
  /** Running means of gradient and square, side by side: together they cost one trip to memory. */
  private readonly moments: Float32Array
  /** Numbers in a row of the table. */
  private readonly dim: number
  private readonly weightDecay: number

  constructor(weights: Float32Array, dim: number, weightDecay: number) {
    this.weights = weights
    this.moments = new Float32Array(2 * weights.length)
    this.dim = dim
    this.weightDecay = weightDecay
  }

  /** `rate` is that of correctedRate. */
  dense(gradient: Float32Array, rate: number): void {
    for (let row = 0; row < gradient.length / this.dim; row++) this.moveRow(gradient, row, row, rate)
  }

  sparse(gradient: SparseGradient, rate: number): void {
    for (let slot = 0; slot < gradient.touched; slot++) this.moveRow(gradient.values, slot, gradient.rows[slot]!, rate)
  }

  /** Moves a row of the table by the gradient that lies in a slot. */
  private moveRow(gradient: Float32Array, slot: number, row: number, rate: number): void {
    const { weights, moments, dim, weightDecay } = this
    const [from, to] = [slot * dim, row * dim]
    for (let i = 0; i < dim; i++) {
      const at = to + i
      const g = gradient[from + i]! + weightDecay * weights[at]!
      const m = BETA1 * moments[2 * at]! + (1 - BETA1) * g
      const v = BETA2 * moments[2 * at + 1]! + (1 - BETA2) * g * g
      moments[2 * at] = m
      moments[2 * at + 1] = v
      weights[at]! -= (rate * m) / (Math.sqrt(v) + EPSILON)
    }
  }
}

/** Gradients of the few rows of a table that one mini batch touches, gathered densely. */
export class SparseGradient {
  /** Rows touched; their gradients are `values[slot * dim …]` in the same order. */
  readonly rows: Uint32Array
  readonly values: Float32Array
  touched = 0
  private readonly slotOf: Int32Array
  private readonly dim: number

  constructor(tableRows: number, maxTouched: number, dim: number) {
    this.rows = new Uint32Array(maxTouched)
    this.values = new Float32Array(maxTouched * dim)
    this.slotOf = new Int32Array(tableRows).fill(-1)
    this.dim = dim
  }

  /** Where the gradient of a row is gathered. */
  slot(row: number): number {
    const known = this.slotOf[row]!
    if (known !== -1) return known
    const slot = this.touched
    this.touched += 1
    this.rows[slot] = row
    this.slotOf[row] = slot
    return slot
  }

  clear(): void {
    for (let slot = 0; slot < this.touched; slot++) this.slotOf[this.rows[slot]!] = -1
    this.values.fill(0, 0, this.touched * this.dim)
    this.touched = 0
  }
}
