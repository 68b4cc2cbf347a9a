import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { messageOf, UserError } from '../cli/errors.ts'
import { classifiedValues, type ExtractSettings, identifier, literal, render } from '../engines/render.ts'
import { countsOf, type Extracted } from './counts.ts'
import { Malformed } from './json-bytes.ts'
import { type BadFile, type LogFile, type Spool, spool } from './spool.ts'
import { malformedFiles } from './suspects.ts'

export interface DuckdbSettings extends ExtractSettings {
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

/** Where the pairs go. */
export interface Outputs {
  readonly train: string
  readonly holdout: string
  readonly entities: string
}

/** Nothing is fetched from anywhere. */
const OFFLINE = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }

/** What the common texts need, in the words of Trino; `preserve_insertion_order` only matters to rows without an order. */
const PREPARATION = `
  set TimeZone = 'UTC';
  set preserve_insertion_order = false;
  create macro regexp_like(subject, pattern) as regexp_matches(subject, pattern);`

/**
 * Turns log files into pairs with DuckDB: records are found and cut down first, then everything is SQL.
 * @throws UserError naming the files that cannot be read, unless they are to be skipped
 */
export async function extractWithDuckdb(
  files: readonly LogFile[],
  outputs: Outputs,
  settings: DuckdbSettings,
): Promise<Extracted> {
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
    const spooled = await classify(connection, files, settings)
    return await write(connection, spooled, outputs, signal)
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

/** Makes the relation `classified` of all files that can be read. */
async function classify(
  connection: DuckDBConnection,
  files: readonly LogFile[],
  settings: DuckdbSettings,
): Promise<Spool> {
  const { source, scratch, signal } = settings
  const path = join(scratch, 'records.ndjson')
  const read = async (bad: readonly BadFile[]): Promise<Spool> => {
    const spooled = await spool(files, {
      path,
      members: Object.keys(source.members),
      bad,
      failFast: !settings.skipBadFiles,
      unzstd: (file) => unzstd(connection, file),
      signal,
      onFile: () => settings.onFile(),
    })
    if (spooled.bad.length > 0 && !settings.skipBadFiles) throw unreadable(spooled.bad)
    settings.onState('extracting pairs')
    const accesses = await render(`${source.id}/accesses.duckdb.sql`, {
      records: recordsSql(path, { ...source.members, ...source.details }),
    })
    await connection.run(`create or replace temp view accesses as ${accesses}`)
    const classified = await render('classified.sql', await classifiedValues(settings))
    await connection.run(`create or replace temp table classified as ${classified}`)
    return spooled
  }
  const spooled = await read([])
  if (!(await hasUnreadable(connection))) return spooled
  const malformed = await malformedFiles(spooled, signal)
  if (malformed.length === 0) return spooled
  if (!settings.skipBadFiles) throw unreadable(malformed)
  return read([...spooled.bad, ...malformed])
}

async function hasUnreadable(connection: DuckDBConnection): Promise<boolean> {
  const [row] = await rowsOf(connection, `select count(*) from classified where drop_reason = 'unreadable-record'`)
  return Number(row?.[0]) > 0
}

async function write(
  connection: DuckDBConnection,
  { records, bad }: Spool,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<Extracted> {
  const outcomes = await rowsOf(connection, await render('dropped.sql'))
  const counts = countsOf(outcomes)
  // Every record that was found is accounted for exactly once, or nothing of it is believed.
  if (counts.events !== records) throw new Error(`${records} records were read, ${counts.events} are accounted for`)
  const extracted = { ...counts, bad }
  // Nothing to learn from: what earlier pairs there are stay.
  if (counts.trainPairs === 0) return { ...extracted, entities: 0 }
  signal.throwIfAborted()
  await copyTo(connection, await shuffled('train'), outputs.train)
  await copyTo(connection, await shuffled('holdout'), outputs.holdout)
  const entities = await copyTo(connection, await render('entities.sql'), outputs.entities)
  return { ...extracted, entities }
}

function recordsSql(path: string, members: Readonly<Record<string, string>>): string {
  const columns = Object.entries(members).map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
  // A record whose members have other types becomes a row of nulls, and is counted as unreadable.
  return `read_json(${fileSql(path)}, format = 'newline_delimited', compression = 'uncompressed', ignore_errors = true,
    maximum_object_size = 8388608, columns = {${columns.join(', ')}})`
}

/** In no order that says anything, but the same one every time: equal pairs lie apart. */
async function shuffled(part: string): Promise<string> {
  const pairs = await render('pairs.sql', { part: literal(part) })
  return `${pairs} order by md5_number(event_time || ' ' || entity || ' ' || ip)`
}

/** Writes rows as they are, without header, quotes or escapes; the file is there whole or not at all. Returns how many. */
async function copyTo(connection: DuckDBConnection, sql: string, path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true })
  const draft = join(dirname(path), '.draft-rows')
  const [row] = await rowsOf(
    connection,
    `copy (${sql}) to ${literal(draft)} (format csv, header false, quote '', escape '')`,
  )
  await rename(draft, path)
  return Number(row?.[0])
}

const rowsOf = async (connection: DuckDBConnection, sql: string) => (await connection.runAndReadAll(sql)).getRows()

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
