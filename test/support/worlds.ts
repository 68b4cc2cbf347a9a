import type { Pairs } from '../../scripts/lib/insights/pairs.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
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
  /** They are in the holdout. */
  readonly attacks: readonly LabelledAttack[]
}

/** What somebody does in a world: pairs by day, and what attackers do. */
interface Inhabitants {
  readonly users: number
  /** Accesses of a user. */
  events(user: number): number
  address(user: number, event: number): number
  /** Days since the beginning; undefined for what is left out. */
  day(user: number, event: number): number
  attack(user: number, kind: string, n: number): number
}

interface WorldSettings {
  readonly seed: number
  readonly users: number
}

/** The simulator's users as pairs, without logs. */
export function simulatedWorld({ seed, users }: WorldSettings): World {
  const people = behaviour({ seed, users, travel: TRAVEL })
  // A day before the window and one after it are simulated, too.
  return worldOf(seed, [1, 9, 11, 12], inhabitants(people, 1.2, 12))
}

/** Those of AWS's tutorial: everybody travels ten times as much, seven days are trained on. */
export function tutorialWorld({ seed, users }: WorldSettings): World {
  return worldOf(seed, [0, 7, 9, 10], inhabitants(behaviour({ seed, users }), 1, 10))
}

const inhabitants = (people: ReturnType<typeof behaviour>, stretch: number, span: number): Inhabitants => ({
  users: people.users,
  events: (user) => Math.round(stretch * people.eventsOf(user)),
  address: people.addressOf,
  day: (user, event) => span * people.momentOf(user, event),
  attack: (user, kind, n) => people.attackOn(user, attackKinds.find((known) => known === kind) ?? 'random-network', n),
})

/** @param days when training, holdout and the day after begin, and when all ends */
export function worldOf(seed: number, days: readonly [number, number, number, number], people: Inhabitants): World {
  const { users } = people
  const entities = Array.from({ length: users }, (_, user) => `user_${user}`)
  const rows = { train: new Rows(), holdout: new Rows(), next: new Rows() }
  const [from, held, next] = days
  for (let user = 0; user < users; user++)
    for (let event = 0; event < people.events(user); event++) {
      const day = people.day(user, event)
      if (day < from) continue
      const part = day < held ? rows.train : day < next ? rows.holdout : rows.next
      part.add(user, people.address(user, event))
    }
  const random = new Random(seed, 1234)
  const attacks = attackKinds.flatMap((kind) =>
    Array.from({ length: Math.round(users / 12) }, (_, n) => {
      const entity = random.below(users)
      return { kind, entity, ip: people.attack(entity, kind, n) }
    }),
  )
  for (const { entity, ip } of attacks) rows.holdout.add(entity, ip)
  const pairs = (part: Rows): Pairs => ({ entities, ...part.columns() })
  return { train: pairs(rows.train), holdout: pairs(rows.holdout), next: pairs(rows.next), days: next - held, attacks }
}

class Rows {
  private readonly users: number[] = []
  private readonly ips: number[] = []

  add(user: number, ip: number): void {
    this.users.push(user)
    this.ips.push(ip)
  }

  columns(): Pick<Pairs, 'entityIndex' | 'ip'> {
    return { entityIndex: Uint32Array.from(this.users), ip: Uint32Array.from(this.ips) }
  }
}
