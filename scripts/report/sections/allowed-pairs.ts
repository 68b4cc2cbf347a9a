import { count, plural } from '../../lib/cli/format.ts'
import { type Html, html, scoreText, strange } from '../../lib/html/html.ts'
import type { Anomaly, ReportData } from '../data.ts'
import { entityCell } from './entity-cell.ts'
import { longTable } from './long-table.ts'
import { providerNote } from './provider-note.ts'

/** What would be flagged if nobody had allowed it: it stays visible. */
export function allowedPairs({ scored }: ReportData): Html | undefined {
  if (scored === undefined || scored.allowedTop.length === 0) return undefined
  const { allowed, allowedTop, of } = scored
  const all =
    allowedTop.length < allowed
      ? `The first ${count(allowedTop.length)}; all are in scores/${of}/verdicts.ndjson.`
      : 'All of them.'
  return html`<section class="long">
<h2>Allowed</h2>
<p>${plural(allowed, 'pair')} below the threshold ${allowed === 1 ? 'is' : 'are'} no alert, because ${allowed === 1 ? 'its' : 'their'} network is allowed. ${all}</p>
${longTable(
  'allowed',
  html`<tr><th>entity</th><th>address</th><th>anomaly score</th><th class="number">accesses</th><th>allowed network</th><th>why</th><th>by</th><th>through</th></tr>`,
  allowedTop.map(row),
)}
</section>`
}

const row = ({ entity, ip, provider, anomalyScore, accesses, allowed, allowance }: Anomaly): Html =>
  html`<tr>${entityCell(entity)}<td class="address"><b class="ip">${ip}</b>${providerNote(provider)}</td><td class="score">${scoreText(anomalyScore)}</td><td class="number accesses">${count(accesses)}</td><td class="networks"><span>${allowed}</span></td>${
    allowance === undefined
      ? html`<td class="why-allowed"><small class="kind">--allow</small></td><td class="by"></td><td class="until"></td>`
      : html`<td class="why-allowed">${strange(allowance.why, 200)}</td><td class="by"><span class="kind">${strange(allowance.by, 60)}</span></td><td class="until">${allowance.until}</td>`
  }</tr>
`
