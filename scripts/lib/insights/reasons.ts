import { count, plural } from '../cli/format.ts'
import type { Evidence } from './evidence.ts'
import type { Contributions } from './rank.ts'

/** What a part of the evidence adds to the log odds that an access is somebody else's, and what that part says. */
export interface Reason {
  /** Positive is suspicious. Differences between alerts mean something, the absolute number does not. */
  readonly weight: number
  readonly text: string
}

/** Why an access is ranked as it is, weightiest first. */
export function reasonsOf(evidence: Evidence, dotProduct: number, by: Contributions): Reason[] {
  const reasons = [
    { weight: by.distance + by.net24 + by.net16 + by.near16 + by.near20, text: whereText(evidence) },
    { weight: by.novelty, text: noveltyText(evidence) },
    { weight: by.score, text: `IP Insights scores it ${dotProduct.toFixed(2)}` },
    { weight: by.prefixes, text: prefixText(evidence) },
    {
      weight: by.accesses + by.prior,
      text: `${plural(evidence.accesses, 'access', 'accesses')} of this entity in training`,
    },
  ]
  return reasons.sort((a, b) => b.weight - a.weight)
}

function whereText({ ip, net24, net20, net16, others24, others16 }: Evidence): string {
  if (ip > 0) return `${plural(ip, 'access', 'accesses')} from this address before`
  if (net24 > 0) return `${plural(net24, 'access', 'accesses')} from this /24 before, none from the address`
  const others = others24 > 0 ? `others ${times(others24)} from this /24` : othersIn16(others16)
  if (net20 > 0) return `${plural(net20, 'access', 'accesses')} from this /20 before, none from the /24; ${others}`
  if (net16 > 0) return `${plural(net16, 'access', 'accesses')} from this /16 before, none from the /20; ${others}`
  return `never in this /16; ${others}`
}

const othersIn16 = (accesses: number): string =>
  accesses > 0 ? `others ${times(accesses)} from this /16, never from the /24` : 'others neither'

const times = (n: number): string => (n === 1 ? 'once' : `${count(n)} times`)

const noveltyText = ({ novelty }: Evidence): string =>
  novelty > 0.5
    ? 'this entity is often so far from all its other addresses'
    : `this entity is so far from all its other addresses once in ${count(Math.round(1 / novelty))} accesses`

/** Counted from 2 on: less is no difference. */
function prefixText({ pmi }: Evidence): string {
  const factor = Math.exp(Math.min(30, Math.abs(pmi)))
  if (factor < 2) return 'by prefixes, its /24 is as likely for this entity as for all'
  return `by prefixes, its /24 is ${count(Math.round(factor))} times ${pmi < 0 ? 'less' : 'more'} likely for this entity than for all`
}
