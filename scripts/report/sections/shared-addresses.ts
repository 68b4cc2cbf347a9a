import { count, plural } from '../../lib/cli/format.ts'
import { type Html, html, strange } from '../../lib/html/html.ts'
import type { SeenIn, SharedAddress, SharedAddresses } from '../shared-addresses.ts'
import { longTable } from './long-table.ts'
import { providerNote } from './provider-note.ts'

/** A source of the page: its id, and its name as AWS writes it. */
interface Column {
  readonly source: string
  readonly sourceName: string
}

/** Flagged addresses that another source has, too. */
export function sharedSection({ count: all, addresses }: SharedAddresses, columns: readonly Column[]): Html {
  if (all === 0)
    return html`<section>
<h2>Seen in several sources</h2>
<p>No flagged address occurs in what another source holds out.</p>
</section>
`
  const shown =
    addresses.length < all
      ? `The first ${count(addresses.length)} of ${plural(all, 'address', 'addresses')}.`
      : `${plural(all, 'address', 'addresses')}.`
  return html`<section class="long">
<h2>Seen in several sources</h2>
<p>Addresses that one source flags and another one has too, flagged or not, in what they hold out. It may be one visitor, or many behind one address. ${shown}</p>
${longTable(
  'shared',
  html`<tr><th>address</th>${columns.map(({ sourceName }) => html`<th>${sourceName}</th>`)}</tr>`,
  addresses.map((one) => row(one, columns)),
)}
</section>
`
}

const row = ({ ip, provider, sources }: SharedAddress, columns: readonly Column[]): Html =>
  html`<tr><td class="address"><b class="ip">${ip}</b>${providerNote(provider)}</td>${columns.map((column) => cell(column, sources))}</tr>
`

function cell({ source, sourceName }: Column, all: readonly SeenIn[]): Html {
  const seen = all.find((one) => one.source === source)
  if (seen === undefined) return html`<td class="seen-in none"></td>`
  const { flagged, entities, accesses, names } = seen
  const more = entities - names.length
  return html`<td class="seen-in"><small class="source">${sourceName}: </small><span class="kind">${flagged > 0 ? 'flagged' : 'only seen'}</span> <small>${plural(accesses, 'access', 'accesses')} of ${plural(entities, 'entity', 'entities')}${flagged > 0 && flagged < entities && `, ${count(flagged)} flagged`}</small>${names.map((name) => html`<span class="entity">${strange(name, 60)}</span>`)}${more > 0 && html`<small>and ${count(more)} more</small>`}</td>`
}
