import type { Layer } from './network.ts'

/**
 * The two products that a fully connected layer needs. Vectors lie one after the other; they are taken in blocks, because every
 * number that is loaded then serves several multiplications.
 */

/** y = W x + b for each of `count` vectors x. */
export function multiply({ weight, bias }: Layer, x: Float32Array, y: Float32Array, count: number): void {
  const dim = bias.length
  const inBlocks = count - (count % 4)
  for (let n = 0; n < inBlocks; n += 4) {
    const a = n * dim
    const b = a + dim
    const c = b + dim
    const d = c + dim
    for (let o = 0; o < dim; o += 2) {
      // With an odd number of outputs the last one is simply computed twice.
      const o2 = Math.min(o + 1, dim - 1)
      const row = o * dim
      const row2 = o2 * dim
      let pa = bias[o]!
      let pb = pa
      let pc = pa
      let pd = pa
      let qa = bias[o2]!
      let qb = qa
      let qc = qa
      let qd = qa
      for (let i = 0; i < dim; i++) {
        const w = weight[row + i]!
        const w2 = weight[row2 + i]!
        const xa = x[a + i]!
        const xb = x[b + i]!
        const xc = x[c + i]!
        const xd = x[d + i]!
        pa += w * xa
        pb += w * xb
        pc += w * xc
        pd += w * xd
        qa += w2 * xa
        qb += w2 * xb
        qc += w2 * xc
        qd += w2 * xd
      }
      y[a + o] = pa
      y[b + o] = pb
      y[c + o] = pc
      y[d + o] = pd
      y[a + o2] = qa
      y[b + o2] = qb
      y[c + o2] = qc
      y[d + o2] = qd
    }
  }
  for (let at = inBlocks * dim; at < count * dim; at += dim)
    for (let o = 0; o < dim; o++) {
      let sum = bias[o]!
      for (let i = 0; i < dim; i++) sum += weight[o * dim + i]! * x[at + i]!
      y[at + o] = sum
    }
}

/** Adds the gradients of a layer, given those of its `count` outputs y and its inputs x: weight[o, i] += y[o] x[i], bias[o] += y[o]. */
export function addGradients({ weight, bias }: Layer, y: Float32Array, x: Float32Array, count: number): void {
  const dim = bias.length
  for (let at = 0; at < count * dim; at += dim) for (let o = 0; o < dim; o++) bias[o]! += y[at + o]!
  let n = 0
  for (; n + 4 <= count; n += 4) {
    const a = n * dim
    const b = a + dim
    const c = b + dim
    const d = c + dim
    for (let o = 0; o < dim; o++) {
      const row = o * dim
      const p = y[a + o]!
      const q = y[b + o]!
      const r = y[c + o]!
      const s = y[d + o]!
      for (let i = 0; i < dim; i++) weight[row + i]! += p * x[a + i]! + q * x[b + i]! + r * x[c + i]! + s * x[d + i]!
    }
  }
  for (; n < count; n++)
    for (let o = 0; o < dim; o++)
      for (let i = 0; i < dim; i++) weight[o * dim + i]! += y[n * dim + o]! * x[n * dim + i]!
}

/** Rows become columns. */
export function transpose(from: Float32Array, to: Float32Array, dim: number): void {
  for (let o = 0; o < dim; o++) for (let i = 0; i < dim; i++) to[i * dim + o] = from[o * dim + i]!
}
