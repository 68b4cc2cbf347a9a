import { readFileSync } from 'node:fs'
import type { Layer } from '../network.ts'
import { PAGE, WORD } from './layout.ts'

let compiled: WebAssembly.Module | undefined

/** A new instance of what assembly/ exports, with a memory of its own. */
export function kernelExports(): unknown {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('kernel.wasm', import.meta.url)))
  return new WebAssembly.Instance(compiled).exports
}

/** What assembly/ exports of this. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly base: WebAssembly.Global
  multiplyDouble(matrix: number, bias: number, x: number, y: number, dim: number, count: number): void
}

/** Fully connected layers, one after the other, on many vectors at a time. Sums are of double precision, and the same on every machine. */
export class Products {
  /** Input of every layer, and after the last one what comes out of it, one vector after the other. */
  readonly values: readonly Float32Array[]
  private readonly exports: Exports
  private readonly dim: number
  private readonly places: { readonly matrices: readonly number[]; readonly values: readonly number[] }

  /** @param dim numbers of a vector */
  constructor(layers: readonly Layer[], dim: number, maxVectors: number) {
    this.exports = kernelExports() as Exports
    this.dim = dim
    const width = 4 * Math.ceil(dim / 4)
    // Vectors are computed four at a time, and numbers, too: a little room after the last one.
    const room = WORD * (4 * Math.ceil(maxVectors / 4) * dim + 4)
    let end = 16 * Math.ceil(this.exports.base.value / 16)
    const take = (bytes: number): number => {
      const at = end
      end = 16 * Math.ceil((at + bytes) / 16)
      return at
    }
    // The biases, then the weights, row by input.
    const matrices = layers.map(() => take(8 * width * (dim + 1)))
    const values = [undefined, ...layers].map(() => take(room))
    this.places = { matrices, values }
    const { memory } = this.exports
    memory.grow(Math.ceil(end / PAGE))
    this.values = values.map((at) => new Float32Array(memory.buffer, at, maxVectors * dim))
    for (const [l, { weight, bias }] of layers.entries()) {
      const matrix = new Float64Array(memory.buffer, matrices[l], width * (dim + 1))
      matrix.set(bias)
      for (let o = 0; o < dim; o++) for (let i = 0; i < dim; i++) matrix[width * (i + 1) + o] = weight[o * dim + i]!
    }
  }

  /** Puts the first `count` vectors through a layer. Returns its output. */
  multiply(layer: number, count: number): Float32Array {
    const { exports, dim, places } = this
    const bias = places.matrices[layer]!
    const width = 4 * Math.ceil(dim / 4)
    const [x, y] = [places.values[layer]!, places.values[layer + 1]!]
    exports.multiplyDouble(bias + 8 * width, bias, x, y, dim, count)
    return this.values[layer + 1]!
  }
}
