import type { SparseGradient } from './sparse-gradient.ts'

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
  private readonly weightDecay: number

  constructor(weights: Float32Array, weightDecay: number) {
    this.weights = weights
    this.moments = new Float32Array(2 * weights.length)
    this.weightDecay = weightDecay
  }

  /** `rate` is that of correctedRate. */
  dense(gradient: Float32Array, rate: number): void {
    this.move(gradient, 0, 0, gradient.length, rate)
  }

  sparse(gradient: SparseGradient, dim: number, rate: number): void {
    for (let slot = 0; slot < gradient.touched; slot++)
      this.move(gradient.values, slot * dim, gradient.rows[slot]! * dim, dim, rate)
  }

  private move(gradient: Float32Array, from: number, to: number, size: number, rate: number): void {
    const { weights, moments, weightDecay } = this
    for (let i = 0; i < size; i++) {
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
