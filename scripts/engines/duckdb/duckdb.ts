import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { messageOf, UserError } from '../../cli/errors.ts'
import type { Source } from '../../sources/source.ts'
import { identifier, literal, render } from '../render.ts'
import { Malformed } from './json-bytes.ts'
import { type BadFile, type LogFile, type Spool, spool } from './spool.ts'
import { malformedFiles } from './suspects.ts'

export interface DuckdbSettings {
  readonly source: Source
  /** Members of a record that are kept; the columns of others are null. */
  readonly members: readonly string[]
  /** Folder for what does not fit in memory; removed at the end. */
  readonly scratch: string
  /** As DuckDB writes it, for example 192MB. */
  readonly memoryLimit: string
  readonly threads: number
  readonly skipBadFiles: boolean
  readonly signal: AbortSignal
  onFile(): void
  onState(text: string): void
}

/** A table over `accesses`, as a query. It has its column `drop_reason`. */
export interface Relation {
  readonly name: string
  readonly sql: string
}

/** Nothing is fetched from anywhere. */
const OFFLINE = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }

/** What the common texts need, in the words of Trino; `preserve_insertion_order` only matters to rows without an order. */
const PREPARATION = `
  set TimeZone = 'UTC';
  set preserve_insertion_order = false;
  create macro regexp_like(subject, pattern) as regexp_matches(subject, pattern);`

/**
 * Makes tables over the records of log files with DuckDB, and hands them to `use`: records are found and cut down first, then
 * everything is SQL.
 * @param relations in order; a later one may name an earlier one, and each may name the view `accesses`
 * @throws UserError naming the files that cannot be read, unless they are to be skipped
 */
export async function withRecords<T>(
  files: readonly LogFile[],
  relations: readonly Relation[],
  settings: DuckdbSettings,
  use: (connection: DuckDBConnection, spooled: Spool) => Promise<T>,
): Promise<T> {
  const { scratch, signal, memoryLimit, threads } = settings
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const options = { ...OFFLINE, threads: String(threads), memory_limit: memoryLimit, temp_directory: scratch }
  const instance = await DuckDBInstance.create(':memory:', options)
  const connection = await instance.connect()
  const interrupt = () => connection.interrupt()
  signal.addEventListener('abort', interrupt)
  try {
    await connection.run(PREPARATION)
    return await use(connection, await load(connection, files, relations, settings))
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', interrupt)
    connection.closeSync()
    instance.closeSync()
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Makes the relations of all files that can be read. */
async function load(
  connection: DuckDBConnection,
  files: readonly LogFile[],
  relations: readonly Relation[],
  settings: DuckdbSettings,
): Promise<Spool> {
  const { source, scratch, signal } = settings
  const path = join(scratch, 'records.ndjson')
  const read = async (bad: readonly BadFile[]): Promise<Spool> => {
    const spooled = await spool(files, {
      path,
      members: settings.members,
      bad,
      failFast: !settings.skipBadFiles,
      unzstd: (file) => unzstd(connection, file),
      signal,
      onFile: () => settings.onFile(),
    })
    if (spooled.bad.length > 0 && !settings.skipBadFiles) throw unreadable(spooled.bad)
    settings.onState('querying')
    const records = recordsSql(path, { ...source.members, ...source.details })
    const accesses = await render(`${source.id}/accesses.duckdb.sql`, { records })
    await connection.run(`create or replace temp view accesses as ${accesses}`)
    for (const { name, sql } of relations) await connection.run(`create or replace temp table ${name} as ${sql}`)
    return spooled
  }
  const spooled = await read([])
  // A table is looked through more quickly than the view, which reads everything again.
  if (!(await hasUnreadable(connection, relations[0]?.name ?? 'accesses'))) return spooled
  const malformed = await malformedFiles(spooled, signal)
  if (malformed.length === 0) return spooled
  if (!settings.skipBadFiles) throw unreadable(malformed)
  return read([...spooled.bad, ...malformed])
}

async function hasUnreadable(connection: DuckDBConnection, relation: string): Promise<boolean> {
  const [row] = await rowsOf(connection, `select count(*) from ${relation} where drop_reason = 'unreadable-record'`)
  return Number(row?.[0]) > 0
}

function recordsSql(path: string, members: Readonly<Record<string, string>>): string {
  const columns = Object.entries(members).map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
  // A record whose members have other types becomes a row of nulls, and is counted as unreadable.
  return `read_json(${fileSql(path)}, format = 'newline_delimited', compression = 'uncompressed', ignore_errors = true,
    maximum_object_size = 8388608, columns = {${columns.join(', ')}})`
}

export const rowsOf = async (connection: DuckDBConnection, sql: string) =>
  (await connection.runAndReadAll(sql)).getRows()

/** A path that DuckDB reads as one, whatever is in it: in brackets a wildcard is itself. */
const fileSql = (path: string): string => literal(path.replace(/[*?[]/g, '[$&]'))

/** Larger documents would take more memory than extraction has. */
const ZSTD_DOCUMENT = 32 << 20

/** The documents of a Zstandard file, one after the other. */
async function* unzstd(connection: DuckDBConnection, path: string): AsyncGenerator<Buffer> {
  const sql = `select json from read_json_objects(${fileSql(path)}, format = 'unstructured', compression = 'zstd', maximum_object_size = ${ZSTD_DOCUMENT})`
  try {
    const result = await connection.stream(sql)
    for await (const rows of result.yieldRows()) for (const [json] of rows) yield Buffer.from(`${String(json)}\n`)
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n')
    throw /^(Invalid Input|IO) Error/.test(reason) ? new Malformed(reason) : error
  }
}

/** How many files a message names. */
const NAMED = 5

function unreadable(bad: readonly BadFile[]): UserError {
  const named = bad.slice(0, NAMED).map(({ key, reason }) => `\n    ${JSON.stringify(key)}: ${reason}`)
  return new UserError(
    `${bad.length === 1 ? 'a log file' : `${bad.length} log files`} cannot be read to the end:${named.join('')}`,
    { hint: 'copy it again (stage --overwrite), or leave it out with --skip-bad-files' },
  )
}
