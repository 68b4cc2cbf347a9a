import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import type { Window } from '../lib/runs/window.ts'
import { type AttackKind, attackKinds, type Behaviour } from './behaviour.ts'
import { hex, ipv6Home } from './identifiers.ts'
import type { Label } from './log-file.ts'
import { attackSpanOf, spanOf } from './settings.ts'

/** Accesses in columns. The last ones, from `attacksFrom` on, are the attacks. */
export interface Accesses {
  readonly count: number
  /** User by number. */
  readonly user: Uint32Array
  /** Address, unsigned 32 bits. */
  readonly ip: Uint32Array
  /** Seconds since 1970. */
  readonly time: Uint32Array
  readonly attacksFrom: number
  /** From here on every access becomes a pair: those at the window's edges, and the attacks. */
  readonly plainFrom: number
  /** Of the attacks, in their order. */
  readonly kinds: readonly Kind[]
}

/** An attacker that comes by IPv6 has a number all the same, which its address follows from. */
type Kind = AttackKind | typeof IPV6
const IPV6 = 'ipv6-network'
/** Of so many attacks one comes by IPv6, where there is any. */
const ONE_BY_IPV6 = 12

export interface AccessSettings {
  readonly window: Window
  /** Events of each user, over the whole span. */
  readonly events: readonly number[]
  /** Users whose name attackers may use. */
  readonly targets: readonly number[]
  /** Attacks in all. */
  readonly attacks: number
  /** Whether some of them come by IPv6. */
  readonly ipv6?: boolean
  /** Moves a time of the span a little, in seconds since 1970. */
  readonly shape?: (time: number) => number
}

/** Seconds from the window's edges at which an access is certain. */
const EDGES = [-1, 0] as const

/** All accesses of the users in the span, then those at the window's edges, then the attacks. */
export function accessesOf(behaviour: Behaviour, settings: AccessSettings): Accesses {
  const { events, targets, attacks, ipv6 = false, window, shape = (time) => time } = settings
  const kinds = Array.from({ length: attacks }, (_, n): Kind => kindOf(n, ipv6))
  const edges = [window.from, window.to].flatMap((edge) => EDGES.map((offset) => edge.getTime() / 1000 + offset))
  const habitual = events.reduce((sum, n) => sum + n, 0)
  const attacksFrom = habitual + edges.length
  const count = attacksFrom + attacks
  const [user, ip, time] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)]
  const put = (at: number, values: { user: number; ip: number; time: number }) => {
    user[at] = values.user
    ip[at] = values.ip
    time[at] = values.time
  }
  let at = 0
  const secondIn = clockOf(spanOf(window))
  for (const [who, n] of events.entries())
    for (let event = 0; event < n; event++)
      put(at++, {
        user: who,
        ip: behaviour.addressOf(who, event),
        time: shape(secondIn(behaviour.momentOf(who, event))),
      })
  for (const [n, edge] of edges.entries()) {
    const who = targets[n % targets.length] ?? 0
    put(at++, { user: who, ip: behaviour.addressOf(who, 0), time: edge })
  }
  const secondOfAttack = clockOf(attackSpanOf(window))
  // Numbers of events that no user reaches.
  for (const [n, attack] of attackersOf(behaviour, kinds, targets, { user, ip, count: attacksFrom }).entries())
    put(attacksFrom + n, {
      ...attack,
      time: Math.max(secondOfAttack(0), shape(secondOfAttack(behaviour.momentOf(attack.user, UNUSED + n)))),
    })
  return { count, user, ip, time, attacksFrom, plainFrom: habitual, kinds }
}

const kindOf = (n: number, ipv6: boolean): Kind =>
  ipv6 && n % ONE_BY_IPV6 === 9 ? IPV6 : (attackKinds[n % attackKinds.length] ?? 'random-network')

/** The address of an attack, where it is one of IPv6. */
export function ipv6Of({ kinds, attacksFrom, ip }: Accesses, access: number): string | undefined {
  if (kinds[access - attacksFrom] !== IPV6) return undefined
  const random = new Random(23, ip[access] ?? 0)
  return `${ipv6Home(random)}::${hex(random, 1).slice(0, 3)}f`
}

const UNUSED = 2 ** 31

const clockOf =
  ({ from, to }: Window) =>
  (moment: number): number =>
    Math.floor((from.getTime() + moment * (to.getTime() - from.getTime())) / 1000)

interface Attack {
  readonly user: number
  readonly ip: number
}

/** Addresses that the user never comes from: otherwise nothing could tell the attack from normal use. */
function attackersOf(
  behaviour: Behaviour,
  kinds: readonly Kind[],
  targets: readonly number[],
  known: { user: Uint32Array; ip: Uint32Array; count: number },
): Attack[] {
  const draw = (n: number, attempt: number): Attack => {
    const target = targets[Math.floor(behaviour.momentOf(0, UNUSED + 7 * n) * targets.length)] ?? 0
    const kind = attackKinds.find((known) => known === kinds[n]) ?? 'random-network'
    return { user: target, ip: behaviour.attackOn(target, kind, n + attempt * kinds.length) }
  }
  const attacks = kinds.map((_, n) => draw(n, 0))
  for (let attempt = 1; attempt <= 20; attempt++) {
    const usual = usualPairs(attacks, known)
    const again = attacks.flatMap((attack, n) => (usual.has(pairKey(attack)) ? [n] : []))
    if (again.length === 0) break
    for (const n of again) attacks[n] = draw(n, attempt)
  }
  return attacks
}

function usualPairs(attacks: readonly Attack[], known: { user: Uint32Array; ip: Uint32Array; count: number }) {
  const wanted = new Set(attacks.map(pairKey))
  const found = new Set<number>()
  for (let i = 0; i < known.count; i++) {
    const key = pairKey({ user: known.user[i] ?? 0, ip: known.ip[i] ?? 0 })
    if (wanted.has(key)) found.add(key)
  }
  return found
}

const pairKey = ({ user, ip }: Attack): number => user * 2 ** 32 + ip

/** Whole events per user in proportion to their habits, `total` in all where it is given; exact to the event. */
export function spread(habits: readonly number[], total?: number): number[] {
  const sum = habits.reduce((a, b) => a + b, 0)
  const scale = total === undefined ? 1 : total / sum
  let given = 0
  let due = 0
  return habits.map((habit) => {
    due += habit * scale
    const n = Math.round(due) - given
    given += n
    return n
  })
}

/** The attacks, as labels to measure against. */
export const labelsOf = (source: string, accesses: Accesses, entityOf: (user: number) => string): Label[] =>
  accesses.kinds.map((kind, n) => {
    const at = accesses.attacksFrom + n
    const [user = 0, ip = 0, time = 0] = [accesses.user[at], accesses.ip[at], accesses.time[at]]
    return { source, entity: entityOf(user), ip: ipv6Of(accesses, at) ?? formatIpv4(ip), kind, time }
  })
