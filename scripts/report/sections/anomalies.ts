import { count, plural } from '../../lib/cli/format.ts'
import { type Html, html, scoreText, share, strange } from '../../lib/html/html.ts'
import { callText, valuesOf } from '../../lib/runs/alerts.ts'
import { seenByRule } from '../../lib/runs/verdicts.ts'
import { type Anomaly, type ReportData, rules, shortName, shortNameOfIpv6 } from '../data.ts'
import { budget } from './budget.ts'
import { entityCell } from './entity-cell.ts'
import { longTable } from './long-table.ts'
import { nextQuestions } from './next-questions.ts'
import { providerNote } from './provider-note.ts'

/** The most anomalous pairs, each with where its entity usually comes from. */
export function anomalies(data: ReportData): Html | undefined {
  const { scored } = data
  if (scored === undefined || scored.top.length === 0) return undefined
  const { of, top, flagged, attacks } = scored
  const labelled = attacks !== undefined
  const most = Math.max(...top.map((anomaly) => anomaly.anomalyScore))
  const least = -scored.threshold
  const known = top.some(({ details }) => details !== undefined)
  const width = (value: number) => Math.max(0, Math.round(100 * ((value - least) / (most - least || 1))))
  return html`<section class="long">
<h2>Most anomalous pairs</h2>
<p>${whatOf(of, flagged, top.length)}
The bar is linear: empty at the threshold, full at the highest score. The usual networks are those that the entity came from in training.</p>
${budget(scored)}
${longTable(
  'anomalies',
  html`<tr><th class="number"></th><th>entity</th><th>address</th><th>anomaly score</th><th>seen before</th><th class="number">accesses</th>${known && html`<th>what was done</th>`}<th>usual networks</th>${labelled && html`<th>known as</th>`}</tr>`,
  top.map((anomaly, i) => row(anomaly, i + 1, width(anomaly.anomalyScore), { known, labelled })),
)}
${nextQuestions(data, true)}
</section>`
}

function whatOf(of: string, flagged: number, shown: number): string {
  if (flagged > shown)
    return `The first ${count(shown)} of ${plural(flagged, 'flagged pair')}; the verdicts in scores/${of}/verdicts.ndjson have them all.`
  return flagged === 0 ? 'Nothing is flagged; these come closest.' : 'All flagged pairs, and the next ones.'
}

/** Columns that not every table has. */
interface Columns {
  readonly known: boolean
  readonly labelled: boolean
}

const row = (anomaly: Anomaly, rank: number, width: number, { known, labelled }: Columns): Html =>
  html`<tr class="${anomaly.flagged ? 'flagged' : 'below'}"><td class="number rank">${rank}</td>${entityCell(anomaly.entity, `${plural(anomaly.events, 'access', 'accesses')} in training`)}<td class="address"><b class="ip">${anomaly.ip}</b>${providerNote(anomaly.provider)}</td><td class="score">${bar(width)}${scoreText(anomaly.anomalyScore)}${notFlagged(anomaly)}</td><td class="seen">${seen(anomaly)}${why(anomaly)}</td><td class="number accesses">${count(anomaly.accesses)}</td>${known && html`<td class="done">${done(anomaly)}</td>`}<td class="networks">${usual(anomaly)}</td>${labelled && html`<td class="known-as">${anomaly.label !== undefined && html`<mark class="kind">${strange(anomaly.label, 30)}</mark>`}</td>`}</tr>
`

const bar = (width: number): Html =>
  html`<svg class="bar" width="100" height="10" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="10" rx="2"/></svg> `

const notFlagged = ({ flagged }: Anomaly): Html | false => !flagged && html` <small class="kind">not flagged</small>`

function seen({ seen }: Anomaly): Html {
  if (seen === undefined) return html`<small>not known</small>`
  const by = seenByRule(seen)
  const found = rules.filter((rule) => by[rule]).at(0)
  if (found === undefined) return html`<span class="kind never">never</span>`
  const isSame64 = 'net64' in seen && seen.net64 && found !== 'ip'
  return html`<span class="kind">${'net64' in seen ? (isSame64 ? '/64' : shortNameOfIpv6[found]) : shortName[found]}</span>`
}

/** Reasons in a row of the table. */
const REASONS = 2

/** What speaks most against the pair; what speaks for it has a negative weight. */
const why = ({ reasons = [] }: Anomaly): Html[] =>
  reasons
    .filter(({ weight }) => weight > 0)
    .slice(0, REASONS)
    .map(({ text }) => html` <small class="why">${text}</small>`)

/** Calls or requests in a row of the table. */
const CALLS = 3

/** By whom, when, what was called or requested, and what failed. */
function done({ details }: Anomaly): Html | false {
  if (details === undefined) return false
  const { first, last, aspects } = details
  const calls = [...(aspects.call ?? []), ...(aspects.request ?? [])]
    .slice(0, CALLS)
    .map(({ value, events }) => html`<span>${strange(callText(value), 40)} <small>${count(events)}</small></span> `)
  const most = (aspect: string) =>
    valuesOf(details, aspect)
      .slice(0, 1)
      .map((value) => html`<small class="${aspect}">${strange(value, 40)}</small> `)
  return html`${most('name')}${most('account')}<small>${minute(first)}${last !== first && ` to ${minute(last)}`}</small> ${calls}${most('error')}`
}

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ')

const usual = ({ usual }: Anomaly): Html | Html[] =>
  usual.length === 0
    ? html`<small>not known</small>`
    : usual.map(
        ({ network, share: part, provider }) =>
          html`<span>${network} <small>${share(part)}</small>${providerNote(provider)}</span> `,
      )
