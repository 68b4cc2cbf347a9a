import { createHash } from 'node:crypto'
import { count, plural, shortened, spelledOut } from '../../lib/cli/format.ts'
import type { Seen } from '../../lib/insights/accesses.ts'
import { byAddress, parseAddress, siteText } from '../../lib/insights/ipv6.ts'
import type { SeenIpv6 } from '../../lib/insights/ipv6-evidence.ts'
import { type Details, mergedDetails, pairKey, valuesOf } from '../../lib/runs/alerts.ts'
import { type PairProvider, providerBefore, providerText } from '../../lib/runs/providers/provider.ts'
import type { Span } from '../../lib/runs/times.ts'
import { allowanceText, seenByRule, type Verdict } from '../../lib/runs/verdicts.ts'
import { compactTime, type Window } from '../../lib/runs/window.ts'
import { calls, whoText } from '../alerts/text.ts'
import { seenBefore } from '../anomalies.ts'

/** What all findings of a run have in common. */
export interface About {
  readonly run: string
  readonly source: string
  /** The entity choice, for example `user-agent`. */
  readonly kind: string
  readonly threshold: number
  /** Whose findings these are, if known. */
  readonly account?: string
  readonly region?: string
  /** Event times of what was judged. */
  readonly window: Window
  /** Milliseconds. */
  readonly period: number
  /** When the verdicts were made: of two findings with one id, the one that was scored later holds. */
  readonly scoredAt: Date
  /** What the logs say about pairs, by `pairKey`. */
  readonly details?: ReadonlyMap<string, Details>
}

/** One alert: an entity that came from a /24, of IPv6 a /48, where it does not belong, in one period. */
export interface Finding {
  /** The same for the same source, account, entity, /24 and period, whichever run found it. */
  readonly id: string
  /** `allowed`: below the threshold, but in an allowed network; needs no attention. */
  readonly state: 'open' | 'allowed'
  /** Decoded, untrusted. */
  readonly entity: string
  /** `198.51.100.0/24`, `2001:db8::/48` */
  readonly network: string
  /** Ascending. */
  readonly addresses: readonly string[]
  /** Whose networks the addresses are in, where files of networks say so. */
  readonly providers: ReadonlyMap<string, PairProvider>
  /** Of the most anomalous address; absent for IPv6, which is judged by evidence alone. */
  readonly dotProduct?: number
  readonly anomalyScore: number
  /** Why it is flagged, weightiest first; empty where only the score ranks. */
  readonly reasons: readonly string[]
  readonly accesses: number
  /** Training pairs of the entity. */
  readonly events: number
  readonly seen?: Seen | SeenIpv6
  /** The allowed networks, and why where that is said. */
  readonly allowed: readonly string[]
  readonly allowances: readonly string[]
  readonly labels: readonly string[]
  /** Event times in milliseconds since 1970: first and last access, or where they are not known the bounds of what was judged. */
  readonly first: number
  readonly last: number
  /** What the logs say about these addresses, in all that was judged. */
  readonly details?: Details
}

/** A pair below the threshold, and when it occurred. */
export interface Sighting extends Span {
  readonly verdict: Verdict
}

/** Sightings of one entity from one /24 in one period, as one alert. @throws Error when there are none */
export function findingOf(sightings: readonly Sighting[], about: About): Finding {
  // An allowed address beside flagged ones does not change them.
  const flagged = sightings.filter(({ verdict }) => verdict.flagged)
  const kept = flagged.length > 0 ? flagged : sightings
  const verdicts = kept.map(({ verdict }) => verdict)
  const [worst] = [...verdicts].sort((a, b) => (b.anomalyScore ?? 0) - (a.anomalyScore ?? 0))
  if (worst === undefined) throw new Error('a finding of nothing')
  const { entity, events, seen, dotProduct, anomalyScore = 0, reasons = [] } = worst
  const network = siteText(worst.ip)
  const details = mergedDetails(distinct(verdicts.map(pairKey)).flatMap((key) => about.details?.get(key) ?? []))
  const first = kept.reduce((least, sighting) => Math.min(least, sighting.first), Infinity)
  return {
    id: idOf(about, entity, network, first),
    state: flagged.length > 0 ? 'open' : 'allowed',
    entity,
    network,
    addresses: distinct(verdicts.map(({ ip }) => ip)).sort((a, b) =>
      byAddress(parseAddress(a) ?? 0, parseAddress(b) ?? 0),
    ),
    providers: new Map(verdicts.flatMap(({ ip, provider }) => (provider ? [[ip, provider]] : []))),
    ...(dotProduct !== undefined && { dotProduct }),
    anomalyScore,
    reasons: reasons.map(({ text }) => text),
    accesses: kept.reduce((sum, { accesses }) => sum + accesses, 0),
    events,
    ...(seen !== undefined && { seen }),
    allowed: distinct(verdicts.map(({ allowed }) => allowed)),
    allowances: distinct(verdicts.map(({ allowance }) => allowance && allowanceText(allowance))),
    labels: distinct(verdicts.map(({ label }) => label)),
    first,
    last: kept.reduce((most, sighting) => Math.max(most, sighting.last), first),
    ...(details && { details }),
  }
}

