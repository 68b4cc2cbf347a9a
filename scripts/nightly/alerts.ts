import { siteText } from '../lib/insights/ipv6.ts'
import { type Alert, callText, valuesOf } from '../lib/runs/alerts.ts'
import type { Night, ToldAlert } from '../lib/runs/nights.ts'
import type { Window } from '../lib/runs/window.ts'

/** Alerts of a day, by whether somebody has heard of them. */
export interface Sifted {
  /** One for each entity and /24, most anomalous first. */
  readonly told: readonly ToldAlert[]
  /** Alerts on an entity and /24 that were told less than a period ago, and go on. */
  readonly goingOn: number
}

/**
 * What is new among the alerts on a day. An alert on an entity and /24 is told once in a period, which begins with the day on which it
 * is told; one that still goes on after that is told again.
 * @param nights of the source @param period milliseconds
 */
export function newAlerts(
  alerts: readonly Alert[],
  nights: readonly Night[],
  { from }: Window,
  period: number,
): Sifted {
  const since = from.getTime() - period
  const recent = nights.filter((night) => {
    const at = new Date(night.from).getTime()
    return at > since && at < from.getTime()
  })
  const known = new Set(recent.flatMap(({ judged }) => judged?.told ?? []).map(subjectOf))
  const told = new Map<string, ToldAlert>()
  const goingOn = new Set<string>()
  for (const alert of alerts) {
    const subject = subjectOf(alert)
    if (known.has(subject)) goingOn.add(subject)
    else if (!told.has(subject)) told.set(subject, toldOf(alert))
  }
  return { told: [...told.values()], goingOn: goingOn.size }
}

const subjectOf = ({ entity, ip }: Pick<Alert, 'entity' | 'ip'>): string => `${siteText(ip)} ${entity}`

function toldOf({ entity, ip, anomalyScore, reasons, details }: Alert): ToldAlert {
  const [name = ''] = valuesOf(details, 'name')
  const [account = ''] = valuesOf(details, 'account')
  const [call = ''] = [...valuesOf(details, 'call'), ...valuesOf(details, 'request')]
  return { entity, ip, name, account, call: callText(call), anomalyScore, reason: reasons[0] ?? '' }
}
