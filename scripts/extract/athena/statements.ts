import type { Athena } from '../../lib/aws/athena/athena.ts'
import { ResultsGone } from '../../lib/aws/athena/failure.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { plural } from '../../lib/cli/format.ts'
import { type Attempt, Attempts, type Done, notedAttempts } from '../../lib/engines/athena/attempts.ts'
import { classifiedSql, countRows, ctas, dropTable, overTable } from '../../lib/engines/athena/sql.ts'
import { ensureTable } from '../../lib/engines/athena/table.ts'
import { type ExtractSettings, literal, renderSql } from '../../lib/engines/render.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import type { StepRecord } from '../../lib/runs/ledger.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type Counts, countsOf, hasAnyPair, hasIpv6 } from '../extract.ts'
import { AGAIN, type AthenaOutput, IPV6_PAIR, type Kept, type Part, type Placed } from './output.ts'

interface AthenaExtract {
  readonly run: Run
  readonly athena: Athena
  readonly output: AthenaOutput
  readonly checkpoint: Checkpoint<Saved<'extract'>>
  readonly settings: ExtractSettings
  onState(text: string): void
}

type AthenaExtracted = NonNullable<Saved<'extract'>['extracted']>

/** What becomes a table, in this order. */
const TABLES: readonly Kept[] = ['classified', 'train', 'holdout', 'ipv6', 'times', 'entities']

/** Whether the only scan of the logs is done, under way, or was about to start when an attempt was killed. */
export async function isScanPaid(
  { state, checkpoint }: StepRecord<'extract'>,
  open: () => Promise<Athena>,
): Promise<boolean> {
  if (checkpoint.extracted !== undefined) return true
  const scan = notedAttempts(checkpoint)?.queries.classified
  if (scan === undefined) return false
  // Only its token tells whether that query was started. Sent again, the token starts no second query.
  return scan.id === null ? state === 'running' : (await open()).isGood(scan.id)
}

/**
 * Turns the staged objects of a run into pairs with Athena. The logs are scanned once: every access is classified into a table, which
 * the other statements read.
 * @throws UserError when a query fails for good; Error when its rows are not what they should be
 */
export async function extractWithAthena(given: AthenaExtract): Promise<AthenaExtracted> {
  const { run, athena, checkpoint, settings, onState } = given
  const attempts = new Attempts(athena, checkpoint, run.id)
  const steps = stepsOf(given, attempts)
  // Once cleaning up has begun, the statements of an interrupted extraction cannot be resumed.
  const { extracted: saved } = checkpoint.saved
  if (saved === undefined) {
    onState('checking the tables')
    await ensureTable(athena, attempts, settings.source, run.workspace)
  }
  const extracted = saved ?? (await extract(given, attempts, steps))
  await checkpoint.save({ extracted })
  await steps.tidy()
  return extracted
}

async function extract(given: AthenaExtract, attempts: Attempts, steps: Steps): Promise<AthenaExtracted> {
  const { run, athena, output, settings } = given
  const all = await classifiedSql({ source: settings.source, database: athena.database, run: run.id }, settings)
  const classified = await steps.keep('classified', 'classifying accesses', 'parquet', all)
  const counts = { ...(await steps.counts(classified)), bad: [] }
  if (!hasAnyPair(counts)) return { ...counts, entities: 0, ipv6Pairs: 0, scannedBytes: attempts.scannedBytes }
  const train = await steps.pairs(classified, 'train', counts.trainPairs)
  const holdout = await steps.pairs(classified, 'holdout', counts.holdoutPairs)
  const ipv6 = hasIpv6(counts) ? await steps.ipv6(classified) : []
  const times = await steps.times(classified)
  const entities = await steps.entities(classified)
  const written = await output.settle([...train, ...holdout, entities, ...ipv6], [times])
  return {
    ...counts,
    entities: entities.rows,
    ipv6Pairs: ipv6[0]?.rows ?? 0,
    written,
    scannedBytes: attempts.scannedBytes,
  }
}

