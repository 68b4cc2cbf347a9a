import { kindOf } from '../lib/insights/accesses.ts'
import type { Ipv6Evidence, Ipv6Pair } from '../lib/insights/ipv6-evidence.ts'
import type { Prior } from '../lib/insights/rank.ts'
import type { PairProvider } from '../lib/runs/providers/provider.ts'
import type { Verdict } from '../lib/runs/verdicts.ts'
import { allowing, isBelow, judge, type Policy } from './judge.ts'
import type { Labels } from './user-files.ts'

/** IPv6 pairs to judge, and what judges them. */
export interface Ipv6Task {
  readonly pairs: readonly Ipv6Pair[]
  readonly evidence: Ipv6Evidence
  readonly prior: Prior
  /** Of IPv4, among what is judged. */
  readonly accessesPerPair: number
}

type ValuedPair = Ipv6Pair & { readonly events: number; readonly value: number }

/** The task with its pairs ranked. */
export interface Ipv6Ranked extends Ipv6Task {
  /** Low is suspicious; pairs of entities that are too rare have no value. */
  readonly valued: readonly ValuedPair[]
}

/** Ranks IPv6 pairs by evidence alone. */
export function valuedIpv6(task: Ipv6Task, minEvents: number): Ipv6Ranked {
  const { pairs, evidence } = task
  const valued = pairs.map((pair) => {
    const events = evidence.events(pair.entity)
    const isKnown = kindOf(events, minEvents) === 'scored'
    return { ...pair, events, value: isKnown ? evidence.value(pair.entity, pair.ip, task) : Number.NaN }
  })
  return { ...task, valued }
}

/** Values below the threshold, those in allowed networks not counted. */
export const ipv6Below = ({ valued }: Ipv6Ranked, policy: Policy): number[] =>
  valued
    .filter(({ entity, ip, value }) => value < policy.threshold && allowing(policy, entity, ip) === undefined)
    .map(({ value }) => value)

/** Verdicts on all of them, in their sequence. */
export const judgeIpv6 = (task: Ipv6Ranked, policy: Policy, beside: Beside): Verdict[] =>
  task.valued.map((pair) => {
    const { evidence } = task
    const { entity, ip } = pair
    const label = beside.labels?.of(entity, ip)
    const known = { ...pair, dotProduct: Number.NaN, seen: evidence.seen(entity, ip) }
    const verdict = judge({ ...known, ...(label !== undefined && { label }) }, policy, () =>
      evidence.reasons(entity, ip, task),
    )
    const provider = isBelow(verdict) ? beside.providerOf?.(entity, ip) : undefined
    return provider === undefined ? verdict : { ...verdict, provider }
  })

interface Beside {
  readonly labels: Labels | undefined
  readonly providerOf?: (entity: string, ip: bigint) => PairProvider | undefined
}
