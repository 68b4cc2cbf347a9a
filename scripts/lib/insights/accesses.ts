import { type Cidr, networkOf } from './ipv4.ts'
import { aucOfRule } from './metrics.ts'
import type { Pairs } from './pairs.ts'

/** A distinct pair, and how often it occurs. */
export interface DistinctPair {
  /** Encoded. */
  readonly entity: string
  readonly ip: number
  readonly accesses: number
}

/** A network with the share of an entity's accesses that came from it. */
export interface UsualNetwork {
  readonly network: Cidr
  readonly share: number
}

const NONE = new Uint32Array()

/** Accesses, arranged by entity: how often and from where each one came. */
export class Accesses {
  private readonly entities: readonly string[]
  private readonly indexOf: ReadonlyMap<string, number>
  readonly grouped: Grouped
  private readonly history: History

  constructor(pairs: Pairs) {
    this.entities = pairs.entities
    this.indexOf = new Map(pairs.entities.map((entity, i) => [entity, i]))
    this.grouped = groupByEntity(pairs)
    this.history = new History(pairs, this.grouped)
  }

  /** Accesses of an entity; 0 for an unknown one. */
  events(entity: string): number {
    return this.addresses(entity).length
  }

  /** Whether the entity came from this address, its /24, its /16. */
  seen(entity: string, ip: number): Seen {
    return this.history.seen(entity, ip)
  }

  /** Where an entity usually comes from, most frequent first: /24 networks, or /16 where no few /24 dominate. */
  usual(entity: string, most = 3): UsualNetwork[] {
    const addresses = this.addresses(entity)
    const narrow = busiest(addresses, 24).slice(0, most)
    const covered = narrow.reduce((sum, { share }) => sum + share, 0)
    return covered >= 0.5 ? narrow : busiest(addresses, 16).slice(0, most)
  }

  /** Every pair once, entities in their order of appearance, addresses ascending. */
  *distinct(): Generator<DistinctPair> {
    for (const [i, entity] of this.entities.entries())
      for (const [ip, accesses] of runs(this.of(i), 32)) yield { entity, ip, accesses }
  }

  /** Every address of an entity once, ascending, each with its accesses. */
  from(entity: string): Generator<[ip: number, accesses: number]> {
    return runs(this.addresses(entity), 32)
  }

  private addresses(entity: string): Uint32Array {
    const index = this.indexOf.get(entity)
    return index === undefined ? NONE : this.of(index)
  }

  private of(index: number): Uint32Array {
    const { starts, ips } = this.grouped
    return ips.subarray(starts[index], starts[index + 1])
  }
}

/** Networks of ascending addresses, ascending, each with its number of addresses. */
function* runs(sorted: Uint32Array, length: number): Generator<[base: number, count: number]> {
  for (let at = 0; at < sorted.length; ) {
    const base = networkOf(sorted[at]!, length)
    const from = at
    while (at < sorted.length && networkOf(sorted[at]!, length) === base) at += 1
    yield [base, at - from]
  }
}

const busiest = (sorted: Uint32Array, length: number): UsualNetwork[] =>
  [...runs(sorted, length)]
    .sort(([a, many], [b, more]) => more - many || a - b)
    .map(([base, count]) => ({ network: { base, length }, share: count / sorted.length }))

/** Pairs by entity: those of entity e are `ips[starts[e]] … ips[starts[e + 1] − 1]`, ascending. */
export interface Grouped {
  readonly starts: Uint32Array
  readonly ips: Uint32Array
}

export function groupByEntity({ entities, entityIndex, ip }: Pairs): Grouped {
  const starts = startsOf(entities.length, entityIndex)
  const ips = new Uint32Array(ip.length)
  const next = starts.slice()
  for (let row = 0; row < ip.length; row++) {
    const entity = entityIndex[row]!
    ips[next[entity]!] = ip[row]!
    next[entity]! += 1
  }
  for (let e = 0; e < entities.length; e++) ips.subarray(starts[e]!, starts[e + 1]!).sort()
  return { starts, ips }
}

function startsOf(entities: number, entityIndex: Uint32Array): Uint32Array {
  const starts = new Uint32Array(entities + 1)
  for (let row = 0; row < entityIndex.length; row++) starts[entityIndex[row]! + 1]! += 1
  for (let e = 0; e < entities; e++) starts[e + 1]! += starts[e]!
  return starts
}

/** Training pairs per entity. */
export function eventsByEntity({ entities, entityIndex }: Pairs): Map<string, number> {
  const starts = startsOf(entities.length, entityIndex)
  return new Map(entities.map((entity, e) => [entity, starts[e + 1]! - starts[e]!]))
}

/** What each entity was seen with in training: what the simple rules remember. */
export class History {
  private readonly grouped: Grouped
  private readonly indexOf: ReadonlyMap<string, number>

  constructor(pairs: Pairs, grouped: Grouped = groupByEntity(pairs)) {
    this.grouped = grouped
    this.indexOf = new Map(pairs.entities.map((entity, e) => [entity, e]))
  }

  /** Entity encoded. Nothing was seen of an unknown one. */
  seen(entity: string, ip: number): Seen {
    const e = this.indexOf.get(entity)
    if (e === undefined) return { ip: false, net24: false, net16: false }
    const { starts, ips } = this.grouped
    const has = (length: number): boolean => {
      const first = networkOf(ip, length)
      const at = lowerBound(ips, first, starts[e]!, starts[e + 1]!)
      return at < starts[e + 1]! && networkOf(ips[at]!, length) === first
    }
    return { ip: has(32), net24: has(24), net16: has(16) }
  }
}

/** First index in [from, to) whose value is not below. */
export function lowerBound(sorted: Uint32Array, value: number, from: number, to: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

export const ruleNames = ['ip', 'net24', 'net16'] as const

/** How often a rule says "seen before" of normal and of attack pairs, and its AUC as a detector. */
export interface RuleResult {
  readonly normalSeen: number
  readonly attackSeen: number
  readonly auc: number
}

/** The rules "address, /24, /16 seen before for this entity" on normal and attack pairs. */
export function rulesOn(
  normal: readonly Seen[],
  attack: readonly Seen[],
): Record<(typeof ruleNames)[number], RuleResult> {
  const result = (rule: (typeof ruleNames)[number]): RuleResult => {
    const share = (all: readonly Seen[]) => all.filter((seen) => seen[rule]).length / all.length
    const [normalSeen, attackSeen] = [share(normal), share(attack)]
    return { normalSeen, attackSeen, auc: aucOfRule(normalSeen, attackSeen) }
  }
  return { ip: result('ip'), net24: result('net24'), net16: result('net16') }
}

/** Whether this entity was seen with the address, its /24 and its /16 in training. */
export interface Seen {
  readonly ip: boolean
  readonly net24: boolean
  readonly net16: boolean
}

/** `scored`, or why the score means nothing: the entity was never seen in training, or too rarely. */
export type VerdictKind = 'scored' | 'unseen-entity' | 'sparse-entity'

/** Below this many training pairs the vector of an entity has hardly left its random start. */
export const MIN_EVENTS = 10

export const kindOf = (events: number, minEvents: number): VerdictKind =>
  events === 0 ? 'unseen-entity' : events < minEvents ? 'sparse-entity' : 'scored'