type Steps = ReturnType<typeof stepsOf>

function stepsOf({ athena, output, onState }: AthenaExtract, attempts: Attempts) {
  const { database } = athena

  /** Keeps the rows of a query at the location that is asked for, or where the workgroup puts them. */
  async function keep(kept: Kept, what: string, form: 'csv' | 'parquet', query: string): Promise<Placed> {
    onState(what)
    let isOld = true
    const sqlOf = ({ name }: Attempt) => {
      isOld = false
      return ctas(form, { database, table: name, location: output.askedFor(kept, name) }, query)
    }
    const placed = async ({ id, attempt: { name } }: Done) => {
      const prefix = output.prefixOf(kept, name)
      const asked = output.askedFor(kept, name)
      if (asked !== undefined && !isOld) return { name, prefix, location: asked }
      const table = await athena.table(name)
      const location = output.placeOf(id, prefix, table?.Parameters?.location)
      if (isOld && (table === undefined || (await output.isEmpty(location))))
        throw new ResultsGone(`table ${database}.${name} is there no more`, { hint: AGAIN })
      return { name, prefix, location }
    }
    try {
      return await attempts.take(kept, what, sqlOf, placed)
    } catch (error) {
      if (output.letsDecide(error)) return keep(kept, what, form, query)
      throw error
    }
  }

  async function rowsOf(name: string, what: string, sql: string): Promise<(readonly (string | null)[])[]> {
    onState(what)
    return attempts.take(
      name,
      what,
      () => sql,
      async ({ id }) => {
        const rows: (readonly (string | null)[])[] = []
        for await (const row of athena.rows(id)) rows.push(row)
        return rows
      },
    )
  }

  return {
    keep,

    async counts(classified: Placed): Promise<Counts> {
      const sql = overTable('classified', database, classified.name, await renderSql('dropped.sql'))
      return countsOf(await rowsOf('dropped', 'counting', sql))
    },

    /** Writes one part of the pairs and checks that it has as many rows as were counted. Writes nothing when there are none. */
    async pairs(classified: Placed, part: Part, rows: number) {
      if (rows === 0) return []
      const text = await renderSql('athena/pairs.sql', { part: literal(part) })
      const placed = await keep(
        part,
        `writing the pairs of ${part}`,
        'csv',
        overTable('classified', database, classified.name, text),
      )
      const [row] = await rowsOf(`${part}_rows`, 'reading them back', await countRows(database, placed.name))
      if (Number(row?.[0]) !== rows)
        throw new UserError(
          `${placed.location}: Athena wrote ${plural(rows, 'pair')} and reads back ${row?.[0] ?? 'none'}`,
          { hint: AGAIN },
        )
      return [await output.pairs(placed, rows)]
    },

    /** Writes the IPv6 pairs, as many as Athena reads back. */
    async ipv6(classified: Placed) {
      const sql = overTable('classified', database, classified.name, await renderSql('ipv6.sql'))
      const placed = await keep('ipv6', 'writing the IPv6 pairs', 'csv', sql)
      const [row] = await rowsOf('ipv6_rows', 'reading them back', await countRows(database, placed.name))
      return [await output.pairs(placed, Number(row?.[0]), IPV6_PAIR)]
    },

    async times(classified: Placed) {
      const sql = overTable('classified', database, classified.name, await renderSql('times.sql'))
      return output.times(await keep('times', 'noting times', 'csv', sql))
    },

    async entities(classified: Placed) {
      const sql = overTable('classified', database, classified.name, await renderSql('entities.sql'))
      return output.entities(await keep('entities', 'counting entities', 'csv', sql))
    },

    /** Drops the tables of all attempts and removes scratch objects. */
    async tidy(): Promise<void> {
      onState('cleaning up')
      for (const { name } of TABLES.flatMap((kept) => attempts.begun(kept)))
        await attempts.run(`drop_${name}`, 'dropping a table', () => dropTable(database, name))
      await output.sweep()
    },
  }
}
