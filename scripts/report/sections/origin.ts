import { bytes, count, plural } from '../../lib/cli/format.ts'
import type { ReportData } from '../data.ts'
import { type Html, html } from '../html.ts'
import { share } from '../numbers.ts'

interface Stage {
  readonly name: string
  readonly value: number
  readonly note: string
  readonly tone?: string
}

/** From log objects to alerts: what was left over after every step, and why the rest fell out. */
export function origin({ run, extracted, trained: { calibrated }, scored }: ReportData): Html {
  const stages: Stage[] = [
    { name: 'events', value: extracted.events, note: `in ${plural(run.objects, 'object')}, ${bytes(run.bytes)}` },
    {
      name: 'accesses',
      value: extracted.pairs,
      note: `of ${plural(extracted.entities, 'known entity', 'known entities')}`,
    },
    { name: 'to train on', value: extracted.trainPairs, note: 'the earlier part' },
    { name: 'held out', value: extracted.holdoutPairs, note: heldOut(calibrated?.days) },
    ...(scored === undefined
      ? []
      : [
          { name: 'pairs judged', value: scored.judged, note: 'each entity and address once' },
          { name: 'pairs flagged', value: scored.flagged, note: 'do not fit', tone: 'alert' },
        ]),
  ]
  return html`<section>
<h2>From logs to ${scored === undefined ? 'pairs' : 'alerts'}</h2>
<div class="pair">
<div class="scroll"><table class="funnel"><tbody>${stages.map((stage) => row(stage, extracted.events))}</tbody></table></div>
${dropped(extracted)}
</div>
</section>`
}

const heldOut = (days: number | undefined): string =>
  days === undefined ? 'the later part' : `the last ${plural(Math.round(days * 10) / 10, 'day')}`

/** Widths of a cube root: a handful of alerts still shows beside millions of events. */
const row = ({ name, value, note, tone }: Stage, most: number): Html =>
  html`<tr><th scope="row">${name}</th><td class="number">${count(value)}</td><td><svg class="bar ${tone}" width="120" height="14" viewBox="0 0 120 14" aria-hidden="true"><rect width="${width(value, most)}" height="14" rx="2"/></svg></td><td><small>${note}</small></td></tr>
`

const width = (value: number, most: number): number =>
  value === 0 || most === 0 ? 0 : Math.max(2, Math.round(120 * Math.cbrt(value / most)))

function dropped({ dropped, events }: ReportData['extracted']): Html {
  if (dropped.length === 0) return html`<p>Every event became an access.</p>`
  return html`<div class="scroll"><table class="dropped">
<caption>Events that are no access of an entity from an address</caption>
<tbody>${dropped.map(
    ({ reason, events: n }) =>
      html`<tr><td>${reason}</td><td class="number">${count(n)}</td><td class="number"><small>${share(events === 0 ? 0 : n / events)}</small></td></tr>
`,
  )}</tbody></table></div>`
}
