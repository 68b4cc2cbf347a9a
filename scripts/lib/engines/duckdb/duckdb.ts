import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, UserError } from '../../cli/errors.ts'
import type { Source } from '../../sources/source.ts'
import { sourceSql, writtenFailure } from '../own.ts'
import type { LogFile } from '../records/content.ts'
import { type BadFile, malformedFiles, type Records, readRecords } from '../records/index.ts'
import { Malformed } from '../records/json.ts'
import { Readers } from '../records/threads.ts'
import { identifier, literal } from '../render.ts'
import { type Database, type EngineSettings, engineFailure, openEngine, type Session } from './database.ts'

export interface DuckdbSettings extends EngineSettings {
  readonly source: Source
  /** Paths of the members to keep; the columns of others are null. */
  readonly members: readonly string[]
  /** Which files may be bad: they are left out. */
  readonly skipBadFiles: boolean | ReadonlySet<string>
  /** Called with the number of files that have been read since the last call. */
  onFiles(more: number): void
  onState(text: string): void
}

/** A table over `accesses`, as a query. It has the column `drop_reason`. */
export interface Relation {
  readonly name: string
  readonly sql: string
  /** Whether each row comes from a single row of `accesses`: then the table is filled while the logs are read. */
  readonly isRowByRow?: boolean
}

/**
 * Makes tables over the records of log files with DuckDB and hands them to `use`. The records are found and cut down first; the rest
 * is SQL.
 * @param list lists the files; called while the threads that read them start
 * @param relations in order; each may name the view `accesses` and the relations before it
 * @throws UserError naming the files that cannot be read, unless they may be skipped
 */
