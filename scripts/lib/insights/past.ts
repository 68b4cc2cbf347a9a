import type { Accesses } from './accesses.ts'
import { type Address, formatNetwork, type Network, siteOf } from './ipv6.ts'
import type { Ipv6Pair } from './ipv6-evidence.ts'

/** Where entities came from in training. Entities are encoded. */
export interface Past {
  /** Every address of an entity once, with its accesses. */
  from(entity: string): Iterable<readonly [ip: Address, accesses: number]>
  /** Where an entity usually comes from, most frequent first, with shares of its accesses. */
  usual(entity: string): readonly { readonly network: Network; readonly share: number }[]
}

const MOST_USUAL = 3

/** IPv4 and IPv6 together; of IPv6 the usual networks are /48. */
export function pastOf(accesses: Accesses, ipv6: readonly Ipv6Pair[]): Past {
  if (ipv6.length === 0) return accesses
  const own = new Map<string, Ipv6Pair[]>()
  for (const pair of ipv6) own.set(pair.entity, [...(own.get(pair.entity) ?? []), pair])
  return {
    *from(entity) {
      yield* accesses.from(entity)
      for (const { ip, accesses } of own.get(entity) ?? []) yield [ip, accesses]
    },
    usual(entity) {
      const sites = new Map<string, { network: Network; accesses: number }>()
      for (const { ip, accesses } of own.get(entity) ?? []) {
        const network = siteOf(ip)
        const before = sites.get(formatNetwork(network))?.accesses ?? 0
        sites.set(formatNetwork(network), { network, accesses: before + accesses })
      }
      const ofIpv6 = [...sites.values()]
      const all = accesses.events(entity) + ofIpv6.reduce((sum, site) => sum + site.accesses, 0)
      const ofIpv4 = accesses
        .usual(entity)
        .map(({ network, share }) => ({ network, accesses: share * accesses.events(entity) }))
      return [...ofIpv4, ...ofIpv6]
        .sort((a, b) => b.accesses - a.accesses)
        .slice(0, MOST_USUAL)
        .map((site) => ({ network: site.network, share: site.accesses / all }))
    },
  }
}
