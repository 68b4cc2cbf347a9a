import type { Outcome } from '../lib/cli/command.ts'
import { aboutUsd, bytes, plural, table } from '../lib/cli/format.ts'

/** What an engine answers: rows as text, in the order of the question. */
export interface Answer {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
  /** Whether there are more than were asked for. */
  readonly more: boolean
  /** What Athena has scanned, and what that costs. */
  readonly scannedBytes?: number
  readonly usd?: number
}

/** Columns of this name hold milliseconds since 1970. */
const isTime = (column: string): boolean => /(^|_)time$/.test(column)

/** The answer as a table, as CSV or as JSON; times are written as times. */
export function outcomeOf(run: string, question: string, engine: string, answer: Answer, csv: boolean): Outcome {
  const { more, scannedBytes } = answer
  const columns = distinct(answer.columns)
  const rows = answer.rows.map((row) => row.map((cell, i) => shown(answer.columns[i] ?? '', cell)))
  const scanned = scannedBytes === undefined ? [] : [`${bytes(scannedBytes)} scanned, ${aboutUsd(answer.usd ?? 0)}`]
  const note = [plural(rows.length, 'row'), ...(more ? ['there are more: --limit'] : []), ...scanned]
  const asTable = [table([columns, ...rows.map((row) => row.map(tableCell))]), '', note.join('; ')].join('\n')
  return {
    json: {
      run,
      question,
      engine,
      columns,
      rows: rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i] ?? null]))),
      more,
      ...(scannedBytes !== undefined && { scannedBytes, usd: answer.usd ?? 0 }),
    },
    text: csv ? [columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\n') : asTable,
  }
}

/** Each name once, the second `ip` as `ip_2`: a row of JSON would lose the first. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  for (const name of names) {
    let own = name
    for (let n = 2; taken.has(own); n++) own = `${name}_${n}`
    taken.add(own)
  }
  return [...taken]
}

function shown(column: string, cell: string | null): string | null {
  if (cell === null || !isTime(column) || !/^-?\d{1,15}$/.test(cell)) return cell
  return new Date(Number(cell)).toISOString()
}

const WIDEST = 200

/** One line, and not so wide that the other columns are out of sight: what a stranger wrote may be long. */
function tableCell(cell: string | null): string {
  const line = (cell ?? '').replace(/\s+/g, ' ')
  return line.length <= WIDEST ? line : `${line.slice(0, WIDEST - 1)}…`
}

/** RFC 4180; a cell that a spreadsheet would take for a formula gets a quote before it. */
function csvCell(cell: string | null): string {
  const text = cell ?? ''
  const harmless =
    /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(text) && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)
      ? `'${text}`
      : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
