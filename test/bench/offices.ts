import { publicAddress } from '../../scripts/lib/insights/attackers.ts'
import { networkOf } from '../../scripts/lib/insights/ipv4.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import { attackKinds } from '../../scripts/simulate/behaviour.ts'
import { type World, worldOf } from '../support/worlds.ts'

/**
 * Another law than the simulator's: offices and mobile carriers that many share, home networks whose leases change, servers in
 * clouds, people who move, and trips that cluster in time. Nothing was chosen on it but on its seeds from 101 on.
 */
export function officeWorld({ seed, users }: { readonly seed: number; readonly users: number }): World {
  const of = (...keys: number[]) => new Random(seed, 777, ...keys)
  const random = of(0)
  const network = (length: number) => networkOf(publicAddress(random), length)
  const carriers = Array.from({ length: 12 }, () => network(14))
  const providers = Array.from({ length: 30 }, () => Array.from({ length: 3 + random.below(8) }, () => network(16)))
  const sites = Array.from({ length: 25 }, () => ({ base: network(24), addresses: 1 + random.below(8) }))
  const clouds = Array.from({ length: 6 }, () => network(15))
  const people = Array.from({ length: users }, (_, user) => personOf(of(1, user), providers))

  const atSite = (site: number, draw: Random): number => {
    const { base, addresses } = sites[site] ?? { base: 0, addresses: 1 }
    return base + draw.below(addresses)
  }
  /** Hotels, other offices, and other carriers; a trip lasts two days. */
  const onTrip = (user: number, day: number, draw: Random): number => {
    const chance = draw.uniform()
    const trip = of(3, user, Math.floor(day / 2) + 50 * draw.below(2))
    if (chance < 0.5) return networkOf(publicAddress(trip), 24) + draw.below(2 ** 8)
    return chance < 0.75 ? atSite(trip.below(25), draw) : (carriers[trip.below(12)] ?? 0) + draw.below(2 ** 18)
  }
  const address = (user: number, event: number, day: number): number => {
    const person = people[user]
    if (person === undefined) throw new RangeError(`no user ${user}`)
    const draw = of(2, user, event)
    if (draw.uniform() < person.travel) return onTrip(user, day, draw)
    if (person.kind === 'server')
      return (clouds[person.cloud] ?? 0) + of(4, user, draw.below(3 + (user % 20))).below(2 ** 17)
    if (person.kind === 'desk') return atSite(person.site, draw)
    if (draw.uniform() < person.mobile)
      return (carriers[person.carrier] ?? 0) + Math.floor(2 ** 18 * draw.uniform() ** 2)
    if (draw.uniform() >= person.atHome) return atSite(person.site, draw)
    const moved = day > person.moves
    const lease = of(5, user, Math.floor(day * 0.7))
    const off = lease.uniform() < 0.8 ? lease.below(4096) : lease.below(65_536)
    return (moved ? person.newBlock : person.block) + ((person.home + (moved ? 30_000 : 0) + off) % 65_536)
  }
  const dayOf = (user: number, event: number): number => of(6, user, event).uniform() * 11
  return worldOf(seed, [0, 8, 10, 11], {
    users,
    events: (user) => people[user]?.events ?? 0,
    address: (user, event) => address(user, event, dayOf(user, event)),
    day: dayOf,
    attack: (user, kind, n) => {
      const draw = of(
        7,
        user,
        n,
        attackKinds.findIndex((known) => known === kind),
      )
      if (kind === 'random-network') return publicAddress(draw)
      if (kind === 'near-network') {
        const blocks = people[user]?.blocks ?? []
        return (blocks[draw.below(blocks.length)] ?? 0) + draw.below(65_536)
      }
      const other = (user + 1 + draw.below(users - 1)) % users
      return address(other, draw.below(people[other]?.events ?? 1), draw.uniform() * 11)
    },
  })
}

function personOf(random: Random, providers: readonly (readonly number[])[]) {
  const chance = random.uniform()
  const kind = chance < 0.7 ? 'mobile' : chance < 0.9 ? 'desk' : 'server'
  const blocks = providers[random.below(providers.length)] ?? []
  const events = Math.floor(20 * Math.exp(1.3 * random.normal()) + 15) * (kind === 'mobile' ? 1 : 3)
  return {
    kind,
    events: Math.min(8000, events),
    site: Math.floor(25 * random.uniform() ** 2),
    blocks,
    block: blocks[random.below(blocks.length)] ?? 0,
    newBlock: blocks[random.below(blocks.length)] ?? 0,
    home: random.below(65_536),
    carrier: random.below(12),
    cloud: random.below(6),
    travel: -0.0084 * Math.log(1 - random.uniform()),
    moves: random.uniform() < 0.03 ? random.uniform() * 12 : Number.POSITIVE_INFINITY,
    atHome: random.uniform(),
    mobile: 0.15 * random.uniform(),
  } as const
}
