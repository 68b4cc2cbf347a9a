import { type Grouped, groupByEntity, lowerBound } from './accesses.ts'
import { networkOf } from './ipv4.ts'
import type { Pairs } from './pairs.ts'

/** Lengths of the prefixes that an address is taken apart into, one after the other. */
const LENGTHS = [8, 12, 16, 20, 24] as const

/** Ascending addresses: those at `from` up to, not including, `to`. */
export interface Slice {
  readonly sorted: Uint32Array
  readonly from: number
  readonly to: number
}

/** Those of them in the network of a length that the address is in. */
export function within({ sorted, from, to }: Slice, ip: number, length: number): Slice {
  const base = networkOf(ip, length)
  const first = lowerBound(sorted, base, from, to)
  return { sorted, from: first, to: lowerBound(sorted, base + 2 ** (32 - length), first, to) }
}

export const countIn = ({ from, to }: Slice): number => to - from

/** How many networks of a length they are in. */
function networks({ sorted, from, to }: Slice, length: number): number {
  let count = 0
  for (let at = from; at < to; count++)
    at = lowerBound(sorted, networkOf(sorted[at]!, length) + 2 ** (32 - length), at, to)
  return count
}

/**
 * How likely an address's /24 is for an entity, by counting: the product over prefixes of (c + d · q) / (n + d), with n accesses in
 * the shorter prefix, c of them in the longer, d longer ones seen, and q the same for all entities, which falls back on
 * the uniform share (I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 37/4, 1991).
 * There is no training; it costs the addresses once more in memory.
 */
export class PrefixModel {
  /** Addresses of all entities, ascending. */
  readonly all: Slice
  private readonly grouped: Grouped
  /** Networks within a prefix of all entities, by the prefix's length and first address: they are asked for again and again. */
  private readonly known = new Map<number, number>()
  /** The same of the entity that was asked for last: pairs come entity by entity. */
  private last = { entity: -1, networks: 0 }

  constructor(pairs: Pairs, grouped: Grouped = groupByEntity(pairs)) {
    this.all = { sorted: pairs.ip.slice().sort(), from: 0, to: pairs.ip.length }
    this.grouped = grouped
  }

  /** The entity's addresses. @param entity its index among the pairs' entities */
  of(entity: number): Slice {
    const { starts, ips } = this.grouped
    return { sorted: ips, from: starts[entity]!, to: starts[entity + 1]! }
  }

  /** Pointwise mutual information: ln P(/24 | entity) − ln P(/24). High is normal. */
  pmi(entity: number, ip: number): number {
    let [own, all] = [this.of(entity), this.all]
    let sum = 0
    let shorter = 0
    for (const length of LENGTHS) {
      const [ownWithin, allWithin] = [within(own, ip, length), within(all, ip, length)]
      const uniform = 2 ** (shorter - length)
      const common = smoothed(all, allWithin, this.networksOfAll(all, ip, [shorter, length]), uniform)
      const distinct = shorter === 0 ? this.networksOf(entity, own) : networks(own, length)
      const mine = countIn(own) === 0 ? common : smoothed(own, ownWithin, distinct, common)
      sum += Math.log(mine / common)
      ;[own, all, shorter] = [ownWithin, allWithin, length]
    }
    return sum
  }

  private networksOf(entity: number, own: Slice): number {
    if (this.last.entity !== entity) this.last = { entity, networks: networks(own, LENGTHS[0]) }
    return this.last.networks
  }

  private networksOfAll(slice: Slice, ip: number, [shorter, length]: [number, number]): number {
    const key = networkOf(ip, shorter) * 32 + length
    const known = this.known.get(key) ?? networks(slice, length)
    this.known.set(key, known)
    return known
  }
}

const smoothed = (outer: Slice, inner: Slice, distinct: number, fallback: number): number =>
  countIn(outer) === 0 ? fallback : (countIn(inner) + distinct * fallback) / (countIn(outer) + distinct)
