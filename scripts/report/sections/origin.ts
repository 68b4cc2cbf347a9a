import { bytes, count, plural } from '../../lib/cli/format.ts'
import type { ReportData, Scored } from '../data.ts'
import { type Html, html, share } from '../html.ts'

interface Stage {
  readonly name: string
  readonly value: number
  readonly note: string
  readonly tone?: string
}

/** From log objects to alerts: what was left after every step, and why the rest was dropped. */
export function origin({ run, extracted, trained, scored, judged }: ReportData): Html {
  const logs = judged ?? { run, extracted }
  const { events, pairs, trainPairs, holdoutPairs, entities } = logs.extracted
  const split: Stage[] = [
    { name: 'to train on', value: trainPairs, note: 'the earlier part' },
    { name: 'held out', value: holdoutPairs, note: heldOut(trained?.calibrated?.days) },
  ]
  const judgedPairs = (pairs: Scored): Stage[] => [
    { name: 'pairs judged', value: pairs.judged, note: 'each entity and address once' },
    { name: 'pairs flagged', value: pairs.flagged, note: 'do not fit', tone: 'alert' },
  ]
  const stages: Stage[] = [
    { name: 'events', value: events, note: `in ${plural(logs.run.objects, 'object')}, ${bytes(logs.run.bytes)}` },
    { name: 'accesses', value: pairs, note: `of ${plural(entities, 'known entity', 'known entities')}` },
    ...(judged === undefined ? split : []),
    ...(scored === undefined ? [] : judgedPairs(scored)),
  ]
  return html`<section>
<h2>From logs to ${scored === undefined ? 'pairs' : 'alerts'}</h2>
<div class="pair">
<div class="scroll"><table class="funnel"><tbody>${stages.map((stage) => row(stage, events))}</tbody></table></div>
${dropped(logs.extracted)}
</div>
</section>`
}

const heldOut = (days: number | undefined): string =>
  days === undefined ? 'the later part' : `the last ${plural(Math.round(days * 10) / 10, 'day')}`

/** Cube roots: a handful of alerts still shows beside millions of events. */
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
