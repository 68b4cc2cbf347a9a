import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, UserError } from '../../cli/errors.ts'
import type { Source } from '../../sources/source.ts'
import { identifier, literal, render } from '../render.ts'
import { type Database, type EngineSettings, engineFailure, openEngine, type Session } from './database.ts'
import { Malformed } from './json-bytes.ts'
import { Loading } from './loading.ts'
import { Readers } from './readers.ts'
import { type BadFile, type LogFile, type Spool, spool } from './spool.ts'
import { malformedFiles } from './suspects.ts'

export interface DuckdbSettings extends EngineSettings {
  readonly source: Source
  /** Members of a record that are kept; the columns of others are null. */
  readonly members: readonly string[]
  readonly skipBadFiles: boolean
  /** Called with how many more files have been read. */
  onFiles(more: number): void
  onState(text: string): void
}

/** A table over `accesses`, as a query. It has its column `drop_reason`. */
export interface Relation {
  readonly name: string
  readonly sql: string
  /** Whether each of its rows comes from one row of `accesses` and nothing else: then it is made while the logs are read. */
  readonly isRowByRow?: boolean
}

/**
 * Makes tables over the records of log files with DuckDB, and hands them to `use`: records are found and cut down first, then
 * everything is SQL.
 * @param list of the files, called once what reads them is starting
 * @param relations in order; a later one may name an earlier one, and each may name the view `accesses`
 * @throws UserError naming the files that cannot be read, unless they are to be skipped
 */
export async function withRecords<T>(
  list: () => Promise<readonly LogFile[]>,
  relations: readonly Relation[],
  settings: DuckdbSettings,
  use: (session: Session, spooled: Spool) => Promise<T>,
): Promise<T> {
  const { scratch, signal } = settings
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const readers = await Readers.start(settings.threads)
  let opened: Promise<Engine> | undefined
  const engine = (): Promise<Engine> => (opened ??= openEngine(settings))
  try {
    const spooled = await load(engine, await list(), relations, { ...settings, readers })
    return await use((await engine()).session, spooled)
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

/** Makes the relations of all files that can be read. */
async function load(
  engine: () => Promise<Engine>,
  files: readonly LogFile[],
  relations: readonly Relation[],
  settings: DuckdbSettings & { readonly readers: Readers },
): Promise<Spool> {
  const { source, scratch, signal, skipBadFiles } = settings
  const early = relations.filter(({ isRowByRow }) => isRowByRow)
  const run = async (sql: string) => (await engine()).session.run(sql)
  const viewOf = async (paths: readonly string[]) => {
    const records = recordsSql(paths, { ...source.members, ...source.details })
    await run(
      `create or replace temp view accesses as ${await render(`${source.id}/accesses.duckdb.sql`, { records })}`,
    )
  }
  const read = async (bad: readonly BadFile[]): Promise<Spool> => {
    let isFirst = true
    const loading = new Loading(async (paths) => {
      await viewOf(paths)
      for (const { name, sql } of early) await run(isFirst ? `${table(name)} as ${sql}` : `insert into ${name} ${sql}`)
      isFirst = false
    })
    const reading = spool(files, {
      ...settings,
      prefix: join(scratch, 'records'),
      bad,
      failFast: !skipBadFiles,
      unzstd: (path) => unzstd(engine, path),
      onPart: (part) => {
        settings.onFiles(part.files.length)
        if (early.length > 0) loading.add(part.path)
      },
    })
    // Opening takes as long as reading a thousand files, so it comes second. Whatever becomes of the reading, the connection is in use
    // until all is over.
    await Promise.allSettled([reading, engine()])
    await loading.settled()
    const spooled = await reading
    if (spooled.bad.length > 0 && !skipBadFiles) throw unreadableFiles(spooled.bad)
    settings.onState('querying')
    await loading.end()
    await viewOf(spooled.parts.map(({ path }) => path))
    for (const { name, sql, isRowByRow } of relations) if (!isRowByRow) await run(`${table(name)} as ${sql}`)
    return spooled
  }
  const spooled = await read([])
  // A table is looked through more quickly than the view, which reads everything again.
  const relation = relations[0]?.name ?? 'accesses'
  const [unreadable] = await run(`select count(*) from ${relation} where drop_reason = 'unreadable-record'`)
  if (Number(unreadable?.[0]) === 0) return spooled
  const malformed = await malformedFiles(spooled.parts, signal)
  if (malformed.length === 0) return spooled
  if (!skipBadFiles) throw unreadableFiles(malformed)
  return read([...spooled.bad, ...malformed])
}

const table = (name: string): string => `create or replace temp table ${name}`

function recordsSql(paths: readonly string[], members: Readonly<Record<string, string>>): string {
  const columns = Object.entries(members).map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
  // A record whose members have other types becomes a row of nulls, and is counted as unreadable.
  return `read_json([${paths.map(fileSql).join(', ')}], format = 'newline_delimited', compression = 'uncompressed', ignore_errors = true,
    maximum_object_size = 8388608, columns = {${columns.join(', ')}})`
}

/** A path that DuckDB reads as one, whatever is in it: in brackets a wildcard is itself. */
const fileSql = (path: string): string => literal(path.replace(/[*?[]/g, '[$&]'))

/** Larger documents would take more memory than extraction has. */
const ZSTD_DOCUMENT = 32 << 20

/** The documents of a Zstandard file, one after the other. */
async function* unzstd(engine: () => Promise<Engine>, path: string): AsyncGenerator<Buffer> {
  const sql = `select json from read_json_objects(${fileSql(path)}, format = 'unstructured', compression = 'zstd', maximum_object_size = ${ZSTD_DOCUMENT})`
  // On a connection of its own, for the tables are filled meanwhile.
  const session = await (await engine()).database.connect()
  try {
    for await (const rows of (await session.stream(sql)).batches)
      for (const [json] of rows) yield Buffer.from(`${String(json)}\n`)
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n')
    throw /^(Invalid Input|IO) Error/.test(reason) ? new Malformed(reason) : error
  } finally {
    await session.close()
  }
}

/** How many files a message names. */
const NAMED = 5

function unreadableFiles(bad: readonly BadFile[]): UserError {
  const named = bad.slice(0, NAMED).map(({ key, reason }) => `\n    ${JSON.stringify(key)}: ${reason}`)
  return new UserError(
    `${bad.length === 1 ? 'a log file' : `${bad.length} log files`} cannot be read to the end:${named.join('')}`,
    { hint: 'copy it again (stage --overwrite), or leave it out with --skip-bad-files' },
  )
}
