import { networkOf } from './ipv4.ts'
import { Products } from './kernel/products.ts'
import { entityRow, type Level, levelsOf, prefixRow, type Weights } from './network.ts'
import { mix } from './random.ts'

/** Slope for negative values between two layers (leaky ReLU), so that no unit dies. */
export const LEAK = 0.1

/** Turns addresses into vectors, many at a time. */
export class Encoder {
  private readonly products: Products
  private readonly levels: readonly Level[]
  private readonly weights: Weights
  /** The sums of the vectors of an address's prefixes up to each level but the last. */
  private readonly partial: Float32Array

  constructor(weights: Weights, maxAddresses: number) {
    const { levels } = levelsOf(weights.shape)
    this.weights = weights
    this.levels = levels
    this.partial = new Float32Array(levels.length * weights.shape.dim)
    this.products = new Products(weights.layers, weights.shape.dim, maxAddresses)
  }

  /** The vectors are overwritten by the next call. */
  encode(ips: ArrayLike<number>, count: number): Float32Array {
    this.sumPrefixes(ips, count)
    const { layers, shape } = this.weights
    let vectors = this.products.values[0]!
    for (let l = 0; l < layers.length; l++) {
      vectors = this.products.multiply(l, count)
      if (l < layers.length - 1) leak(vectors, count * shape.dim)
    }
    return vectors
  }

  /** Level by level, from the shortest. Of what an address has in common with the one before, the sum is known: ascending ones are quick. */
  private sumPrefixes(ips: ArrayLike<number>, count: number): void {
    const { levels, partial } = this
    const { prefixes, shape } = this.weights
    const { dim } = shape
    const sums = this.products.values[0]!
    const last = levels.length - 1
    for (let a = 0; a < count; a++) {
      const ip = ips[a]!
      let k = 0
      if (a > 0) while (k < last && (ip ^ ips[a - 1]!) >>> levels[k]!.shift === 0) k += 1
      for (; k <= last; k++) {
        const from = prefixRow(ip, levels[k]!) * dim
        const to = k === last ? a * dim : k * dim
        const into = k === last ? sums : partial
        const before = (k - 1) * dim
        if (k === 0) for (let i = 0; i < dim; i++) into[to + i] = prefixes[from + i]!
        else for (let i = 0; i < dim; i++) into[to + i] = partial[before + i]! + prefixes[from + i]!
      }
    }
  }
}

function leak(values: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) if (values[i]! < 0) values[i]! *= LEAK
}

/** Networks encoded at a time: enough for the blocks of the layers, few enough for the caches. */
const BLOCK = 256
/** Pairs scored at a time: the more, the more of them share a network. */
const PAIRS = 1 << 15

/** Dot products of many pairs, given by row of the entity's vector and address. */
export function scoreAll(weights: Weights, entityRows: Uint32Array, ips: Uint32Array): Float64Array {
  const { dim, prefixLengths } = weights.shape
  const encoder = new Encoder(weights, Math.min(BLOCK, ips.length))
  const scores = new Float64Array(ips.length)
  const entities = { values: weights.entities, dim }
  for (let start = 0; start < ips.length; start += PAIRS) {
    const { networks, indexOf } = distinctNetworks(ips.subarray(start, start + PAIRS), Math.max(...prefixLengths))
    const vectors = { values: new Float32Array(networks.length * dim), dim }
    for (let first = 0; first < networks.length; first += BLOCK) {
      const block = networks.subarray(first, first + BLOCK)
      vectors.values.set(encoder.encode(block, block.length).subarray(0, block.length * dim), first * dim)
    }
    for (let i = 0; i < indexOf.length; i++)
      scores[start + i] = dot(entities, entityRows[start + i]!, vectors, indexOf[i]!)
  }
  return scores
}

/** Dot products of rows, `entities[entityIndex[i]]` from `ips[i]`, in their order. */
export const scoreBy =
  (weights: Weights) =>
  (entities: readonly string[], entityIndex: Uint32Array, ips: Uint32Array): Float64Array => {
    const rows = rowsOf(entities, weights.shape.entityRows)
    return scoreAll(
      weights,
      entityIndex.map((e) => rows[e]!),
      ips,
    )
  }

/** Pairs come entity by entity: a name that is repeated is not hashed again. */
function rowsOf(entities: readonly string[], entityRows: number): Uint32Array {
  const rows = new Uint32Array(entities.length)
  for (let e = 0; e < rows.length; e++)
    rows[e] = e > 0 && entities[e] === entities[e - 1] ? rows[e - 1]! : entityRow(entities[e]!, entityRows)
  return rows
}

/** The networks that addresses are in, each once, and for each address which one: all of a network have the same vector. */
function distinctNetworks(ips: Uint32Array, length: number): { networks: Uint32Array; indexOf: Uint32Array } {
  // Open addressing: a slot holds the index of its network plus 1.
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * ips.length + 1)))
  const [networks, indexOf] = [new Uint32Array(ips.length), new Uint32Array(ips.length)]
  let count = 0
  for (let i = 0; i < ips.length; i++) {
    const network = networkOf(ips[i]!, length)
    let slot = mix(network) & (slots.length - 1)
    while (slots[slot]! > 0 && networks[slots[slot]! - 1] !== network) slot = (slot + 1) & (slots.length - 1)
    if (slots[slot] === 0) {
      networks[count++] = network
      slots[slot] = count
    }
    indexOf[i] = slots[slot]! - 1
  }
  return { networks: networks.subarray(0, count), indexOf }
}

/** Vectors of `dim` numbers, one after the other. */
interface Vectors {
  readonly values: Float32Array
  readonly dim: number
}

/** Dot product of two vectors, given by row. */
export function dot(a: Vectors, rowA: number, b: Vectors, rowB: number): number {
  const { dim } = a
  const [atA, atB] = [rowA * dim, rowB * dim]
  let sum = 0
  for (let i = 0; i < dim; i++) sum += a.values[atA + i]! * b.values[atB + i]!
  return sum
}
