import { type Grouped, groupByEntity, History } from './baselines.ts'
import { type Cidr, networkOf } from './ipv4.ts'
import type { Pairs } from './pairs.ts'
import type { Seen } from './verdicts.ts'

/** A pair that was there once or more often. */
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
  private readonly grouped: Grouped
  private readonly history: History

  constructor(pairs: Pairs) {
    this.entities = pairs.entities
    this.indexOf = new Map(pairs.entities.map((entity, i) => [entity, i]))
    this.grouped = groupByEntity(pairs)
    this.history = new History(pairs, this.grouped)
  }

  /** Accesses of an entity; 0 for one that never was there. */
  events(entity: string): number {
    return this.addresses(entity).length
  }

  /** Whether the entity came from this address, its /24, its /16. */
  seen(entity: string, ip: number): Seen {
    return this.history.seen(entity, ip)
  }

  /** Where an entity usually comes from, most first: /24 networks, or /16 where no few /24 stand out. */
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

  private addresses(entity: string): Uint32Array {
    const index = this.indexOf.get(entity)
    return index === undefined ? NONE : this.of(index)
  }

  private of(index: number): Uint32Array {
    const { starts, ips } = this.grouped
    return ips.subarray(starts[index], starts[index + 1])
  }
}

/** Networks of ascending addresses, ascending, each with how many are in it. */
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
