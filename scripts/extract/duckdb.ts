import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { plural } from '../lib/cli/format.ts'
import type { Session } from '../lib/engines/duckdb/database.ts'
import { type DuckdbSettings, withRecords } from '../lib/engines/duckdb/duckdb.ts'
import type { LogFile, Records } from '../lib/engines/records/index.ts'
import {
  classifiedValues,
  type ExtractSettings,
  encodedSql,
  literal,
  renderSql,
  withRelations,
} from '../lib/engines/render.ts'
import { readPairs } from '../lib/insights/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { stagedFiles, stagedObjects } from '../lib/runs/staged.ts'
import {
  countsOf,
  type ExtractBackend,
  type Extracted,
  type ExtractStep,
  hasAnyPair,
  hasIpv6,
  type Written,
} from './extract.ts'
import { renderExtractPlan } from './render.ts'

/** Files whose content names the result, as keys of the run. */
const RESULTS = {
  train: `${paths.train}part-00000.csv`,
  holdout: `${paths.holdout}part-00000.csv`,
  entities: paths.entities,
  ipv6: `${paths.ipv6}part-00000.csv`,
} as const

/** Paths of what is written. */
export type Targets = Readonly<Record<keyof typeof RESULTS | 'times', string>>

/** DuckDB in this process, for a run in a folder. */
export const duckdbBackend = ({ context, run, settings, options }: ExtractStep): ExtractBackend => ({
  preview: async () => {
    const files = await stagedFiles(run)
    const bytes = files.reduce((sum, file) => sum + file.size, 0)
    return renderExtractPlan(run, { objects: files.length, bytes }, settings, { name: 'duckdb', about: [] })
  },

  isGone: async () => {
    // Without IPv6 pairs there is no file of them.
    const keys = run.result('extract').files.map(({ path }) => path)
    const found = await Promise.all(keys.map((key) => run.store.head(key)))
    return found.includes(undefined)
  },

  approve: async () => {},

  extract: async () => {
    const objects = stagedObjects(run)
    const progress = context.progress('reading logs', objects, 'files')
    const targets = {
      train: run.path(RESULTS.train),
      holdout: run.path(RESULTS.holdout),
      entities: run.path(RESULTS.entities),
      ipv6: run.path(RESULTS.ipv6),
      times: run.path(`${paths.times}part-00000.csv`),
    }
    const extracted = await extractWithDuckdb(() => stagedFiles(run), targets, {
      ...settings,
      skipBadFiles: options.skipBadFiles,
      memoryLimit: options.memoryLimit,
      threads: options.threads ?? availableParallelism(),
      scratch: join(run.path(paths.tmp), 'extract'),
      signal: context.signal,
      onFiles: (more) => progress.advance(more),
      onState: (state) => progress.state(state),
    })
    progress.end(`${plural(extracted.events, 'record')} of ${plural(objects - extracted.bad.length, 'file')}`)
    return hasAnyPair(extracted) ? { extracted, written: await writtenFiles(run, extracted) } : { extracted }
  },
})

/**
 * Turns log files into pairs.
 * @throws UserError naming the files that cannot be read, unless they may be skipped
 */
export async function extractWithDuckdb(
  list: () => Promise<readonly LogFile[]>,
  targets: Targets,
  settings: ExtractSettings & Omit<DuckdbSettings, 'members'>,
): Promise<Extracted> {
  // Most entities come again and again: they are encoded once, when all of them are known.
  const raw = await renderSql('classified.sql', { ...(await classifiedValues(settings, 'duckdb')), encoded: 'entity' })
  return withRecords(
    list,
    // Only all events together show which of them were delivered before.
    [{ name: RAW, sql: raw, isRowByRow: !settings.dedupe }],
    { ...settings, members: pairMembers(settings) },
    (session, found) => write(session, found, targets, settings),
  )
}

/** The table of `classified` with entities as they are in the logs. */
const RAW = 'raw_classified'

/** The members that pairs need. Fewer members mean less to write and to read again. */
function pairMembers({ source, entity, dedupe }: ExtractSettings): string[] {
  return [
    ...source.pairMembers,
    ...(source.entities[entity]?.members ?? []),
    ...(dedupe ? [source.idMember].flat() : []),
  ]
}

