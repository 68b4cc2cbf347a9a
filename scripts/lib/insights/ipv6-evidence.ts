import { count, plural } from '../cli/format.ts'
import type { Prior } from './rank.ts'
import type { Reason } from './reasons.ts'

/** A pair with an IPv6 address, and its accesses. */
export interface Ipv6Pair {
  /** Encoded. */
  readonly entity: string
  readonly ip: bigint
  readonly accesses: number
}

/** Whether an entity was seen with the IPv6 address, its /64, /48, /32 in training. */
export interface SeenIpv6 {
  readonly ip: boolean
  readonly net64: boolean
  readonly net48: boolean
  readonly net32: boolean
}

/** Prefix lengths, longest first; the steps by which an address may be new. */
const LENGTHS = [128, 64, 48, 32] as const
/** Accesses that the habit of all entities counts for when one is judged. */
const STRENGTH = 100
/**
 * How often attackers come from: an address that the entity had, its /64, its /48, its /32, elsewhere. As with those that are made up for
 * IPv4, a third comes from anywhere, a third from where others come from, and a third from near the entity.
 */
const ATTACKERS = [0.001, 0.004, 0.165, 0.165, 0.665] as const
/** Elsewhere, how often they come from a /48 of others, from beside others in a /32, or where nobody was: nobody knows. */
const ATTACKERS_AMONG = 1 / 3

/** Addresses in sequence, with the accesses up to each. */
class Sorted {
  readonly ips: readonly bigint[]
  private readonly sums: Float64Array

  constructor(pairs: readonly Omit<Ipv6Pair, 'entity'>[]) {
    const sorted = pairs.toSorted((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0))
    this.ips = sorted.map(({ ip }) => ip)
    this.sums = new Float64Array(sorted.length + 1)
    for (const [i, { accesses }] of sorted.entries()) this.sums[i + 1] = this.sums[i]! + accesses
  }

  get accesses(): number {
    return this.sums.at(-1) ?? 0
  }

  /** Accesses from the network of this length around an address. */
  within(ip: bigint, length: number): number {
    const host = BigInt(128 - length)
    const first = (ip >> host) << host
    return this.sums[this.below(first + (1n << host))]! - this.sums[this.below(first)]!
  }

