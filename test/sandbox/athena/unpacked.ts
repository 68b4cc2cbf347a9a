import { gunzipSync } from 'node:zlib'
import { messageOf } from '../../../scripts/lib/cli/errors.ts'
import type { Table } from './catalog.ts'
import type { Engine } from './engine.ts'
import { userError } from './errors.ts'
import { shaped, shapedMembers } from './hive-types.ts'

type Row = Readonly<Record<string, unknown>>

/** The text of an object, unpacked as the end of its key says. @throws QueryError */
export async function unpacked(engine: Engine, uri: string, bytes: Buffer): Promise<string> {
  try {
    if (/\.zstd?$/.test(uri)) return await engine.unzstd(bytes)
    return (uri.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  } catch (error) {
    throw userError(`HIVE_CURSOR_ERROR: Failed to read file at ${uri}: ${messageOf(error)}`)
  }
}

/** The rows of an object, as the table's SerDe reads them. @throws QueryError */
export function rowsOf(table: Table, uri: string, text: string): Row[] {
  if (table.format === 'cloudtrail') return documentRows(table, uri, text)
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (table.format === 'regex') return groupsOf(table, lines)
  return lines.map((line) => (table.format === 'text' ? fieldsOf(table, line) : jsonRow(table, uri, line)))
}

const fieldsOfTable = ({ columns }: Table) => columns.map(({ name, type }) => [name, type] as const)

/** CloudTrailInputFormat: one document with a list `Records`. */
function documentRows(table: Table, uri: string, text: string): Row[] {
  const document = parsed(text, (reason) => `HIVE_CURSOR_ERROR: Failed to read file at ${uri}: ${reason}`)
  const records = (document as { Records?: unknown } | null)?.Records
  if (records === undefined) return []
  if (!Array.isArray(records)) throw userError(`HIVE_CURSOR_ERROR: Failed to read file at ${uri}: Records is no list`)
  return records.map((record: unknown) =>
    typeof record === 'object' && record !== null ? shapedMembers(fieldsOfTable(table), record as Row) : {},
  )
}

/** OpenX JSON: a line is an object, an empty one a row of nulls. */
function jsonRow(table: Table, uri: string, line: string): Row {
  if (line.trim() === '') return {}
  try {
    const value = parsed(
      line,
      (reason) => `HIVE_BAD_DATA: Row is not a valid JSON Object - JSONException: ${reason}: ${uri}`,
    )
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return shapedMembers(fieldsOfTable(table), value as Row)
    throw userError(`HIVE_BAD_DATA: Row is not a valid JSON Object: ${uri}`)
  } catch (error) {
    if (table.parameters['serde.param.ignore.malformed.json'] === 'true') return {}
    throw error
  }
}

/** RegexSerDe: a group for each column, by their places; a line that does not match as a whole is a row of nulls. */
function groupsOf({ columns, parameters }: Table, lines: readonly string[]): Row[] {
  const pattern = parameters['serde.param.input.regex']
  if (pattern === undefined) throw userError('HIVE_SERDE: This table does not have serde property "input.regex"!')
  // Java does not take $ as the end of a line here either, and its dot stops at line breaks.
  const line = new RegExp(`^(?:${pattern})$`, 'u')
  const groups = (new RegExp(`${pattern}|`, 'u').exec('')?.length ?? 1) - 1
  if (groups !== columns.length)
    throw userError(
      `HIVE_BAD_DATA: Number of matching groups (${groups}) does not match the number of columns (${columns.length})`,
    )
  return lines.map((text) => {
    const match = line.exec(text)
    return Object.fromEntries(columns.map(({ name }, i) => [name, match?.[i + 1] ?? null]))
  })
}

/** LazySimpleSerDe: what is missing, or no number, is null. */
function fieldsOf(table: Table, line: string): Row {
  const fields = line.split(table.delimiter)
  return Object.fromEntries(
    table.columns.map(({ name, type }, i) => {
      const field = fields[i]
      if (field === undefined || field === '\\N') return [name, null]
      try {
        return [name, shaped(type, field, name)]
      } catch {
        return [name, null]
      }
    }),
  )
}

function parsed(text: string, told: (reason: string) => string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw userError(told(messageOf(error)))
  }
}
