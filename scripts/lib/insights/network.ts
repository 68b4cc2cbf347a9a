import { mix, Random } from './random.ts'

/** The shape of a network, which determines the sizes of its weights. */
export interface Shape {
  readonly dim: number
  readonly entityRows: number
  readonly layers: number
  /** Prefix lengths of an address whose vectors are summed. */
  readonly prefixLengths: readonly number[]
  /** A prefix length has a row for each prefix, up to this many; beyond that, prefixes share rows by hash. */
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

/** The rows of one prefix length in the table of all prefixes. */
export interface Level {
  /** Bits by which an address is shifted to get its prefix. */
  readonly shift: number
  readonly offset: number
  /** Set where prefixes share rows by hash. */
  readonly hashed: boolean
  readonly salt: number
  readonly mask: number
}

/** `prefixRows` is a power of two. */
export function levelsOf({ prefixLengths, prefixRows }: Shape): { levels: Level[]; rows: number } {
  let rows = 0
  const levels = prefixLengths.map((length) => {
    const level = {
      shift: 32 - length,
      offset: rows,
      hashed: 2 ** length > prefixRows,
      salt: Math.imul(length, 0x9e3779b9),
      mask: prefixRows - 1,
    }
    rows += Math.min(2 ** length, prefixRows)
    return level
  })
  return { levels, rows }
}

/** Bytes of all weights of this shape. */
export function weightBytesOf(shape: Shape): number {
  const { dim, entityRows, layers } = shape
  return 4 * dim * (entityRows + levelsOf(shape).rows + layers * (dim + 1))
}

/** Row of an address's prefix. */
export function prefixRow(ip: number, { shift, offset, hashed, salt, mask }: Level): number {
  const prefix = ip >>> shift
  return offset + (hashed ? mix(prefix + salt) & mask : prefix)
}

/** Row of an entity's vector, by hash (FNV-1a over its UTF-8 bytes). */
export function entityRow(entity: string, rows: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(entity, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193)
  return (mix(hash) >>> 0) % rows
}

/**
 * Entities start at random, prefixes at zero (one that was never trained on has no effect), layers as the identity: the encoder
 * starts as the plain sum of an address's prefixes.
 */
export function initialWeights(shape: Shape, seed: number): Weights {
  const { dim, entityRows, layers } = shape
  const random = new Random(seed, 1)
  const scale = 1 / Math.sqrt(dim)
  const entities = new Float32Array(entityRows * dim)
  for (let i = 0; i < entities.length; i++) entities[i] = random.normal() * scale
  return {
    shape,
    entities,
    prefixes: new Float32Array(levelsOf(shape).rows * dim),
    layers: Array.from({ length: layers }, () => ({ weight: identity(dim), bias: new Float32Array(dim) })),
  }
}

function identity(dim: number): Float32Array {
  const weight = new Float32Array(dim * dim)
  for (let i = 0; i < dim; i++) weight[i * dim + i] = 1
  return weight
}
