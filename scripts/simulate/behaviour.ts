import { NOT_PUBLIC } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'

/**
 * Who logs in from where: the generative model of AWS's IP Insights tutorial, over a made-up table of the Internet's networks.
 * Everything is a pure function of the seed, the user and the event, so that any part can be asked for in any order.
 *
 * A user has a home row and a work row near it in the table (which is sorted by address). An event comes from near one of them
 * (normal, 10 rows), or, with the user's own small probability, from anywhere (travel).
 */
export interface Behaviour {
  readonly users: number
  readonly networks: Networks
  /** Events of a user in the whole span: heavy-tailed, 50 at least, 100 in the median, 10,000 at most. */
  eventsOf(user: number): number
  /** Address of a user's n-th event, unsigned 32 bits. */
  addressOf(user: number, event: number): number
  /** When it happens, as a share of the span: uniform in [0, 1). */
  momentOf(user: number, event: number): number
  /** Address from which somebody else uses this user's name; `n` tells repeated attacks apart. */
  attackOn(user: number, kind: AttackKind, n: number): number
}

export const attackKinds = ['random-network', 'other-entity', 'near-network'] as const
export type AttackKind = (typeof attackKinds)[number]

/** Networks sorted by address; ends are included. */
export interface Networks {
  readonly begins: Uint32Array
  readonly ends: Uint32Array
}

export interface BehaviourSettings {
  readonly seed: number
  readonly users: number
  /** Fewest events of a user; the tutorial has 50. */
  readonly minEvents?: number
  readonly maxEvents?: number
  /** How much users travel, compared with the tutorial: 1 is one event in thirty. */
  readonly travel?: number
}

/** Rows between home and work, and the spread around them. */
const WORK_DISTANCE = 50_000
const SPREAD = 10
/** Rows between a near-network attacker and the user's home or work: beyond the user's own spread. */
const NEAR = { from: 30, to: 80 } as const

/** The behaviour of users over their networks; the same settings, the same behaviour. */
export function behaviour(settings: BehaviourSettings): Behaviour {
  const { seed, users, minEvents = 50, maxEvents = 10_000, travel = 1 } = settings
  const networks = networksOf(seed)
  const rows = networks.begins.length
  const people = Array.from({ length: users }, (_, user) => personOf(new Random(seed, 1, user), rows, travel))
  const person = (user: number): Person => {
    const found = people[user]
    if (found === undefined) throw new RangeError(`no user ${user} of ${users}`)
    return found
  }
  const addressOf = (user: number, event: number): number => {
    const random = new Random(seed, 2, user, event)
    return addressIn(networks, rowOf(person(user), rows, random), random)
  }
  const eventsOf = (user: number) => Math.min(maxEvents, Math.floor(minEvents * person(user).activity))
  return {
    users,
    networks,
    eventsOf,
    addressOf,
    momentOf: (user, event) => new Random(seed, 3, user, event).uniform(),
    attackOn: (user, kind, n) => {
      const random = new Random(seed, 4, user, n, attackKinds.indexOf(kind))
      if (kind === 'random-network') return addressIn(networks, random.below(rows), random)
      if (kind === 'other-entity') {
        const other = (user + 1 + random.below(Math.max(1, users - 1))) % users
        return addressOf(other, random.below(eventsOf(other)))
      }
      const { home, work } = person(user)
      const off = (NEAR.from + random.below(NEAR.to - NEAR.from)) * (random.uniform() < 0.5 ? -1 : 1)
      return addressIn(networks, modulo((random.uniform() < 0.5 ? home : work) + off, rows), random)
    },
  }
}

interface Person {
  readonly home: number
  readonly work: number
  /** Events as a multiple of the least number: Pareto with shape 1. */
  readonly activity: number
  readonly travel: number
  readonly atHome: number
}

function personOf(random: Random, rows: number, travel: number): Person {
  const home = random.below(rows)
  let work = home
  while (work === home) work = modulo(home + random.below(2 * WORK_DISTANCE) - WORK_DISTANCE, rows)
  return {
    home,
    work,
    activity: 1 / (1 - random.uniform()),
    // Beta(1, 30) by inversion; Beta(3, 5) as the third smallest of seven uniforms.
    travel: travel * (1 - (1 - random.uniform()) ** (1 / 30)),
    atHome: Array.from({ length: 7 }, () => random.uniform()).toSorted((a, b) => a - b)[2] ?? 0,
  }
}

function rowOf({ home, work, travel, atHome }: Person, rows: number, random: Random): number {
  if (random.uniform() < travel) return random.below(rows)
  const base = random.uniform() < atHome ? home : work
  return modulo(Math.trunc(base + SPREAD * random.normal()), rows)
}

function addressIn({ begins, ends }: Networks, row: number, random: Random): number {
  const [begin = 0, end = 0] = [begins[row], ends[row]]
  return begin + random.below(end - begin + 1)
}

const modulo = (n: number, m: number): number => ((n % m) + m) % m

/** Prefix lengths of networks with their weights: mostly /24, few large ones, some 400,000 in all, as in tables of real ones. */
const LENGTHS = [
  [24, 53],
  [23, 11],
  [22, 13],
  [21, 6],
  [20, 6],
  [19, 4],
  [18, 2.2],
  [17, 1.4],
  [16, 2.4],
  [15, 0.5],
  [14, 0.3],
  [13, 0.2],
] as const
const TOTAL = LENGTHS.reduce((sum, [, weight]) => sum + weight, 0)

/** Lays networks one after the other over the public address space, each at its own alignment. */
function networksOf(seed: number): Networks {
  const random = new Random(seed, 0)
  const begins: number[] = []
  const ends: number[] = []
  let at = 2 ** 24
  while (at < 224 * 2 ** 24) {
    const size = 2 ** (32 - lengthBy(random.uniform() * TOTAL))
    const begin = Math.ceil(at / size) * size
    at = begin + size
    const reserved = endOfReserved(begin, at)
    if (reserved !== undefined) at = reserved
    else {
      begins.push(begin)
      ends.push(at - 1)
    }
  }
  return { begins: Uint32Array.from(begins), ends: Uint32Array.from(ends) }
}

function lengthBy(weight: number): number {
  let left = weight
  for (const [length, share] of LENGTHS) {
    left -= share
    if (left < 0) return length
  }
  return 24
}

/** End of the special ranges that [begin, end) touches, where it touches any. */
function endOfReserved(begin: number, end: number): number | undefined {
  const touched = NOT_PUBLIC.filter(({ base, length }) => base < end && base + 2 ** (32 - length) > begin)
  return touched.length === 0 ? undefined : Math.max(...touched.map(({ base, length }) => base + 2 ** (32 - length)))
}
