import { mix, Random } from './random.ts'

/** The shape of a network; all that its weights' sizes follow from. */
export interface Shape {
  readonly dim: number
  readonly entityRows: number
  readonly layers: number
  /** Prefix lengths of an address whose vectors are summed. */
  readonly prefixLengths: readonly number[]
  /** A length has as many rows as there are prefixes of it, but not more than this: beyond, they share rows by hash. */
  readonly prefixRows: number
}

/** One fully connected layer, row by output: y = W x + b. */
export interface Layer {
  readonly weight: Float32Array
  readonly bias: Float32Array
}

export interface Weights {
  readonly shape: Shape
  readonly entities: Float32Array
  readonly prefixes: Float32Array
  readonly layers: readonly Layer[]
}

/** Between two layers: negative values pass weakly, so that no unit can fall silent for good. */
export const LEAK = 0.1

/** First row of every prefix length, and the number of rows of all. */
export function prefixOffsets({ prefixLengths, prefixRows }: Shape): { offsets: number[]; rows: number } {
  let rows = 0
  const offsets = prefixLengths.map((length) => {
    const offset = rows
    rows += Math.min(2 ** length, prefixRows)
    return offset
  })
  return { offsets, rows }
}

/** Row of an address's prefix within its length's rows. `prefixRows` is a power of two. */
export function prefixRow(ip: number, length: number, prefixRows: number): number {
  const prefix = ip >>> (32 - length)
  return 2 ** length <= prefixRows ? prefix : mix(prefix + Math.imul(length, 0x9e3779b9)) & (prefixRows - 1)
}

/** Row of an entity's vector, by hash (FNV-1a over its UTF-8 bytes). */
export function entityRow(entity: string, rows: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(entity, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193)
  return (mix(hash) >>> 0) % rows
}

/**
 * Entities start at random, prefixes at zero (what was never trained on says nothing), layers as the identity: the encoder
 * starts as the plain sum of an address's prefixes.
 */
export function initialWeights(shape: Shape, seed: number): Weights {
  const { dim, entityRows, layers } = shape
  const random = new Random(seed, 1)
  const scale = 1 / Math.sqrt(dim)
  return {
    shape,
    entities: Float32Array.from({ length: entityRows * dim }, () => random.normal() * scale),
    prefixes: new Float32Array(prefixOffsets(shape).rows * dim),
    layers: Array.from({ length: layers }, () => ({ weight: identity(dim), bias: new Float32Array(dim) })),
  }
}

function identity(dim: number): Float32Array {
  const weight = new Float32Array(dim * dim)
  for (let i = 0; i < dim; i++) weight[i * dim + i] = 1
  return weight
}

/** The vector of one address. */
export function encodeAddress(weights: Weights, ip: number): Float32Array {
  const { dim, prefixLengths, prefixRows } = weights.shape
  const { offsets } = prefixOffsets(weights.shape)
  let x = new Float32Array(dim)
  for (const [k, length] of prefixLengths.entries()) {
    const at = (offsets[k]! + prefixRow(ip, length, prefixRows)) * dim
    for (let i = 0; i < dim; i++) x[i]! += weights.prefixes[at + i]!
  }
  for (const [l, layer] of weights.layers.entries()) {
    const y = new Float32Array(dim)
    applyLayer(layer, x, y, 1, dim)
    if (l < weights.layers.length - 1) for (let i = 0; i < dim; i++) if (y[i]! < 0) y[i]! *= LEAK
    x = y
  }
  return x
}

/** y = W x + b for `count` vectors that lie one after the other. */
export function applyLayer({ weight, bias }: Layer, x: Float32Array, y: Float32Array, count: number, dim: number) {
  for (let n = 0; n < count; n++) {
    const at = n * dim
    for (let o = 0; o < dim; o++) {
      let sum = bias[o]!
      const row = o * dim
      for (let i = 0; i < dim; i++) sum += weight[row + i]! * x[at + i]!
      y[at + o] = sum
    }
  }
}