  private below(value: bigint): number {
    let [low, high] = [0, this.ips.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.ips[middle]! < value) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** How new an address is for its entity: 0 for one that it had, then its /64, /48, /32, and 4 elsewhere. */
type Step = 0 | 1 | 2 | 3 | 4
const STEPS = [0, 1, 2, 3, 4] as const

/**
 * Judges IPv6 pairs, which IP Insights cannot take, by counting in the training pairs: the log odds that somebody else comes from there, in
 * the unit in which IPv4 pairs are ranked by score and evidence, so that both share one budget. They are those of
 * Bayes: how often attackers come from an address so new, by how often the entity does (its addresses left out in turn, and, the
 * fewer there are, the more the habit of all entities), and by whether others come from there.
 */
export class Ipv6Evidence {
  private readonly own: ReadonlyMap<string, Sorted>
  private readonly all: Sorted
  private readonly eventsOf: (entity: string) => number
  /** By step: the share of accesses of all entities from addresses so new. */
  private readonly habits: readonly number[]
  /** Elsewhere: how often entities are where others are, too. */
  private readonly among: readonly number[]

  /** @param pairs of training. @param ipv4Events IPv4 training pairs of an entity. @param ipv4Pairs of all */
  constructor(pairs: readonly Ipv6Pair[], ipv4Events: (entity: string) => number, ipv4Pairs: number) {
    const byEntity = new Map<string, Ipv6Pair[]>()
    for (const pair of pairs) {
      const known = byEntity.get(pair.entity)
      if (known === undefined) byEntity.set(pair.entity, [pair])
      else known.push(pair)
    }
    this.own = new Map([...byEntity].map(([entity, of]) => [entity, new Sorted(of)]))
    this.all = new Sorted(pairs)
    this.eventsOf = ipv4Events
    const total = ipv4Pairs + this.all.accesses
    const news = [0, 0, 0, 0, 0]
    const among = [0.5, 0.5, 0.5]
    for (const own of this.own.values())
      for (const [i, ip] of own.ips.entries()) {
        const step = stepBetween(ip, own.ips[i - 1], own.ips[i + 1])
        for (const s of STEPS) if (s <= step) news[s]! += 1
        if (step === 4) among[amongOf(countsIn(this.all, ip).map((n, at) => n - countsIn(own, ip)[at]!))]! += 1
      }
    this.habits = news.map((n) => Math.min(0.5, (n + 0.5) / (total + 1)))
    const sum = among.reduce((a, b) => a + b)
    this.among = among.map((n) => n / sum)
  }

  /** Training accesses of an entity, IPv4 and IPv6. @param entity encoded */
  events(entity: string): number {
    return this.eventsOf(entity) + (this.own.get(entity)?.accesses ?? 0)
  }

  seen(entity: string, ip: bigint): SeenIpv6 {
    const [own = 0, net64 = 0, net48 = 0, net32 = 0] = countsIn(this.own.get(entity), ip)
    return { ip: own > 0, net64: net64 > 0, net48: net48 > 0, net32: net32 > 0 }
  }

  /** Why a pair is as anomalous as it is, weightiest first; the weights add up to the log odds. */
  reasons(entity: string, ip: bigint, odds: OddsSettings): Reason[] {
    const { counts, others, step, novelty, weights } = this.weigh(entity, ip, odds)
    const [where = 0, often = 0, many = 0] = weights
    const accesses = plural(this.events(entity), 'access', 'accesses')
    return [
      { weight: where, text: whereText(counts, others) },
      { weight: often, text: noveltyText(novelty, step) },
      { weight: many, text: `${accesses} of this entity in training` },
    ].sort((a, b) => b.weight - a.weight)
  }

  /** Low is suspicious, as with all that is ranked: the negative log odds. */
  value(entity: string, ip: bigint, odds: OddsSettings): number {
    return -this.weigh(entity, ip, odds).weights.reduce((sum, weight) => sum + weight, 0)
  }

  private weigh(entity: string, ip: bigint, { prior, accessesPerPair }: OddsSettings) {
    const own = this.own.get(entity)
    const counts = countsIn(own, ip)
    const others = countsIn(this.all, ip).map((n, i) => n - counts[i]!)
    const step = stepOf(counts)
    const novelty = this.novelty(entity, step)
    const among = amongOf(others)
    const where = step === 4 ? Math.log(ATTACKERS_AMONG / this.among[among]!) : 0
    const many = -Math.log(accessesPerPair) - (prior === 'even' ? Math.log(this.events(entity)) : 0)
    return { counts, others, step, novelty, weights: [Math.log(ATTACKERS[step]) + where, -Math.log(novelty), many] }
  }

  /** Probability that the next access of the entity is from an address so new, or newer. */
  private novelty(entity: string, step: Step): number {
    if (step === 0) return 1
    const ips = this.own.get(entity)?.ips ?? []
    let alone = 0
    for (const [i, ip] of ips.entries()) if (stepBetween(ip, ips[i - 1], ips[i + 1]) >= step) alone += 1
    return (alone + STRENGTH * (this.habits[step] ?? 0)) / (this.events(entity) + STRENGTH)
  }
}

/** What a pair is judged under. */
interface OddsSettings {
  readonly prior: Prior
  /** Among all that is judged: a pair stands for so many accesses. */
  readonly accessesPerPair: number
}

/** Accesses from the address, its /64, /48, /32. */
const countsIn = (sorted: Sorted | undefined, ip: bigint): number[] =>
  LENGTHS.map((length) => sorted?.within(ip, length) ?? 0)

/** 0 where others come from the /48, 1 from the /32, 2 from neither. */
const amongOf = ([, , net48 = 0, net32 = 0]: readonly number[]): 0 | 1 | 2 => (net48 > 0 ? 0 : net32 > 0 ? 1 : 2)

const stepOf = (counts: readonly number[]): Step => STEPS[counts.findIndex((n) => n > 0)] ?? 4

/** How new an address is beside its neighbors in sequence: one of them shares the longest prefix with it. */
function stepBetween(ip: bigint, ...neighbors: readonly (bigint | undefined)[]): Step {
  const shares = (length: number) =>
    neighbors.some((one) => one !== undefined && (one ^ ip) >> BigInt(128 - length) === 0n)
  const at = LENGTHS.findIndex(shares)
  return STEPS[at] ?? 4
}

const times = (n: number): string => (n === 1 ? 'once' : `${count(n)} times`)

function whereText([ip = 0, net64 = 0, net48 = 0, net32 = 0]: readonly number[], others: readonly number[]): string {
  const [, others64 = 0, others48 = 0, others32 = 0] = others
  if (ip > 0) return `${plural(ip, 'access', 'accesses')} from this address before`
  const had = (n: number, length: number, narrower: string) =>
    `${plural(n, 'access', 'accesses')} from this /${length} before, none from the ${narrower}`
  if (net64 > 0) return had(net64, 64, 'address')
  const among =
    others64 > 0
      ? `others ${times(others64)} from this /64`
      : others48 > 0
        ? `others ${times(others48)} from this /48`
        : others32 > 0
          ? `others ${times(others32)} from this /32, never from the /48`
          : 'others neither'
  if (net48 > 0) return `${had(net48, 48, '/64')}; ${among}`
  if (net32 > 0) return `${had(net32, 32, '/48')}; ${among}`
  return `never in this /32; ${among}`
}

const noveltyText = (novelty: number, step: Step): string =>
  novelty > 0.5 || step < 2
    ? 'this entity often has new IPv6 addresses'
    : `this entity comes from an IPv6 ${['', '', '/64', '/48', '/32'][step]} that is new for it once in ${count(Math.round(1 / novelty))} accesses`
