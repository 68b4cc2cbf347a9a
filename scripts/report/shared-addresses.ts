import { plural } from '../lib/cli/format.ts'
import { Accesses } from '../lib/insights/accesses.ts'
import { decodeEntity } from '../lib/insights/entity-codec.ts'
import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { byAddress, parseAddress } from '../lib/insights/ipv6.ts'
import { pairsOf } from '../lib/runs/pairs.ts'
import { HOLDOUT, scoreStep } from '../lib/runs/paths.ts'
import type { Provider } from '../lib/runs/providers/provider.ts'
import type { Providers } from '../lib/runs/providers/providers.ts'
import type { Run } from '../lib/runs/run.ts'
import { type Verdict, verdictsOf } from '../lib/runs/verdicts.ts'
import type { ReportContext } from './collect.ts'
import type { ReportData } from './data.ts'

/** What the holdout of one source has from an address. */
export interface SeenIn {
  readonly source: string
  /** Pairs that are flagged; with none, the address is only seen. */
  readonly flagged: number
  /** Entities that came from there. */
  readonly entities: number
  readonly accesses: number
  /** The first of these entities, those that are flagged before the others. */
  readonly names: readonly string[]
}

/** An address that is flagged in a source, and that another one has, too. */
export interface SharedAddress {
  readonly ip: string
  readonly provider?: Provider
  /** Two or more, in the order of the sources. */
  readonly sources: readonly SeenIn[]
}

/** Flagged addresses that several sources have. */
export interface SharedAddresses {
  /** How many there are. */
  readonly count: number
  /** Those that most sources flag first, then those that most sources have; 1,000 at most. */
  readonly addresses: readonly SharedAddress[]
}

/** A source that came to an end, with what its report shows. */
export interface Finished {
  readonly source: string
  readonly run: Run
  readonly data: ReportData
}

const SHOWN = 1000
const NAMES_SHOWN = 3

/**
 * Looks for the flagged addresses of each source (of the 10,000 most anomalous pairs) among all the pairs that the others hold out. It is
 * the address itself: a /24 of a hosting provider has many strangers in it.
 * @returns undefined for fewer than two sources
 */
export async function sharedAddresses(
  sources: readonly Finished[],
  { signal, providers }: ReportContext,
): Promise<SharedAddresses | undefined> {
  if (sources.length < 2) return undefined
  const known = flaggedIn(sources)
  const found = new Map<string, SeenIn[]>()
  // One after the other: only what flagged addresses have is kept.
  for (const { source, run } of sources)
    for (const [ip, seen] of await seenIn(source, holdoutOf(run, signal), known))
      found.set(ip, [...(found.get(ip) ?? []), seen])
  const shared = [...found].filter(([, { length }]) => length > 1).map(([ip, seen]) => ({ ip, sources: seen }))
  return {
    count: shared.length,
    addresses: shared
      .sort(byWeight)
      .slice(0, SHOWN)
      .map((one) => withProvider(one, known.get(one.ip), providers)),
  }
}

/** The flagged addresses, with the networks that verdicts name. */
function flaggedIn(sources: readonly Finished[]): Map<string, Provider | undefined> {
  const known = new Map<string, Provider | undefined>()
  for (const { data } of sources)
    for (const { ip, flagged, provider } of data.scored?.top ?? [])
      if (flagged) known.set(ip, known.get(ip) ?? networkIn(provider))
  return known
}

/** Without what it says about one entity. */
function networkIn(provider: Verdict['provider']): Provider | undefined {
  if (provider === undefined) return undefined
  const { before: _, ...network } = provider
  return network
}

type Pair = Pick<Verdict, 'entity' | 'ip' | 'accesses' | 'flagged'>

/** Every distinct pair of the holdout, judged or not. */
async function* holdoutOf(run: Run, signal: AbortSignal): AsyncGenerator<Iterable<Pair>> {
  if (run.isDone(scoreStep(HOLDOUT))) yield* verdictsOf(run, HOLDOUT, signal)
  else yield unscored(new Accesses(await pairsOf(run, 'holdout', signal)))
}

function* unscored(accesses: Accesses): Generator<Pair> {
  for (const { entity, ip, accesses: n } of accesses.distinct())
    yield { entity: decodeEntity(entity), ip: formatIpv4(ip), accesses: n, flagged: false }
}

async function seenIn(
  source: string,
  batches: AsyncIterable<Iterable<Pair>>,
  known: ReadonlyMap<string, unknown>,
): Promise<Map<string, SeenIn>> {
  const found = new Map<string, SeenIn>()
  for await (const batch of batches)
    for (const pair of batch)
      if (known.has(pair.ip)) found.set(pair.ip, withPair(found.get(pair.ip) ?? nothing(source), pair))
  return found
}

const nothing = (source: string): SeenIn => ({ source, flagged: 0, entities: 0, accesses: 0, names: [] })

function withPair(seen: SeenIn, { entity, accesses, flagged }: Pair): SeenIn {
  const { names } = seen
  const at = flagged ? seen.flagged : names.length
  return {
    ...seen,
    flagged: seen.flagged + (flagged ? 1 : 0),
    entities: seen.entities + 1,
    accesses: seen.accesses + accesses,
    names: at < NAMES_SHOWN ? names.toSpliced(at, 0, entity).slice(0, NAMES_SHOWN) : names,
  }
}

const withProvider = (
  one: SharedAddress,
  named: Provider | undefined,
  providers: Providers | undefined,
): SharedAddress => {
  const provider = providers?.of(parseAddress(one.ip) ?? 0) ?? named
  return provider === undefined ? one : { ...one, provider }
}

const flaggingSources = ({ sources }: SharedAddress): number => sources.filter(({ flagged }) => flagged > 0).length

const byWeight = (a: SharedAddress, b: SharedAddress): number =>
  flaggingSources(b) - flaggingSources(a) ||
  b.sources.length - a.sources.length ||
  byAddress(parseAddress(a.ip) ?? 0, parseAddress(b.ip) ?? 0)

/** `2 flagged addresses: 203.0.113.9 in cloudtrail and alb, …` */
export function sharedText({ count, addresses }: SharedAddresses): string {
  if (count === 0) return 'no flagged address'
  const first = addresses
    .slice(0, TOLD)
    .map(({ ip, sources }) => `${ip} in ${sources.map(({ source }) => source).join(' and ')}`)
  const more = count > first.length ? ', …' : ''
  return `${plural(count, 'flagged address', 'flagged addresses')}: ${first.join(', ')}${more}`
}

/** On a terminal's one line. */
const TOLD = 3
