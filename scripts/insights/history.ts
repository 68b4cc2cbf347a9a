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

const NEVER: Seen = { ip: false, net24: false, net16: false }
const NONE = new Uint32Array()

/** Accesses, arranged by entity: what each one came from before. */
export class History {
  private readonly entities: readonly string[]
  private readonly indexOf: ReadonlyMap<string, number>
  /** The addresses of entity i, ascending and with repeats, are those from starts[i] up to starts[i + 1]. */
  private readonly starts: Uint32Array
  private readonly ips: Uint32Array

  constructor({ entities, entityIndex, ip }: Pairs) {
    this.entities = entities
    this.indexOf = new Map(entities.map((entity, i) => [entity, i]))
    this.starts = startsOf(entityIndex, entities.length)
    this.ips = new Uint32Array(ip.length)
    const next = this.starts.slice()
    for (const [row, entity] of entityIndex.entries()) this.ips[next[entity]!++] = ip[row]!
    for (let i = 0; i < entities.length; i++) this.of(i).sort()
  }

  /** Accesses of an entity; 0 for one that never was there. */
  events(entity: string): number {
    return this.addresses(entity).length
  }

  seen(entity: string, ip: number): Seen {
    const addresses = this.addresses(entity)
    if (addresses.length === 0) return NEVER
    const within = (length: number) => {
      const base = networkOf(ip, length)
      const at = firstFrom(addresses, base)
      return at < addresses.length && networkOf(addresses[at]!, length) === base
    }
    return { ip: within(32), net24: within(24), net16: within(16) }
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
    return this.ips.subarray(this.starts[index], this.starts[index + 1])
  }
}

function startsOf(entityIndex: Uint32Array, entities: number): Uint32Array {
  const starts = new Uint32Array(entities + 1)
  for (const entity of entityIndex) starts[entity + 1]! += 1
  for (let i = 0; i < entities; i++) starts[i + 1]! += starts[i]!
  return starts
}

/** Index of the first of the ascending values that is at least so large. */
function firstFrom(sorted: Uint32Array, value: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (sorted[middle]! < value) from = middle + 1
    else to = middle
  }
  return from
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
