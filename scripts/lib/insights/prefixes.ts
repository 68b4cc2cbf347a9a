import { type Grouped, groupByEntity, lowerBound } from './accesses.ts'
import { networkOf } from './ipv4.ts'
import type { Pairs } from './pairs.ts'

/** Lengths of the prefixes that an address is taken apart into, one after the other. */
const LENGTHS = [0, 8, 12, 16, 20, 24] as const
const SIZES = LENGTHS.map((length) => 2 ** (32 - length))
/** The share of a network in that of the level before. */
const SHARES = LENGTHS.map((length, level) => 2 ** ((LENGTHS[level - 1] ?? 0) - length))
/** The levels of networks, by length. */
export const LEVEL = { 16: 3, 20: 4, 24: 5 } as const
/** Networks up to this length are counted beforehand. */
const COUNTED = 20

/** How many networks of a length the ascending addresses at `from` up to, not including, `to` are in. */
function networks(sorted: Uint32Array, from: number, to: number, length: number): number {
  let count = 0
  for (let at = from; at < to; count++)
    at = lowerBound(sorted, networkOf(sorted[at]!, length) + 2 ** (32 - length), at, to)
  return count
}

/** Addresses of all entities, by prefix. */
class Common {
  private readonly sorted: Uint32Array
  /** Where each /20 begins among them. */
  private readonly starts = new Uint32Array(2 ** COUNTED + 1)
  /** By level: in how many networks of the next length the addresses of a network are. */
  private readonly inside: readonly Uint16Array[]

  constructor(ips: Uint32Array) {
    this.sorted = ips.slice().sort()
    this.inside = LENGTHS.slice(0, -1).map((length) => new Uint16Array(2 ** length))
    let before = -1
    for (const ip of this.sorted) {
      this.starts[(ip >>> (32 - COUNTED)) + 1]! += 1
      if (ip >>> 8 === before >>> 8 && before >= 0) continue
      for (let level = 0; level < this.inside.length; level++)
        if (before < 0 || networkOf(ip, LENGTHS[level + 1]!) !== networkOf(before, LENGTHS[level + 1]!))
          this.inside[level]![prefixOf(ip, LENGTHS[level]!)]! += 1
      before = ip
    }
    for (let n = 0; n < 2 ** COUNTED; n++) this.starts[n + 1]! += this.starts[n]!
  }

  /** Accesses from the network of a level that the address is in. */
  accesses(ip: number, level: number): number {
    const length = LENGTHS[level]!
    if (length <= COUNTED) {
      const prefix = prefixOf(ip, length)
      return this.starts[(prefix + 1) << (COUNTED - length)]! - this.starts[prefix << (COUNTED - length)]!
    }
    const [from, to] = [this.starts[ip >>> (32 - COUNTED)]!, this.starts[(ip >>> (32 - COUNTED)) + 1]!]
    const first = lowerBound(this.sorted, networkOf(ip, length), from, to)
    return lowerBound(this.sorted, networkOf(ip, length) + SIZES[level]!, first, to) - first
  }

  /** In how many networks of the next level they are. */
  networks(ip: number, level: number): number {
    return this.inside[level]![prefixOf(ip, LENGTHS[level]!)]!
  }
}

/** Shifting by 32 shifts by nothing. */
const prefixOf = (ip: number, length: number): number => (length === 0 ? 0 : ip >>> (32 - length))

/**
 * How likely an address's /24 is for an entity, by counting: the product over prefixes of (c + d · q) / (n + d), with n accesses in
 * the shorter prefix, c of them in the longer, d longer ones seen, and q the same for all entities, which falls back on
 * the uniform share (I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 37/4, 1991).
 * There is no training; it costs the addresses once more in memory.
 *
 * It looks at one access at a time, `at`, and keeps of the one before what both have in common: pairs come entity by entity, addresses
 * ascending.
 */
