import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { UserError } from '../cli/errors.ts'
import { classifiedValues, type ExtractSettings, identifier, literal, render } from './render.ts'
import { type BadFile, type LogFile, type Spooled, spool } from './spool.ts'

export interface DuckdbSettings extends ExtractSettings {
  /** Folder for what does not fit in memory; removed at the end. */
  readonly scratch: string
  readonly failFast: boolean
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

export interface Extracted {
  readonly events: number
  readonly trainPairs: number
  readonly holdoutPairs: number
  readonly entities: number
  readonly dropped: Readonly<Record<string, number>>
  readonly bad: readonly BadFile[]
}

const OPTIONS = {
  threads: '2',
  memory_limit: '192MB',
  // Nothing is fetched from anywhere.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
}

/** Turns log files into pairs with DuckDB: records are found and cut down first, then everything is SQL. */
export async function extractWithDuckdb(
  files: readonly LogFile[],
  outputs: Outputs,
  settings: DuckdbSettings,
): Promise<Extracted> {
  const { scratch, signal } = settings
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { ...OPTIONS, temp_directory: scratch })
  const connection = await instance.connect()
  const interrupt = () => connection.interrupt()
  signal.addEventListener('abort', interrupt)
  try {
    await connection.run(PREPARATION)
    const records = join(scratch, 'records.ndjson')
    const spooled = await spool(files, Object.keys(settings.source.members), records, {
      ...settings,
      zstd: (path) => zstdReader(connection, path),
    })
    if (settings.failFast && spooled.bad.length > 0) throw badFiles(spooled.bad)
    settings.onState('extracting pairs')
    return await query(connection, records, spooled, outputs, settings)
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

/** regexp_like as Trino has it, so that the common texts run here too. */
const PREPARATION = `
  SET TimeZone = 'UTC';
  SET preserve_insertion_order = false;
  CREATE MACRO regexp_like(subject, pattern) AS regexp_matches(subject, pattern);`

async function query(
  connection: DuckDBConnection,
  records: string,
  spooled: Spooled,
  outputs: Outputs,
  settings: DuckdbSettings,
): Promise<Extracted> {
  const { source, signal } = settings
  const accesses = await render(`${source.id}/accesses.duckdb.sql`, { records: recordsSql(records, source.members) })
  await connection.run(`CREATE TEMP VIEW accesses AS ${accesses}`)
  const classified = await render('classified.sql', classifiedValues(settings))
  await connection.run(`CREATE TEMP TABLE classified AS ${classified}`)
  signal.throwIfAborted()
  const outcomes = await countsOf(connection, await render('dropped.sql', {}))
  const { train = 0, holdout = 0, ...dropped } = outcomes
  const events = Object.values(outcomes).reduce((sum, n) => sum + n, 0)
  // Every record that was found is accounted for exactly once, or nothing of it is believed.
  if (events !== spooled.records) throw new Error(`${spooled.records} records were read, ${events} are accounted for`)
  await write(connection, await shuffled('train'), outputs.train)
  await write(connection, await shuffled('holdout'), outputs.holdout)
  await write(connection, await render('entities.sql', {}), outputs.entities)
  const entities = await countsOf(
    connection,
    `SELECT 'n', count(DISTINCT entity) FROM classified WHERE drop_reason IS NULL AND part = 'train'`,
  )
  return { events, trainPairs: train, holdoutPairs: holdout, entities: entities.n ?? 0, dropped, bad: spooled.bad }
}

const recordsSql = (path: string, members: Readonly<Record<string, string>>): string => {
  const columns = Object.entries(members).map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
  // A record whose kept members have other types becomes a row of nulls, and is counted as unreadable.
  return `read_json(${literal(globless(path))}, format = 'newline_delimited', compression = 'uncompressed', ignore_errors = true,
    maximum_object_size = 16777216, columns = {${columns.join(', ')}})`
}

/** In no order that says anything, but the same one every time: equal pairs lie apart. */
async function shuffled(part: string): Promise<string> {
  const pairs = await render('pairs.sql', { part: literal(part) })
  const order = `md5(concat_ws(' ', event_id, event_time, entity, ip)), entity, ip`
  return `${pairs} ORDER BY ${order}`
}

/** Writes rows as they are, without header, quotes or escapes; the file is there whole or not at all. */
async function write(connection: DuckDBConnection, sql: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = join(dirname(path), '.draft-rows')
  await connection.run(`COPY (${sql}) TO ${literal(draft)} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '')`)
  await rename(draft, path)
}

async function countsOf(connection: DuckDBConnection, sql: string): Promise<Record<string, number>> {
  const result = await connection.runAndReadAll(sql)
  return Object.fromEntries(result.getRows().map(([name, n]) => [String(name), Number(n)]))
}

/** A path that DuckDB reads as one, whatever is in it: in brackets a wildcard is itself. */
const globless = (path: string): string => path.replace(/[*?[]/g, '[$&]')

/** Documents of a zstd file, one after the other; a truncated file is an error. */
async function* zstdReader(connection: DuckDBConnection, path: string): AsyncGenerator<Buffer> {
  const result = await connection.stream(
    `SELECT json FROM read_json_objects(${literal(globless(path))}, format = 'unstructured', compression = 'zstd', maximum_object_size = 67108864)`,
  )
  for await (const rows of result.yieldRows()) for (const [json] of rows) yield Buffer.from(`${String(json)}\n`)
}

export function badFiles(bad: readonly BadFile[]): UserError {
  const named = bad.slice(0, 5).map(({ key, reason }) => `\n    ${JSON.stringify(key)}: ${reason}`)
  return new UserError(
    `${bad.length === 1 ? 'a log file' : `${bad.length} log files`} cannot be read to the end:${named.join('')}`,
    {
      hint: 'copy it again (stage --overwrite), or leave it out with --skip-bad-files',
    },
  )
}
