import { count, plural } from '../../lib/cli/format.ts'
import { type Html, html } from '../../lib/html/html.ts'
import type { Scored } from '../data.ts'

/** What the number of alerts says, and what it does not say. */
export function budget({ alertsPerDay, flagged, days, judged }: Scored): Html | undefined {
  if (judged === 0) return undefined
  const rate = `${plural(flagged, 'alert')} in ${plural(rounded(days), 'day')} ${flagged === 1 ? 'is' : 'are'} ${count(rounded(flagged / days))} a day`
  if (alertsPerDay === null)
    return html`<p>${rate}. Their number follows from the threshold, which was set by hand: it does not say how many attacks there were.</p>`
  return html`<p>${rate}, for a budget of ${count(alertsPerDay)}. Their number follows from the budget, not from attacks: a quiet day has about as many
alerts. Read from the top, and stop where the rows no longer tell anything.</p>`
}

const rounded = (value: number): number => (value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)