export class PrefixModel {
  private readonly common: Common
  /** The addresses of all entities, each entity's ascending. */
  private readonly ips: Uint32Array
  private readonly starts: Uint32Array
  private entity = -1
  private ip = 0
  /** By level: where the entity's addresses within the network begin and end, and in how many of the next level they are. */
  private readonly from = LENGTHS.map(() => 0)
  private readonly to = LENGTHS.map(() => 0)
  private readonly inside = LENGTHS.map(() => 0)

  constructor(pairs: Pairs, { starts, ips }: Grouped = groupByEntity(pairs)) {
    this.common = new Common(pairs.ip)
    this.ips = ips
    this.starts = starts
  }

  /** Looks at an access. @param entity its index among the pairs' entities */
  at(entity: number, ip: number): void {
    let level = 1
    if (entity !== this.entity) this.enter(0, this.starts[entity]!, this.starts[entity + 1]!)
    else
      while (level < LENGTHS.length && networkOf(ip, LENGTHS[level]!) === networkOf(this.ip, LENGTHS[level]!)) level++
    for (; level < LENGTHS.length; level++) {
      const [from, to] = [this.from[level - 1]!, this.to[level - 1]!]
      const base = networkOf(ip, LENGTHS[level]!)
      const first = lowerBound(this.ips, base, from, to)
      this.enter(level, first, lowerBound(this.ips, base + SIZES[level]!, first, to))
    }
    this.entity = entity
    this.ip = ip
  }

  private enter(level: number, from: number, to: number): void {
    this.from[level] = from
    this.to[level] = to
    const next = LENGTHS[level + 1]
    this.inside[level] = next === undefined ? 0 : networks(this.ips, from, to, next)
  }

  /** The entity's accesses from the network of a level that the address is in; with level 0, all of them. */
  own(level: number): number {
    return this.to[level]! - this.from[level]!
  }

  /** From the entity's nearest address to this one; infinite when it has none. */
  distance(): number {
    const last = LENGTHS.length - 1
    const at = lowerBound(this.ips, this.ip, this.from[last]!, this.to[last]!)
    const above = at < this.to[0]! ? this.ips[at]! - this.ip : Number.POSITIVE_INFINITY
    return at > this.from[0]! ? Math.min(above, this.ip - this.ips[at - 1]!) : above
  }

  /** How many of the entity's addresses are so near. @param distance to the nearest of them */
  near(range: number, distance: number): number {
    if (distance > range) return 0
    const [from, to] = [this.from[0]!, this.to[0]!]
    return lowerBound(this.ips, this.ip + range, from, to) - lowerBound(this.ips, this.ip - range, from, to)
  }

  /** The entity's accesses from the very address. @param distance to the nearest of its addresses */
  here(distance: number): number {
    if (distance > 0) return 0
    const [from, to] = [this.from.at(-1)!, this.to.at(-1)!]
    const first = lowerBound(this.ips, this.ip, from, to)
    return lowerBound(this.ips, this.ip + 1, first, to) - first
  }

  /** The accesses of all others from it. */
  others(level: number): number {
    return this.common.accesses(this.ip, level) - this.own(level)
  }

  /** Pointwise mutual information: ln P(/24 | entity) − ln P(/24). High is normal. */
  pmi(): number {
    let sum = 0
    let accesses = this.common.accesses(this.ip, 0)
    // Where the entity was never, it is like all others.
    for (let level = 1; level < LENGTHS.length && this.own(level - 1) > 0; level++) {
      const within = this.common.accesses(this.ip, level)
      const uniform = SHARES[level]!
      const distinct = accesses === 0 ? 0 : this.common.networks(this.ip, level - 1)
      const common = accesses === 0 ? uniform : (within + distinct * uniform) / (accesses + distinct)
      const inside = this.inside[level - 1]!
      sum += Math.log((this.own(level) + inside * common) / (this.own(level - 1) + inside) / common)
      accesses = within
    }
    return sum
  }
}