/** Start of the period that a time is in; periods are counted from 1970 on. */
export const startOf = (time: number, period: number): number => Math.floor(time / period) * period

const distinct = (words: readonly (string | undefined)[]): string[] =>
  [...new Set(words.filter((word) => word !== undefined))].sort()

function idOf({ source, account = '', kind, period }: About, entity: string, network: string, first: number): string {
  const start = startOf(first, period)
  const identity = JSON.stringify([source, account, kind, entity, network, period, start])
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  const where = network.replace('/', '-')
  return `prestage/${source}/${account || 'any-account'}/${compactTime(new Date(start))}/${where}/${hash}`
}

/** An address far from everything known weighs more than a neighbouring network. */
export const severityOf = ({ state, seen }: Finding): 'informational' | 'low' | 'medium' =>
  state === 'allowed' ? 'informational' : seen !== undefined && !seenByRule(seen).net16 ? 'medium' : 'low'

/** Addresses that a text lists; of the rest it only gives the number. */
const NAMED = 10

export const titleOf = ({ entity, network, details }: Finding, { kind }: About): string =>
  shortened(`Access of ${kind} ${shortened(nameOf({ entity, details }), 160)} from ${network} does not fit`, 256)

/** The entity, and who that is where the logs say so. */
function nameOf({ entity, details }: { readonly entity: string; readonly details: Details | undefined }): string {
  const text = spelledOut(entity)
  const who = details === undefined ? text : whoText({ entity, details })
  return who === text || valuesOf(details, 'name').length === 0 ? text : `${text} (${who})`
}

/** Whose networks these are, in words. */
function ownersOf({ providers }: Finding): string[] {
  const texts = distinct(
    [...providers.values()].map((one) => [providerText(one), providerBefore(one)].filter(Boolean).join(', ')),
  )
  return texts.length === 0 ? [] : [`Network of ${shortened(texts.join('; '), 240)}.`]
}

/** What was done most, in words. */
function deeds(details: Details | undefined): string[] {
  const [done, failed] = [calls(details), valuesOf(details, 'error')]
  return [
    ...(done.length > 0 ? [`What was done: ${shortened(done.join(', '), 240)}.`] : []),
    ...(failed.length > 0 ? [`Errors: ${shortened(failed.map(spelledOut).join(', '), 120)}.`] : []),
  ]
}

const judgedBy = ({ dotProduct }: Finding): string =>
  dotProduct === undefined
    ? 'It is judged by evidence alone, since IP Insights takes no IPv6'
    : `IP Insights scores it ${dotProduct.toFixed(4)}`

/** What happened, how certain that is, and when. */
export function descriptionOf(finding: Finding, about: About): string {
  const { network, addresses, accesses, events, anomalyScore, reasons, details } = finding
  const [first, last] = [finding.first, finding.last].map((time) => new Date(time).toISOString())
  return shortened(
    [
      ...(finding.state === 'allowed' ? [`${reasonOf(finding)}.`] : []),
      `${plural(accesses, 'access', 'accesses')} of ${about.kind} ${shortened(nameOf({ ...finding, details }), 400)} from ${network} (${addressesOf(addresses)}).`,
      `Its anomaly score is ${anomalyScore.toFixed(4)}, alerts begin above ${(0 - about.threshold).toFixed(4)}. ${judgedBy(finding)}; the entity is known from ${plural(events, 'access', 'accesses')}.`,
      `Seen before for this entity: ${seenBefore(finding) || 'unknown'}. ${first} to ${last}.`,
      ...ownersOf(finding),
      ...deeds(details),
      ...(reasons.length > 0 ? [`Why: ${reasons.join('; ')}.`] : []),
    ].join(' '),
    1024,
  )
}

export const addressesOf = (addresses: readonly string[]): string =>
  addresses.length <= NAMED
    ? addresses.join(', ')
    : `${addresses.slice(0, NAMED).join(', ')} and ${count(addresses.length - NAMED)} more`

/** Why an allowed finding needs no attention. */
export const reasonOf = ({ allowed, allowances }: Finding): string =>
  shortened(
    [`Scores below the threshold, but lies in what is allowed: ${addressesOf(allowed)}`, ...allowances].join('; '),
    512,
  )
