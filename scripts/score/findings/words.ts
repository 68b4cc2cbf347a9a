import { count, plural } from '../../lib/cli/format.ts'
import { seenBefore } from '../anomalies.ts'
import { cut, shown } from './display.ts'
import type { About, Finding } from './finding.ts'

/** Addresses that are named; of more only the number is told. */
const NAMED = 10

export const titleOf = ({ entity, network }: Finding, { kind }: About): string =>
  cut(`Access of ${kind} ${cut(shown(entity), 160)} from ${network} does not fit`, 256)

/** What happened, how sure that is, and over which time. */
export function descriptionOf(finding: Finding, about: About): string {
  const { entity, network, addresses, accesses, events, dotProduct } = finding
  const [first, last] = [finding.first, finding.last].map((time) => new Date(time).toISOString())
  return cut(
    [
      `${plural(accesses, 'access', 'accesses')} of ${about.kind} ${cut(shown(entity), 400)} from ${network} (${addressesOf(addresses)}).`,
      `IP Insights scores it ${dotProduct.toFixed(4)}, the threshold is ${about.threshold.toFixed(4)}; the model knows the entity from ${plural(events, 'access', 'accesses')}.`,
      `Seen before for this entity: ${seenBefore(finding) || 'unknown'}. ${first} to ${last}.`,
    ].join(' '),
    1024,
  )
}

export const addressesOf = (addresses: readonly string[]): string =>
  addresses.length <= NAMED
    ? addresses.join(', ')
    : `${addresses.slice(0, NAMED).join(', ')} and ${count(addresses.length - NAMED)} more`

/** Why an allowed finding needs nobody. */
export const noteOf = ({ allowed }: Finding): string =>
  cut(`Scores below the threshold, but lies in what is allowed: ${addressesOf(allowed)}`, 512)
