import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { createTable, type RunTable } from '../../scripts/lib/engines/athena/sql.ts'
import { columnsOf } from '../../scripts/lib/engines/athena/table.ts'
import type { LogFile } from '../../scripts/lib/engines/records/index.ts'
import { identifier, literal } from '../../scripts/lib/engines/render.ts'
import type { Source } from '../../scripts/lib/sources/source.ts'
import { ask } from './client.ts'

/** A type of Hive, without spaces, as Trino writes it: `struct<a:string>` is `row("a" varchar)`. */
export function trinoType(hive: string): string {
  const [, outer = '', inner = ''] = /^(\w+)<(.*)>$/.exec(hive) ?? []
  if (outer === 'array') return `array(${trinoType(inner)})`
  if (outer === 'struct')
    return `row(${parts(inner)
      .map((field) => {
        const at = field.indexOf(':')
        return `${identifier(field.slice(0, at))} ${trinoType(field.slice(at + 1))}`
      })
      .join(', ')})`
  if (hive === 'string') return 'varchar'
  if (hive === 'bigint') return 'bigint'
  if (hive === 'int') return 'integer'
  throw new Error(`no type of Trino for "${hive}"`)
}

/** Splits at commas that are not within brackets. */
function parts(list: string): string[] {
  const found = ['']
  let depth = 0
  for (const character of list) {
    if ('<('.includes(character)) depth += 1
    if ('>)'.includes(character)) depth -= 1
    if (character === ',' && depth === 0) found.push('')
    else found[found.length - 1] += character
  }
  return found
}

/**
 * Lines of text as their table has them, a line of JSON each: what Java finds with the pattern of the table, and Hive's hidden column of
 * where each lies.
 */
export async function recordsOfText(source: Source, files: readonly LogFile[]): Promise<string[]> {
  const sql = await createTable({ source, database: 'd' }, 's3://bucket/prefix')
  const [, literalOfHive = ''] = /'input\.regex' = '((?:[^'\\]|\\.)*)'/.exec(sql) ?? []
  const pattern = literalOfHive.replace(/\\(.)/g, '$1')
  const names = columnsOf(sql).map(([name]) => name)
  const lines = files.flatMap(({ key, path }) => linesOfFile(path).map((line) => ({ key, line })))
  const input = lines.map(({ line }) => line).join('\n')
  const java = [GROUPS, pattern]
  const found = execFileSync('java', java, { input, maxBuffer: 256 << 20 })
    .toString()
    .split('\n')
  return lines.map(({ key }, i) => {
    const groups = (found[i] ?? '').split('\u001f').map((group) => (group === '\0' ? null : group))
    if (groups.length !== names.length) throw new Error(`${groups.length} groups for ${names.length} columns`)
    return JSON.stringify({ ...Object.fromEntries(names.map((name, n) => [name, groups[n]])), $path: key })
  })
}

/** The lines of a file, without their breaks. */
export function linesOfFile(path: string): string[] {
  const bytes = readFileSync(path)
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString()
  return text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined)
}

const GROUPS = fileURLToPath(new URL('Groups.java', import.meta.url))

/** How much text goes into one statement. */
const CHUNK = 500_000

/**
 * Makes the table of a source, with the columns and types of its table.sql, and fills the partition of a run with records, a
 * line of JSON each. AWS's input formats and serdes are not part of Trino, and its Hive connector has other ones: here JSON is cast to the
 * declared types, which like them takes members whatever their case; a record of other types is a row of nulls. Lines of text are taken
 * apart by Java's regular expressions, as Hive's serde has them.
 */
export async function loadRecords(url: string, table: RunTable, lines: readonly string[]): Promise<void> {
  const columns = await columnsIn(table.source, table.database)
  const fields = columns.map(([name, type]) => `${identifier(name)} ${trinoType(type)}`).join(', ')
  const target = `${identifier(table.database)}.${identifier(table.source.id)}`
  await ask(url, `create schema if not exists ${identifier(table.database)}`)
  await ask(url, `create table if not exists ${target} (${fields}, "$path" varchar, run varchar)`)
  for (const chunk of chunks(lines)) {
    // One long literal is planned far sooner than thousands; JSON has no newline in a line.
    const given = `unnest(split(${literal(chunk.join('\n'))}, chr(10))) as lines (line)`
    const parsed = `select try_cast(try(json_parse(line)) as row(${fields}, "$path" varchar)) as r from ${given}`
    const members = columns.map(([name]) => `r.${identifier(name)}`).join(', ')
    await ask(url, `insert into ${target} select ${members}, r."$path", ${literal(table.run)} from (${parsed})`)
  }
}

const columnsIn = async (source: Source, database: string): Promise<[name: string, type: string][]> =>
  columnsOf(await createTable({ source, database }, 's3://bucket/prefix'))

function* chunks(lines: readonly string[]): Generator<string[]> {
  let chunk: string[] = []
  let size = 0
  for (const line of lines) {
    if (chunk.length > 0 && size + line.length > CHUNK) {
      yield chunk
      chunk = []
      size = 0
    }
    chunk.push(line)
    size += line.length
  }
  if (chunk.length > 0) yield chunk
}