async function write(
  session: Session,
  { records, bad }: Records,
  targets: Targets,
  { signal, source: { severalRows: several } }: Pick<ExtractSettings & DuckdbSettings, 'signal' | 'source'>,
): Promise<Extracted> {
  const counts = countsOf(
    await session.run(withRelations({ classified: `select * from ${RAW}` }, await renderSql('dropped.sql'))),
  )
  // Every record that was found must be accounted for: exactly once, unless it may have several rows.
  if (several ? counts.events < records : counts.events !== records)
    throw new Error(`${records} records were read, ${counts.events} are accounted for`)
  if (!hasAnyPair(counts)) return { ...counts, bad, entities: 0, ipv6Pairs: 0 }
  const names = await renderSql('duckdb/names.sql', { raw: RAW, encoded: encodedSql('raw') })
  await session.run(`create temp table names as ${names}`)
  await session.run(`create temp table numbered as ${await renderSql('duckdb/numbered.sql', { raw: RAW })}`)
  await session.run(`drop table ${RAW}`)
  await copyTo(session, await shuffled('train'), targets.train)
  await copyTo(session, await shuffled('holdout'), targets.holdout)
  const entities = await copyTo(session, await byNumber('entities.sql', ['events', 'ips']), targets.entities)
  await rm(targets.ipv6, { force: true })
  const ipv6 = await byNumber('ipv6.sql', ['ip', 'train_events', 'holdout_events'], ['ip'])
  const ipv6Pairs = hasIpv6(counts) ? await copyTo(session, ipv6, targets.ipv6) : 0
  const times = await byNumber('times.sql', ['ip', 'first_event', 'last_event', 'events'], ['ip', 'first_event'])
  // Reading the pairs back needs no database, so it runs beside the last query.
  const ends = await Promise.allSettled([
    copyTo(session, times, targets.times),
    checkRows(targets.train, counts.trainPairs, signal),
    checkRows(targets.holdout, counts.holdoutPairs, signal),
  ])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return { ...counts, bad, entities, ipv6Pairs }
}

/** A common text over `classified` with numbers for entities, in its own order, and with their names in the result. */
async function byNumber(file: string, columns: readonly string[], order: readonly string[] = []): Promise<string> {
  const classified = 'select *, null as drop_reason from numbered'
  const rows = withRelations({ classified }, await renderSql(file))
  return `select names.entity, ${columns.join(', ')} from (${rows}) as rows join names on names.number = rows.entity
    order by ${['names.number', ...order].join(', ')}`
}

/** Reads pairs as the next step will. @throws Error when rows are missing */
async function checkRows(path: string, rows: number, signal: AbortSignal): Promise<void> {
  const { ip } = await readPairs([path], signal)
  if (ip.length !== rows) throw new Error(`${path} has ${ip.length} rows, ${rows} were written`)
}

/** Pairs in an order that is meaningless but always the same: equal pairs lie apart. */
async function shuffled(part: string): Promise<string> {
  const classified = `select event_time, names.entity, ip, family, part, null as drop_reason
    from numbered join names on names.number = numbered.entity`
  const pairs = withRelations({ classified }, await renderSql('pairs.sql', { part: literal(part) }))
  return `${pairs} order by hash(event_time, entity, ip)`
}

/** Writes rows without header, quotes or escapes. The file appears complete or not at all. Returns the number of rows. */
async function copyTo(session: Session, sql: string, path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true })
  const draft = join(dirname(path), '.draft-rows')
  const [row] = await session.run(`copy (${sql}) to ${literal(draft)} (format csv, header false, quote '', escape '')`)
  await rename(draft, path)
  return Number(row?.[0])
}

async function writtenFiles(
  run: Run,
  { trainPairs, holdoutPairs, entities, ipv6Pairs: ipv6 }: Extracted,
): Promise<Written> {
  const rows = { train: trainPairs, holdout: holdoutPairs, entities, ipv6 }
  const all = createHash('sha256')
  const files = []
  for (const name of ['train', 'holdout', 'entities', ...(ipv6 > 0 ? (['ipv6'] as const) : [])] as const) {
    const path = RESULTS[name]
    const one = createHash('sha256')
    await pipeline(createReadStream(run.path(path)), one)
    all.update(one.digest())
    files.push({ path, rows: rows[name], bytes: (await run.store.head(path))?.size ?? 0 })
  }
  return { files, digest: all.digest('hex') }
}
