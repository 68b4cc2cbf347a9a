import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Session } from '../../lib/engines/duckdb/database.ts'
import { type DuckdbSettings, withRecords } from '../../lib/engines/duckdb/duckdb.ts'
import type { LogFile, Spool } from '../../lib/engines/duckdb/spool.ts'
import { classifiedValues, type ExtractSettings, literal, render } from '../../lib/engines/render.ts'
import { readPairs } from '../../lib/insights/pairs.ts'
import { countsOf, type Extracted } from '../counts.ts'

/** Where the pairs go. */
export interface Outputs {
  readonly train: string
  readonly holdout: string
  readonly entities: string
  readonly times: string
}

/**
 * Turns log files into pairs with DuckDB.
 * @throws UserError naming the files that cannot be read, unless they are to be skipped
 */
export async function extractWithDuckdb(
  list: () => Promise<readonly LogFile[]>,
  outputs: Outputs,
  settings: ExtractSettings & Omit<DuckdbSettings, 'members'>,
): Promise<Extracted> {
  const classified = await render('classified.sql', await classifiedValues(settings))
  return withRecords(
    list,
    // Whether an event was delivered before, only all of them can tell.
    [{ name: 'classified', sql: classified, isRowByRow: !settings.dedupe }],
    { ...settings, members: pairMembers(settings) },
    (session, spooled) => write(session, spooled, outputs, settings.signal),
  )
}

/** What the pairs need of a record and no more: it is most of what has to be written and read again. */
function pairMembers({ source, entity, dedupe }: ExtractSettings): string[] {
  return [...source.pairMembers, ...(source.entities[entity]?.members ?? []), ...(dedupe ? [source.idMember] : [])]
}

async function write(
  session: Session,
  { records, bad }: Spool,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<Extracted> {
  const counts = countsOf(await session.run(await render('dropped.sql')))
  // Every record that was found is accounted for exactly once, or nothing of it is believed.
  if (counts.events !== records) throw new Error(`${records} records were read, ${counts.events} are accounted for`)
  const extracted = { ...counts, bad }
  // Nothing to learn from: what earlier pairs there are stay.
  if (counts.trainPairs === 0) return { ...extracted, entities: 0 }
  signal.throwIfAborted()
  await copyTo(session, await shuffled('train'), outputs.train)
  await copyTo(session, await shuffled('holdout'), outputs.holdout)
  const entities = await copyTo(session, await render('entities.sql'), outputs.entities)
  // Reading the pairs anew needs no database: it goes on beside the last query.
  const ends = await Promise.allSettled([
    copyTo(session, await render('times.sql'), outputs.times),
    checkRows(outputs.train, counts.trainPairs, signal),
    checkRows(outputs.holdout, counts.holdoutPairs, signal),
  ])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return { ...extracted, entities }
}

/** Reads pairs as the next step will. @throws Error when they are not what should be there */
async function checkRows(path: string, rows: number, signal: AbortSignal): Promise<void> {
  const { ip } = await readPairs([path], signal)
  if (ip.length !== rows) throw new Error(`${path} has ${ip.length} rows, ${rows} were written`)
}

/** In no order that says anything, but the same one every time: equal pairs lie apart. */
async function shuffled(part: string): Promise<string> {
  const pairs = await render('pairs.sql', { part: literal(part) })
  return `${pairs} order by hash(event_time, entity, ip)`
}
/** Writes rows as they are, without header, quotes or escapes; the file is there whole or not at all. Returns how many. */
async function copyTo(session: Session, sql: string, path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true })
  const draft = join(dirname(path), '.draft-rows')
  const [row] = await session.run(`copy (${sql}) to ${literal(draft)} (format csv, header false, quote '', escape '')`)
  await rename(draft, path)
  return Number(row?.[0])
}
