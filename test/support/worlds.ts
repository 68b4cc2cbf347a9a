import type { Pairs } from '../../scripts/lib/insights/pairs.ts'
import { attackKinds, behaviour } from '../../scripts/simulate/behaviour.ts'
import { TRAVEL } from '../../scripts/simulate/settings.ts'

/** An attack among the pairs of a holdout. */
export interface LabelledAttack {
  readonly kind: string
  readonly entity: number
  readonly ip: number
}

/** Pairs of one window, and of the day after it. */
export interface World {
  readonly train: Pairs
  readonly holdout: Pairs
  readonly next: Pairs
  /** Days of the holdout. */
  readonly days: number
  readonly attacks: readonly LabelledAttack[]
}

interface WorldSettings {
  readonly seed: number
  readonly users: number
  /** The tutorial's: everybody travels ten times as much, and no attack is in the holdout. */
  readonly tutorial?: boolean
}

/** The simulator's users as pairs, without logs: eight days to train on, two held out with attacks, one after them. */
export function worldOf({ seed, users, tutorial = false }: WorldSettings): World {
  const people = behaviour({ seed, users, travel: tutorial ? 1 : TRAVEL })
  const entities = Array.from({ length: users }, (_, user) => `user_${user}`)
  const rows = { train: rowsOf(), holdout: rowsOf(), next: rowsOf() }
  for (let user = 0; user < users; user++)
    for (let event = 0; event < Math.round(1.1 * people.eventsOf(user)); event++) {
      const day = 11 * people.momentOf(user, event)
      const part = day < 8 ? rows.train : day < 10 ? rows.holdout : rows.next
      part.add(user, people.addressOf(user, event))
    }
  const each = tutorial ? 0 : Math.round(users / 12)
  const attacks = attackKinds.flatMap((kind, k) =>
    Array.from({ length: each }, (_, n) => {
      const entity = (7919 * (n * attackKinds.length + k)) % users
      return { kind, entity, ip: people.attackOn(entity, kind, n) }
    }),
  )
  for (const { entity, ip } of attacks) rows.holdout.add(entity, ip)
  const pairs = (part: ReturnType<typeof rowsOf>): Pairs => ({ entities, ...part.columns() })
  return { train: pairs(rows.train), holdout: pairs(rows.holdout), next: pairs(rows.next), days: 2, attacks }
}

function rowsOf() {
  const [users, ips]: [number[], number[]] = [[], []]
  return {
    add(user: number, ip: number): void {
      users.push(user)
      ips.push(ip)
    },
    columns: () => ({ entityIndex: Uint32Array.from(users), ip: Uint32Array.from(ips) }),
  }
}
