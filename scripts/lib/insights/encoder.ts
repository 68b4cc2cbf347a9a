import { networkOf } from './ipv4.ts'
import { entityRow, type Layer, type Level, levelsOf, prefixRow, type Weights } from './network.ts'
import { mix } from './random.ts'

/** Slope for negative values between two layers (leaky ReLU), so that no unit dies. */
export const LEAK = 0.1

/** Turns addresses into vectors, many at a time. */
export class Encoder {
  /** Input of every layer, and after the last one the vectors themselves, one after the other. */
  private readonly values: readonly Float32Array[]
  private readonly levels: readonly Level[]
  private readonly weights: Weights
  /** The sums of the vectors of an address's prefixes up to each level but the last. */
  private readonly partial: Float32Array

  constructor(weights: Weights, maxAddresses: number) {
    const { levels } = levelsOf(weights.shape)
    this.weights = weights
    this.levels = levels
    this.partial = new Float32Array(levels.length * weights.shape.dim)
    this.values = [weights, ...weights.layers].map(() => new Float32Array(maxAddresses * weights.shape.dim))
  }

  /** The vectors are overwritten by the next call. */
  encode(ips: ArrayLike<number>, count: number): Float32Array {
    this.sumPrefixes(ips, count)
    const { layers, shape } = this.weights
    for (const [l, layer] of layers.entries()) {
      const output = this.values[l + 1]!
      multiply(layer, this.values[l]!, output, count)
      if (l < layers.length - 1) leak(output, count * shape.dim)
    }
    return this.values[layers.length]!
  }

  /** Level by level, from the shortest. Of what an address has in common with the one before, the sum is known: ascending ones are quick. */
  private sumPrefixes(ips: ArrayLike<number>, count: number): void {
    const { levels, partial } = this
    const { prefixes, shape } = this.weights
    const { dim } = shape
    const sums = this.values[0]!
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

/** y = W x + b for each of `count` vectors x, four at a time: every number that is loaded then serves several multiplications. */
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
