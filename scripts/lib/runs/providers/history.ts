import { encodeEntity } from '../../insights/entity-codec.ts'
import { type Address, formatNetwork, isInNetwork, type Network } from '../../insights/ipv6.ts'
import type { Past } from '../../insights/past.ts'
import type { PairProvider, Provider } from './provider.ts'
import type { Providers } from './providers.ts'

/** What the training pairs say about the providers of entities. Entities are encoded. */
export class ProviderHistory {
  private readonly providers: Providers
  private readonly trained: Past
  private readonly counted = new Map<string, ReadonlyMap<number | string, number>>()

  constructor(providers: Providers, trained: Past) {
    this.providers = providers
    this.trained = trained
  }

  /** Training accesses of the entity from the provider of an address; all that no file knows count as one provider. */
  before(entity: string, ip: Address): number {
    return this.of(entity).get(nameOf(this.providers.of(ip))) ?? 0
  }

  private of(entity: string): ReadonlyMap<number | string, number> {
    const known = this.counted.get(entity)
    if (known !== undefined) return known
    const counts = new Map<number | string, number>()
    for (const [ip, accesses] of this.trained.from(entity)) {
      const name = nameOf(this.providers.of(ip))
      counts.set(name, (counts.get(name) ?? 0) + accesses)
    }
    this.counted.set(entity, counts)
    return counts
  }
}

/** By what providers are told apart. */
const nameOf = (provider: Provider | undefined): number | string => provider?.number ?? provider?.name ?? ''

/** The provider of a pair's address, and how often its entity came from there. @param trained undefined where the pairs are gone */
export function pairProviders(
  providers: Providers,
  trained: Past | undefined,
): (entity: string, ip: Address) => PairProvider | undefined {
  const history = trained && new ProviderHistory(providers, trained)
  return (entity, ip) => {
    const provider = providers.of(ip)
    if (provider === undefined || history === undefined || nameOf(provider) === '') return provider
    return { ...provider, before: history.before(entity, ip) }
  }
}

/** A network that an entity usually comes from, with its share of the accesses. */
export interface Usual {
  readonly network: string
  readonly share: number
  /** From which most of these accesses came. */
  readonly provider?: Provider
}

/** Where entities usually come from, by decoded names; empty where that is not known. It remembers what it found. */
export function usualPlaces(
  trained: Past | undefined,
  providers: Providers | undefined,
): (entity: string) => readonly Usual[] {
  const found = new Map<string, readonly Usual[]>()
  return (name) => {
    const known = found.get(name)
    if (known !== undefined || trained === undefined) return known ?? []
    const entity = encodeEntity(name)
    const usual = trained.usual(entity).map(({ network, share }) => {
      const provider = providers && busiestIn(network, trained.from(entity), providers)
      return { network: formatNetwork(network), share, ...(provider && { provider }) }
    })
    found.set(name, usual)
    return usual
  }
}

function busiestIn(network: Network, accesses: ReturnType<Past['from']>, providers: Providers): Provider | undefined {
  const counts = new Map<number | string, { provider: Provider | undefined; accesses: number }>()
  for (const [ip, many] of accesses) {
    if (!isInNetwork(ip, network)) continue
    const provider = providers.of(ip)
    const sum = counts.get(nameOf(provider)) ?? { provider, accesses: 0 }
    sum.accesses += many
    counts.set(nameOf(provider), sum)
  }
  return [...counts.values()].sort((a, b) => b.accesses - a.accesses)[0]?.provider
}
