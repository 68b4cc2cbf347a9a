import { count, plural } from '../../lib/cli/format.ts'
import { type Html, html } from '../../lib/html/html.ts'
import type { ReportData, Unjudged } from '../data.ts'
import { entityCell } from './entity-cell.ts'
import { longTable } from './long-table.ts'
import { nextQuestions } from './next-questions.ts'
import { providerNote } from './provider-note.ts'

/** Entities that the model cannot judge: they are listed with their addresses, never passed off as normal. */
export function unjudged(data: ReportData): Html | undefined {
  const { scored } = data
  if (scored === undefined || scored.unjudged.length === 0) return undefined
  const { unseen, sparse, minEvents, of, unjudgedEntities, unjudged: shown } = scored
  const all =
    shown.length < unjudgedEntities
      ? `The busiest ${count(shown.length)} of ${count(unjudgedEntities)} entities; all are in scores/${of}/verdicts.ndjson.`
      : 'All of them, the busiest first.'
  return html`<section class="long">
<h2>Not judged</h2>
<p>The entities of ${plural(unseen, 'pair')} never occurred in training, and those of ${plural(sparse, 'pair')}
have fewer than ${plural(minEvents, 'access', 'accesses')} there. These pairs are not cleared: check them by other means. ${all}</p>
${longTable('unjudged', HEAD, shown.map(row))}
${nextQuestions(data, false)}
</section>`
}

const HEAD = html`<tr><th>entity</th><th>why</th><th class="number">accesses</th><th>addresses</th></tr>`

const row = ({ entity, verdict, addresses, busiest, accesses }: Unjudged): Html =>
  html`<tr>${entityCell(entity)}<td><span class="kind">${verdict === 'unseen-entity' ? 'never seen' : 'too rarely seen'}</span></td><td class="number accesses">${count(accesses)}</td><td class="addresses">${busiest.map(address)}${addresses > busiest.length && html`<small>and ${count(addresses - busiest.length)} more</small>`}</td></tr>
`

const address = ({ ip, accesses, provider }: Unjudged['busiest'][number]): Html =>
  html`<span><b class="ip">${ip}</b> <small>${count(accesses)}</small>${providerNote(provider)}</span> `
