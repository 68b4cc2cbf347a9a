import { count, plural } from '../../lib/cli/format.ts'
import type { ReportData } from '../data.ts'
import { type Html, html, strange } from '../html.ts'

/** Entities of which the model can say nothing: they are listed, never passed off as normal. */
export function unjudged({ scored }: ReportData): Html | undefined {
  if (scored === undefined || scored.unjudged.length === 0) return undefined
  return html`<section>
<h2>Not judged</h2>
<p>The model knows nothing of ${plural(scored.unseen, 'pair')} whose entity it has never seen, and too little of ${plural(scored.sparse, 'pair')}
whose entity has fewer than ${plural(scored.minEvents, 'access', 'accesses')} in training. They are not cleared: look at them by other means. The busiest:</p>
<div class="scroll"><table>
<thead><tr><th>entity</th><th>why</th><th class="number">addresses</th><th class="number">accesses</th></tr></thead>
<tbody>${scored.unjudged.map(
    ({ entity, verdict, addresses, accesses }) =>
      html`<tr><td class="entity">${strange(entity)}</td><td>${verdict === 'unseen-entity' ? 'never seen' : 'too seldom seen'}</td><td class="number">${count(addresses)}</td><td class="number">${count(accesses)}</td></tr>
`,
  )}</tbody></table></div>
</section>`
}