export async function withRecords<T>(
  list: () => Promise<readonly LogFile[]>,
  relations: readonly Relation[],
  settings: DuckdbSettings,
  use: (session: Session, found: Records) => Promise<T>,
): Promise<T> {
  const { scratch, signal } = settings
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const readers = await Readers.start(settings.threads)
  let opened: Promise<Engine> | undefined
  const engine = (): Promise<Engine> => (opened ??= openEngine(settings))
  try {
    const found = await load(engine, await list(), relations, { ...settings, readers }).catch((error: unknown) => {
      throw writtenFailure(error, settings.source)
    })
    return await use((await engine()).session, found)
  } catch (error) {
    signal.throwIfAborted()
    throw engineFailure(error, settings)
  } finally {
    await readers.stop()
    await (await opened?.catch(() => undefined))?.database.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

interface Engine {
  readonly database: Database
  readonly session: Session
}

/** Makes the relations over all files that can be read. */
async function load(
  engine: () => Promise<Engine>,
  files: readonly LogFile[],
  relations: readonly Relation[],
  settings: DuckdbSettings & { readonly readers: Readers },
): Promise<Records> {
  const { source, scratch, signal, skipBadFiles } = settings
  const early = relations.filter(({ isRowByRow }) => isRowByRow)
  const run = async (sql: string) => (await engine()).session.run(sql)
  const viewOf = async (paths: readonly string[]) => {
    const records = recordsSql(paths, { ...source.members, ...source.details })
    await run(`create or replace temp view accesses as ${await sourceSql(source, 'accesses.duckdb.sql', { records })}`)
  }
  const refuse = (bad: readonly BadFile[]) => {
    const wrong = bad.filter(({ key }) => (typeof skipBadFiles === 'boolean' ? !skipBadFiles : !skipBadFiles.has(key)))
    if (wrong.length > 0) throw unreadableFiles(wrong)
  }
  const read = async (bad: readonly BadFile[]): Promise<Records> => {
    let isFirst = true
    const loading = new Loading(async (paths) => {
      await viewOf(paths)
      for (const { name, sql } of early) await run(isFirst ? `${table(name)} as ${sql}` : `insert into ${name} ${sql}`)
      isFirst = false
    })
    const reading = readRecords(files, {
      ...settings,
      prefix: join(scratch, 'records'),
      text: source.text,
      bad,
      failFast: skipBadFiles === false,
      unpack: (path, form) => (form === 'zstd' ? unzstd(engine, path) : parquetRecords(engine, path, settings)),
      onPart: ({ path }) => {
        if (early.length > 0) loading.add(path)
      },
    })
    // Opening DuckDB takes as long as reading a thousand files, so the threads start first. Even when the reading fails, the
    // connection is in use until the loading has settled.
    await Promise.allSettled([reading, engine()])
    await loading.settled()
    const found = await reading
    refuse(found.bad)
    settings.onState('querying')
    await loading.end()
    await viewOf(found.parts.map(({ path }) => path))
    for (const { name, sql, isRowByRow } of relations) if (!isRowByRow) await run(`${table(name)} as ${sql}`)
    return found
  }
  const found = await read([])
  // Counting in a table is quicker than in the view, which reads everything again.
  const relation = relations[0]?.name ?? 'accesses'
  const [unreadable] = await run(`select count(*) from ${relation} where drop_reason = 'unreadable-record'`)
  if (Number(unreadable?.[0]) === 0) return found
  const malformed = await malformedFiles(found.parts, signal)
  if (malformed.length === 0) return found
  refuse(malformed)
  return read([...found.bad, ...malformed])
}

/** Loads paths as they arrive: one call at a time, each with everything that has arrived since the last one. */
export class Loading {
  private readonly load: (paths: readonly string[]) => Promise<void>
  private waiting: string[] = []
  private running: Promise<void> | undefined

  constructor(load: (paths: readonly string[]) => Promise<void>) {
    this.load = load
  }

  add(path: string): void {
    this.waiting.push(path)
    this.running ??= this.loadWaiting()
    void this.settled()
  }

  /** Resolves when nothing is being loaded. Never throws. */
  async settled(): Promise<void> {
    await this.running?.catch(() => {})
  }

  /** Resolves when everything that arrived has been loaded. @throws what loading threw */
  async end(): Promise<void> {
    await this.running
  }

  private async loadWaiting(): Promise<void> {
    while (this.waiting.length > 0) await this.load(this.waiting.splice(0))
    this.running = undefined
  }
}

const table = (name: string): string => `create or replace temp table ${name}`

function recordsSql(paths: readonly string[], members: Readonly<Record<string, string>>): string {
  const columns = Object.entries(members).map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
  // A record with members of other types becomes a row of nulls, which counts as unreadable.
  return `read_json([${paths.map(fileSql).join(', ')}], format = 'newline_delimited', compression = 'uncompressed', ignore_errors = true,
    maximum_object_size = 8388608, columns = {${columns.join(', ')}})`
}

/** A path as DuckDB reads it literally: a wildcard in brackets stands for itself. */
const fileSql = (path: string): string => literal(path.replace(/[*?[]/g, '[$&]'))

/** Larger documents would need more memory than extraction has. */
const ZSTD_DOCUMENT = 32 << 20

/** Reads the documents of a Zstandard file, one after the other. DuckDB checks the checksums of its frames. */
async function* unzstd(engine: () => Promise<Engine>, path: string): AsyncGenerator<Buffer> {
  const sql = `select json from read_json_objects(${fileSql(path)}, format = 'unstructured', compression = 'zstd', maximum_object_size = ${ZSTD_DOCUMENT})`
  yield* streamed(engine, sql)
}

/** The records of a Parquet file, a line of JSON each; text has no `-`, and what the file does not have is null. */
async function* parquetRecords(
  engine: () => Promise<Engine>,
  path: string,
  { source, members }: DuckdbSettings,
): AsyncGenerator<Buffer> {
  const columnOf = source.isParquet ? (member: string) => member : source.parquet
  if (columnOf === undefined) throw new Malformed('Parquet, which the logs of this source are not')
  const types = { ...source.members, ...source.details }
  // Of a member of a member, its whole column is read.
  const names = [...new Set(members.map((member) => (member in types ? member : (member.split('.')[0] ?? ''))))].map(
    (member) => ({ member: identifier(member), column: identifier(columnOf(member)), type: types[member] }),
  )
  const absent = names.map(({ column, type }) => `null${type === 'VARCHAR' ? '::varchar' : ''} as ${column}`).join(', ')
  const values = names
    .map(({ member, column, type }) =>
      type === 'VARCHAR' ? `${member}: nullif(nullif(${column}::varchar, '-'), '')` : `${member}: ${column}`,
    )
    .join(', ')
  const rows = `select ${absent} where false union all by name select * from read_parquet(${fileSql(path)}, hive_partitioning = false)`
  yield* streamed(engine, `select to_json({${values}}) from (${rows})`)
}

/** The rows of a query with one column of text, a line each. @throws Malformed when the file that it reads is damaged */
async function* streamed(engine: () => Promise<Engine>, sql: string): AsyncGenerator<Buffer> {
  // A connection of its own, because the tables are being filled at the same time.
  const session = await (await engine()).database.connect()
  try {
    for await (const rows of (await session.stream(sql)).batches)
      yield Buffer.from(rows.map(([text]) => `${String(text)}\n`).join(''))
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n')
    throw /^(Invalid Input|IO) Error/.test(reason) ? new Malformed(reason) : error
  } finally {
    await session.close()
  }
}

/** How many files an error names. */
const NAMED = 5

function unreadableFiles(bad: readonly BadFile[]): UserError {
  const named = bad.slice(0, NAMED).map(({ key, reason }) => `\n    ${JSON.stringify(key)}: ${reason}`)
  return new UserError(
    `${bad.length === 1 ? 'a log file' : `${bad.length} log files`} cannot be read to the end:${named.join('')}`,
    { hint: 'copy it again (stage --overwrite), or leave it out: extract --skip-bad-files' },
  )
}
