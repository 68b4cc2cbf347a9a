import { count, plural } from '../../lib/cli/format.ts'
import { type Anomaly, type ReportData, rules, shortName } from '../data.ts'
import { type Html, html, scoreText, share, strange } from '../html.ts'

/** The most anomalous pairs, each with where its entity usually comes from. */
export function anomalies({ scored }: ReportData): Html | undefined {
  if (scored === undefined || scored.top.length === 0) return undefined
  const { of, top, flagged, attacks } = scored
  const labelled = attacks !== undefined
  const most = Math.max(...top.map((anomaly) => anomaly.anomalyScore))
  const least = Math.min(...top.map((anomaly) => anomaly.anomalyScore), -scored.threshold)
  const width = (value: number) => Math.round(6 + 94 * ((value - least) / (most - least || 1)))
  return html`<section>
<h2>Most anomalous pairs</h2>
<p>${whatOf(of, flagged, top.length)}
The bar shows how little a pair fits; the usual networks are those that its entity came from in training.</p>
<div class="scroll"><table class="anomalies">
<thead><tr><th class="number"></th><th>entity</th><th>address</th><th>anomaly score</th><th>seen before</th><th class="number">accesses</th><th>usual networks</th>${labelled && html`<th>known as</th>`}</tr></thead>
<tbody>
${top.map((anomaly, i) => row(anomaly, i, width(anomaly.anomalyScore), labelled))}
</tbody></table></div>
</section>`
}

function whatOf(of: string, flagged: number, shown: number): string {
  if (flagged > shown)
    return `The first ${shown} of ${plural(flagged, 'flagged pair')}; more are in scores/${of}/anomalies.csv.`
  return flagged === 0 ? 'Nothing is flagged; these come closest.' : 'All flagged pairs, and the next ones.'
}

const row = (anomaly: Anomaly, i: number, width: number, labelled: boolean): Html =>
  html`<tr class="${anomaly.flagged ? 'flagged' : 'below'}"><td class="number rank">${i + 1}</td><td class="entity">${strange(anomaly.entity)}<small>${plural(anomaly.events, 'access', 'accesses')} in training</small></td><td class="address">${anomaly.ip}</td><td class="score">${bar(width)}${scoreText(anomaly.anomalyScore)}${notFlagged(anomaly)}</td><td>${seen(anomaly)}</td><td class="number">${count(anomaly.accesses)}</td><td class="networks">${usual(anomaly)}</td>${labelled && html`<td>${anomaly.label !== undefined && html`<mark>${strange(anomaly.label, 30)}</mark>`}</td>`}</tr>
`

const bar = (width: number): Html =>
  html`<svg class="bar" width="100" height="10" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="10" rx="2"/></svg> `

function notFlagged({ flagged, allowed }: Anomaly): Html | false {
  if (flagged) return false
  return allowed === undefined ? html` <small>not flagged</small>` : html` <small>allowed by ${allowed}</small>`
}

function seen({ seen }: Anomaly): Html {
  if (seen === undefined) return html`<small>not known</small>`
  const found = rules.filter((rule) => seen[rule]).at(0)
  return found === undefined
    ? html`<span class="never">never</span>`
    : html`<span class="known">${shortName[found]}</span>`
}

const usual = ({ usual }: Anomaly): Html | Html[] =>
  usual.length === 0
    ? html`<small>not known</small>`
    : usual.map(({ network, share: part }) => html`<span>${network} <small>${share(part)}</small></span> `)

/** Entities that the model cannot judge: they are listed, never passed off as normal. */
export function unjudged({ scored }: ReportData): Html | undefined {
  if (scored === undefined || scored.unjudged.length === 0) return undefined
  return html`<section>
<h2>Not judged</h2>
<p>The entities of ${plural(scored.unseen, 'pair')} never occurred in training, and those of ${plural(scored.sparse, 'pair')}
have fewer than ${plural(scored.minEvents, 'access', 'accesses')} there. These pairs are not cleared: check them by other means. The busiest entities:</p>
<div class="scroll"><table>
<thead><tr><th>entity</th><th>why</th><th class="number">addresses</th><th class="number">accesses</th></tr></thead>
<tbody>${scored.unjudged.map(
    ({ entity, verdict, addresses, accesses }) =>
      html`<tr><td class="entity">${strange(entity)}</td><td>${verdict === 'unseen-entity' ? 'never seen' : 'too rarely seen'}</td><td class="number">${count(addresses)}</td><td class="number">${count(accesses)}</td></tr>
`,
  )}</tbody></table></div>
</section>`
}
