import type { CommandResult } from '../lib/cli/command.ts'
import { aboutUsd, bytes, csvCell, fingerprint, plural, spelledOut, table } from '../lib/cli/format.ts'
import { decodeEntity } from '../lib/insights/entity-codec.ts'

/** An answer: rows as text, in the order of the question. */
export interface Answer {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly (string | null)[])[]
  /** Whether there are more rows than were asked for. */
  readonly more: boolean
  /** Bytes that Athena scanned, and their price. */
  readonly scannedBytes?: number
  readonly usd?: number
}

export interface Column {
  readonly name: string
  readonly isNumber: boolean
}

/** Columns of this name hold milliseconds since 1970. */
const isTime = (column: string): boolean => /(^|_)time$/.test(column)

/** Columns of this name hold entities: those of `classified` are encoded, as in pairs. */
const isEntity = (column: string): boolean => /(^|_)entity$/.test(column)

interface Asked {
  readonly run: string
  readonly question: string
  readonly engine: 'athena' | 'duckdb'
}

interface Shape {
  /** Text is CSV, not a table. */
  readonly csv: boolean
  /** Whether the answer is about `classified`. */
  readonly classified: boolean
}

/** The answer as a table, as CSV or as JSON. Times are written as times, entities as in the logs; in JSON, numbers are numbers. */
export function renderAnswer(asked: Asked, answer: Answer, { csv, classified }: Shape): CommandResult {
  const { more, scannedBytes } = answer
  const columns = distinct(answer.columns.map(({ name }) => name))
  const isEncoded = (i: number) => classified && isEntity(answer.columns[i]?.name ?? '')
  const rows = answer.rows.map((row) =>
    row.map((cell, i) =>
      cell !== null && isEncoded(i) ? decodeEntity(cell) : shown(answer.columns[i]?.name ?? '', cell),
    ),
  )
  const csvText = (cell: string | null, i: number) => csvCell(isEncoded(i) ? spelledOut(cell ?? '') : (cell ?? ''))
  const value = (cell: string | null | undefined, i: number) =>
    answer.columns[i]?.isNumber ? numberOf(cell ?? null) : (cell ?? null)
  const scanned = scannedBytes === undefined ? [] : [`${bytes(scannedBytes)} scanned, ${aboutUsd(answer.usd ?? 0)}`]
  const note = [plural(rows.length, 'row'), ...(more ? ['there are more: raise --limit'] : []), ...scanned]
  const asTable = [table([columns, ...rows.map((row) => row.map(tableCell))]), '', note.join('; ')].join('\n')
  return {
    json: {
      ...asked,
      columns,
      rows: rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, value(row[i], i)]))),
      more,
      ...(scannedBytes !== undefined && { scannedBytes, usd: answer.usd ?? 0 }),
    },
    text: csv ? [columns, ...rows].map((row) => row.map(csvText).join(',')).join('\n') : asTable,
  }
}

/** Makes names unique: the second `ip` becomes `ip_2`, because a row of JSON can have only one. */
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

/** Whole numbers beyond ±(2^53 − 1) and what is not finite stay text: as a JSON number they would be another number, or none. */
function numberOf(cell: string | null): string | number | null {
  if (cell === null || cell === '') return cell
  const number = Number(cell)
  const isExact = Number.isFinite(number) && (Number.isSafeInteger(number) || !/^-?\d+$/.test(cell))
  return isExact ? number : cell
}

const WIDEST = 200

/** A cell on one line, cut so that the other columns stay visible: log text may be long. */
function tableCell(cell: string | null): string {
  const line = (cell ?? '').replace(/\s+/g, ' ')
  return line.length <= WIDEST ? line : `${line.slice(0, WIDEST - 1)}…${fingerprint(cell ?? '')}`
}
