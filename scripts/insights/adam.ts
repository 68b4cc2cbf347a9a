import type { SparseGradient } from './sparse-gradient.ts'

/** Kingma and Ba, "Adam: A Method for Stochastic Optimization": the decay rates and the guard that it recommends. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8]

export interface AdamSettings {
  readonly learningRate: number
  /** L2 penalty, as a part of the gradient. */
  readonly weightDecay: number
}

/** Adam for one table of weights. Of a sparse gradient only the touched rows move ("lazy"): the cost follows the batch, not the table. */
export class Adam {
  private readonly weights: Float32Array
  private readonly mean: Float32Array
  private readonly square: Float32Array
  private readonly settings: AdamSettings

  constructor(weights: Float32Array, settings: AdamSettings) {
    this.weights = weights
    this.mean = new Float32Array(weights.length)
    this.square = new Float32Array(weights.length)
    this.settings = settings
  }

  /** `step` counts from 1. */
  dense(gradient: Float32Array, step: number): void {
    this.move(gradient, 0, 0, gradient.length, this.rateAt(step))
  }

  sparse(gradient: SparseGradient, dim: number, step: number): void {
    const rate = this.rateAt(step)
    for (let slot = 0; slot < gradient.touched; slot++)
      this.move(gradient.values, slot * dim, gradient.rows[slot]! * dim, dim, rate)
  }

  /** The learning rate with both corrections for the moments' start at zero. */
  private rateAt(step: number): number {
    return (this.settings.learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step)
  }

  private move(gradient: Float32Array, from: number, to: number, size: number, rate: number): void {
    const { weights, mean, square } = this
    const { weightDecay } = this.settings
    for (let i = 0; i < size; i++) {
      const at = to + i
      const g = gradient[from + i]! + weightDecay * weights[at]!
      const m = BETA1 * mean[at]! + (1 - BETA1) * g
      const v = BETA2 * square[at]! + (1 - BETA2) * g * g
      mean[at] = m
      square[at] = v
      weights[at]! -= (rate * m) / (Math.sqrt(v) + EPSILON)
    }
  }
}
