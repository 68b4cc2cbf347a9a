import { printable, quoted } from '../../lib/cli/format.ts'
import type { ReportData } from '../data.ts'
import { type Html, html } from '../html.ts'

/**
 * The commands that follow an alert, for people to complete; the script of the page completes them for a row and copies them.
 * @param withAllow whether an address may be allowed: only what could be flagged
 */
export function nextQuestions({ questions }: ReportData, withAllow: boolean): Html | undefined {
  if (questions === undefined) return undefined
  const rows = [
    row('ask address', 'Who else came from this address:', questions.address),
    row('ask entity', 'From where this entity came, and when:', questions.entity),
    withAllow &&
      row('allow address', 'Score again without alerts for this address, or a network around it:', questions.allow),
  ]
  return html`<ul class="next">${rows}</ul>`
}

/** @param copies the label of the button and what completes the command */
const row = (copies: string, what: string, command: string | undefined): Html | false =>
  command !== undefined &&
  html`<li>${what} <code data-copy="${copies}">${command}</code><var>${copies.replace(/^\w+ /, '').toUpperCase()}</var></li>
`

/** Longer ones are no command that anybody pastes. */
const LONGEST = 1000

/** An entity as a word of a command line; undefined where a terminal would obey it. */
export const pasted = (entity: string): string | undefined =>
  entity.length <= LONGEST && printable(entity) === entity && !/[\n\t]/.test(entity) ? quoted(entity) : undefined
