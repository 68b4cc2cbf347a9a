import { bytes, count, plural, usd } from '../../lib/cli/format.ts'
import { type Content, type Html, html, scoreText, share, strange } from '../../lib/html/html.ts'
import type { ReportData, Scored } from '../data.ts'

interface Stage {
  readonly name: string
  readonly value: number
  readonly note: string
  readonly tone?: string
}

/** From log objects to alerts: what is left after each step, and why the rest was dropped. */
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
<p>Bars are as long as the cube roots of the numbers, so that a handful stays visible beside millions.</p>
<div class="pair">
<div class="scroll"><table class="funnel"><tbody>${stages.map((stage) => row(stage, events))}</tbody></table></div>
${dropped(logs.extracted)}
</div>
</section>`
}

const heldOut = (days: number | undefined): string =>
  days === undefined ? 'the later part' : `the last ${plural(Math.round(days * 10) / 10, 'day')}`

/** Cube roots, so that a handful of alerts is visible beside millions of events. */
const row = ({ name, value, note, tone }: Stage, most: number): Html =>
  html`<tr><th scope="row">${name}</th><td class="number">${count(value)}</td><td><svg class="bar ${tone}" width="120" height="14" viewBox="0 0 120 14" aria-hidden="true"><rect width="${width(value, most)}" height="14" rx="2"/></svg></td><td><small>${note}</small></td></tr>
`

const width = (value: number, most: number): number =>
  value === 0 || most === 0 ? 0 : Math.max(2, Math.round(120 * Math.cbrt(value / most)))

function dropped({ dropped, events }: ReportData['extracted']): Html {
  if (dropped.length === 0) return html`<p>Every event became an access.</p>`
  return html`<div class="scroll"><table class="dropped">
<caption>Events that did not become accesses</caption>
<tbody>${dropped.map(
    ({ reason, events: n }) =>
      html`<tr><td>${reason}</td><td class="number">${count(n)}</td><td class="number"><small>${share(events === 0 ? 0 : n / events)}</small></td></tr>
`,
  )}</tbody></table></div>`
}

/** All settings that somebody needs to repeat the run. */
export function settings({ run, extracted, trained, scored, judged }: ReportData): Html {
  const rows: (readonly [name: string, value: Content] | undefined)[] = [
    ...(judged === undefined
      ? []
      : ([
          ['judged run', judged.run.id],
          ['judged logs', strange(judged.run.logs, 300)],
          ['judged window', windowOf(judged.run)],
        ] as const)),
    [judged === undefined ? 'run' : 'run of the model', run.id],
    ['logs', strange(run.logs, 300)],
    ['window', windowOf(run)],
    ['entity', extracted.entity],
    ['held out from', extracted.cutoff],
    scored?.by === undefined ? undefined : ['scored by', scored.by],
    scored && ['threshold', thresholdOf(scored)],
    scored && ['judged from', `${plural(scored.minEvents, 'access', 'accesses')} in training`],
    scored && ['allowed networks', scored.allow.length === 0 ? 'none' : scored.allow.join(', ')],
    trained && [
      'hyperparameters',
      trained.hyperparameters.map(([name, value]) => html`<span class="setting">${name} ${value}</span> `),
    ],
    ['cost so far', `${usd(run.usd + (judged?.run.usd ?? 0))} (estimate; ${run.priceNote})`],
  ]
  return html`<section class="settings">
<h2>Settings</h2>
<dl>${rows
    .filter((row) => row !== undefined)
    .map(
      ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`,
    )}</dl>
</section>`
}

const windowOf = ({ from, to }: ReportData['run']): string => `${from} to ${to}`

const thresholdOf = ({ rank, threshold, alertsPerDay, allowed }: NonNullable<ReportData['scored']>): string =>
  [
    rank === 'score' ? `dot product below ${scoreText(threshold)}` : `anomaly score above ${scoreText(0 - threshold)}`,
    alertsPerDay === null ? 'set by hand' : `for ${plural(alertsPerDay, 'alert')} per day`,
    ...(allowed > 0 ? [`${allowed} in allowed networks`] : []),
  ].join(', ')
