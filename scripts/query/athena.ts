import type { Athena } from '../lib/aws/athena/athena.ts'
import { aboutUsd, bytes } from '../lib/cli/format.ts'
import { openAthena } from '../lib/engines/athena/athena.ts'
import { Attempts } from '../lib/engines/athena/attempts.ts'
import { accessesSql, classifiedSql } from '../lib/engines/athena/sql.ts'
import { ensureTable } from '../lib/engines/athena/table.ts'
import { withRelations } from '../lib/engines/render.ts'
import { itemsText, PRICES, priceNote, totalOf } from '../lib/runs/cost.ts'
import { paths } from '../lib/runs/paths.ts'
import { scanCosts, stagedTotals } from '../lib/runs/staged.ts'
import { proveInPlace } from '../lib/runs/unmoved.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import type { Answer } from './answer.ts'
import type { Query } from './question.ts'

interface AthenaOptions extends AwsSettings {
  readonly workgroup: string
  readonly database: string
  readonly queryTimeout: number
  readonly limit: number
}

/** The statement with its relations, as Athena takes it. */
export async function textForAthena(
  { run, settings, statement }: Omit<Query, 'context'>,
  database: string,
): Promise<string> {
  const table = { source: settings.source, database, run: run.id }
  return withRelations(
    {
      ...(statement.accesses && { accesses: await accessesSql(table) }),
      ...(statement.classified && { classified: await classifiedSql(table, settings) }),
    },
    statement.sql,
  )
}

/** Nothing is saved: an interrupted question is asked again. */
const unsaved = { saved: {}, save: async () => {} }

const NUMBERS = /^((tiny|small|big)?int|integer|float|real|double|decimal)/

/** Asks Athena, once the user agrees to the price. */
export async function askAthena(query: Query, options: AthenaOptions): Promise<Answer> {
  const { context, run, settings } = query
  const sql = await textForAthena(query, options.database)
  await proveInPlace(run, options)
  await approve(query)
  const progress = context.progress('Athena')
  const athena = await openAthena(options, run.uriOf(`${paths.tmp}athena/`), {
    signal: context.signal,
    warn: context.talk.warn,
    onState: (text) => progress.state(text),
  })
  const attempts = new Attempts(athena, unsaved, run.id)
  await ensureTable(athena, attempts, settings.source, run.workspace)
  const done = await attempts.run('question', 'asking', () => sql)
  progress.end(`${bytes(done.scannedBytes)} scanned`)
  return {
    columns: (await athena.columns(done.id)).map(({ name, type }) => ({ name, isNumber: NUMBERS.test(type) })),
    ...(await firstRows(athena, done.id, options.limit)),
    scannedBytes: done.scannedBytes,
    usd: done.scannedBytes * PRICES.athenaByte,
  }
}

async function approve({ context, run, settings: { source }, statement }: Query): Promise<void> {
  const totals = await stagedTotals(run)
  const staged = totals.bytes
  const scans = statement.scans * (source.scans ?? 1)
  const items = scanCosts(totals, scans)
  const cost = totalOf(items)
  const why = statement.scans === 1 ? '' : ', as often as the question names its relations'
  const often = scans === 1 ? '' : ` ${scans} times${why}`
  await context.approve({
    action: `scan ${bytes(staged)} with Athena${often}`,
    plan: [
      `run   ${run.id}`,
      `cost  ${aboutUsd(cost)}: ${bytes(staged)} scanned${often}, ${itemsText(items.slice(1))} (${priceNote})`,
    ],
    kind: 'spend',
    usd: cost,
  })
}

async function firstRows(athena: Athena, id: string, limit: number): Promise<Pick<Answer, 'rows' | 'more'>> {
  const rows: (readonly (string | null)[])[] = []
  for await (const row of athena.rows(id)) {
    if (rows.length === limit) return { rows, more: true }
    rows.push(row)
  }
  return { rows, more: false }
}
