import { plural } from '../../lib/cli/format.ts'
import { type Html, html } from '../../lib/html/html.ts'

/** Rows before the fold. */
const UNFOLDED = 25

/** A table that may be very long: its first rows, and the others folded. The script of the page makes one table of them. */
export function longTable(className: string, head: Html, rows: readonly Html[]): Html {
  const table = (some: readonly Html[]) =>
    html`<div class="scroll"><table class="cards ${className}">
<thead>${head}</thead>
<tbody>
${some}</tbody></table></div>`
  const rest = rows.slice(UNFOLDED)
  return html`${table(rows.slice(0, UNFOLDED))}
${rest.length > 0 && html`<details class="rest"><summary>${plural(rest.length, 'more row')}</summary>${table(rest)}</details>`}`
}
