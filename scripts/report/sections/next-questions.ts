import { escapedJson, printable, quoted } from '../../lib/cli/format.ts'
import { type Html, html } from '../../lib/html/html.ts'
import type { ReportData } from '../data.ts'

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
    withAllow &&
      html`<li>Or allow it to this entity alone, with an entry in a file for <code>--allow allow.yaml</code>, where you say why, and who you are: <code class="entry" data-copy="entry pair">${ENTRY}</code></li>
`,
  ]
  return html`<ul class="next">${rows}</ul>`
}

/** The script of the page fills it in for a pair; a person says why and by whom. */
const ENTRY = '- entity: "ENTITY"\n  network: ADDRESS/32\n  until: DAY\n  why:\n  by:'

/** @param copies the label of the button and what completes the command */
const row = (copies: string, what: string, command: string | undefined): Html | false =>
  command !== undefined &&
  html`<li>${what} <code data-copy="${copies}">${command}</code><var>${copies.replace(/^\w+ /, '').toUpperCase()}</var></li>
`

/** Longer ones are no command that anybody pastes. */
const LONGEST = 1000

/** An entity as a text of YAML, which JSON is; undefined where nobody would write it. */
export const yamlText = (entity: string): string | undefined =>
  entity.length <= LONGEST ? escapedJson(JSON.stringify(entity)) : undefined

/** An entity as a word of a command line; undefined where a terminal would obey it. */
export const pasted = (entity: string): string | undefined =>
  entity.length <= LONGEST && printable(entity) === entity && !/[\n\t]/.test(entity) ? quoted(entity) : undefined
