import { randomUUID } from 'node:crypto'
import { text as textOf } from 'node:stream/consumers'
import { type AthenaClient, GetQueryExecutionCommand, GetTableMetadataCommand } from '@aws-sdk/client-athena'
import type { Athena } from '../../lib/aws/athena/athena.ts'
import { QueryFailed } from '../../lib/aws/athena/failure.ts'
import { namesLocation } from '../../lib/aws/athena/workgroup.ts'
import { athenaClient } from '../../lib/aws/clients.ts'
import { detailsOf } from '../../lib/aws/errors.ts'
import { messageOf } from '../../lib/cli/errors.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { createDatabase, ctas, tableOver } from '../../lib/engines/athena/sql.ts'
import { sourceOf } from '../../lib/sources/registry.ts'
import { openStore } from '../../lib/stores/open.ts'
import { refuses, type Seen, succeeds } from './beliefs.ts'
import { madeObjects, oddFiles } from './objects.ts'
import type { TryPlace, TryStep } from './place.ts'

/** Minutes. */
const TIMEOUT = 10

/** Names of the tables in the catalog. */
export const tablesOf = ({ hash }: Pick<TryPlace, 'hash'>) => {
  const named = (name: string) => `prestage_try_${hash}_${name}`
  return {
    cloudtrail: named('cloudtrail'),
    waf: named('waf'),
    rows: named('rows'),
    none: named('none'),
    again: named('again'),
  }
}

type Tables = ReturnType<typeof tablesOf>

/** Athena in the workgroup of the stack; results go to the try's own place, where the workgroup lets them. */
export const athenaOf = (place: TryPlace, signal: AbortSignal, onState: (text: string) => void): Promise<Athena> =>
  openAthena(
    { ...place.aws, workgroup: place.workgroup, database: place.database, queryTimeout: TIMEOUT },
    place.store.uriOf('tmp/athena/'),
    {
      signal,
      warn: () => {},
      onState,
    },
  )

/** Queries of the try over the copies of the made objects, and over some odd files. */
interface Queries extends Tables {
  readonly step: TryStep
  readonly athena: Athena
  readonly client: AthenaClient
  /** Runs a statement. @returns its id @throws QueryFailed */
  run(sql: string): Promise<string>
}

/** One small CTAS and what else Athena is believed to do. */
export async function tryAthena(step: TryStep): Promise<void> {
  const { comparisons, say } = step
  say('a small CTAS')
  const athena = await athenaOf(step, step.signal, say)
  const client = await athenaClient(step.aws, step.region)
  const run = async (sql: string) => (await athena.finish(await athena.start(sql, randomUUID()))).id
  const queries = { ...tablesOf(step), step, athena, client, run }
  let rows: string | undefined
  await comparisons.compare('athena-rights', () =>
    succeeds(async () => {
      rows = await madeTables(queries)
      return 'database, tables and CTAS made'
    }),
  )
  await refusals(queries)
  if (rows === undefined) return
  await lookAtRows(queries, rows)
  await oddRows(queries)
}

/** Where the rows of the CTAS go; undefined where the workgroup decides. */
const placeOf = ({ athena, step }: Queries, name: string): string | undefined =>
  namesLocation(athena.workgroup) ? step.store.uriOf(`tmp/ctas/${step.nonce}/${name}/`) : undefined

/** Makes the tables over logs, and one of the rows of a query. @returns the id of the CTAS */
async function madeTables(queries: Queries): Promise<string> {
  const { step, run, cloudtrail, waf, rows } = queries
  const { database, store } = step
  await run(await createDatabase(database))
  const over = { bulk: store.uriOf('staged/'), staged: `${store.uriOf('staged/')}\${run}/` }
  await run(await tableOver(sourceOf('cloudtrail'), { database, table: cloudtrail }, over))
  await run(await tableOver(sourceOf('waf'), { database, table: waf }, over))
  return run(await ctas('csv', { database, table: rows, location: placeOf(queries, 'rows') }, rowsQuery(cloudtrail)))
}

/** A row for each record, with a comma's neighbours: a quote, a blank and a null. */
const rowsQuery = (table: string): string =>
  `select useridentity.principalid as entity, sourceipaddress as ip, cast(null as varchar) as nothing, 'a "b" c' as quoted from ${table} where run = 'direct'`

const EXPECTED = [1, 2, 3, 4].map((n) => `AIDATRY${n},192.0.2.${n}`)

async function lookAtRows(queries: Queries, id: string): Promise<void> {
  const { step, run, cloudtrail, none, again, athena } = queries
  const { comparisons, database } = step
  const decided = `${athena.workgroup.outputLocation?.replace(/\/$/, '')}/tables/${id}/`
  const objects = await objectsAt(step, placeOf(queries, 'rows') ?? decided)
  const isPacked = objects.some(({ key, bytes }) => key.endsWith('.gz') || (bytes[0] === 0x1f && bytes[1] === 0x8b))
  const lines = objects.flatMap(({ bytes }) => bytes.toString().split('\n')).filter((line) => line !== '')
  await comparisons.compare('athena-ctas-text', () => {
    if (isPacked) return { seen: 'compressed', isBelieved: false }
    const seen = `${lines.length} lines, such as ${lines[0]}`
    return { seen, isBelieved: lines.every((line) => /^AIDATRY\d,192\.0\.2\.\d,[^,]*,a "b" c$/.test(line)) }
  })
  if (!isPacked) {
    await comparisons.compare('athena-ctas-null', () => {
      const texts = [...new Set(lines.map((line) => line.split(',')[2] ?? ''))]
      return { seen: texts.map((text) => JSON.stringify(text)).join(', '), isBelieved: texts.join() === '\\N' }
    })
    await comparisons.compare('athena-cloudtrail-rows', () => {
      const found = lines.map((line) => line.split(',').slice(0, 2).join()).toSorted()
      const made = madeObjects.reduce((sum, { records }) => sum + records, 0)
      return { seen: `${found.length} rows of ${made} records`, isBelieved: found.join(' ') === EXPECTED.join(' ') }
    })
  }
  const [empty, taken] = [placeOf(queries, 'none'), placeOf(queries, 'rows')]
  if (empty === undefined || taken === undefined) return
  const nothing = `${rowsQuery(cloudtrail)} and eventname = 'none'`
  await comparisons.compare('athena-ctas-empty', async () => {
    await run(await ctas('csv', { database, table: none, location: empty }, nothing))
    const { length } = await objectsAt(step, empty)
    return { seen: `${length} objects`, isBelieved: length === 0 }
  })
  await comparisons.compare('athena-location', async () => {
    const sql = await ctas('csv', { database, table: again, location: taken }, rowsQuery(cloudtrail))
    return refuses(
      () => run(sql),
      (error) => error instanceof QueryFailed,
    )
  })
}

async function objectsAt({ aws }: TryStep, uri: string): Promise<{ key: string; bytes: Buffer }[]> {
  const store = await openStore(uri, aws)
  const objects: { key: string; bytes: Buffer }[] = []
  for await (const { key } of store.list())
    objects.push({ key, bytes: Buffer.from(await textOf((await store.read(key)).setEncoding('latin1')), 'latin1') })
  return objects
}

/** What Athena refuses, and how it says so. Nothing of it is paid for. */
async function refusals({ step, athena, client, run }: Queries): Promise<void> {
  const { comparisons, database, workgroup } = step
  const missing = `prestage_try_${step.hash}_missing`
  const token = randomUUID()
  const sql = `select 1 from ${missing}`
  await comparisons.compare('athena-same-token', async () => {
    const id = await athena.start(sql, token)
    await athena.finish(id).catch(() => {})
    const again = await athena.start(sql, token)
    return { seen: again === id ? 'the same query' : 'another query', isBelieved: again === id }
  })
  await comparisons.compare('athena-missing-table', async () => {
    const [table, column] = [
      await typeOf(() => run(sql)),
      await typeOf(() => run('select nothing from (select 1 as something)')),
    ]
    return { seen: `${table}, ${column}`, isBelieved: table === '1301' && column === '1006' }
  })
  await comparisons.compare('athena-unknown-id', () => {
    const asked = new GetQueryExecutionCommand({ QueryExecutionId: randomUUID() })
    return refuses(() => client.send(asked), saysSo(/^InvalidRequestException$/, /was not found/i))
  })
  await comparisons.compare('athena-metadata-missing', () => {
    const names = { CatalogName: 'AwsDataCatalog', DatabaseName: database, TableName: missing, WorkGroup: workgroup }
    const asked = new GetTableMetadataCommand(names)
    return refuses(() => client.send(asked), saysSo(/^MetadataException$/, /EntityNotFoundException/))
  })
}

async function typeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return 'no failure'
  } catch (error) {
    if (error instanceof QueryFailed) return String(error.type)
    throw error
  }
}

/** Whether an error has this code and this message. */
export const saysSo =
  (code: RegExp, message: RegExp) =>
  (error: unknown): boolean =>
    code.test(detailsOf(error).code) && message.test(detailsOf(error).message)

type Odd = keyof typeof oddFiles

async function oddRows(queries: Queries): Promise<void> {
  const { comparisons, store } = queries.step
  const counted = async (name: Odd, column: string): Promise<string> => {
    const { source, body } = oddFiles[name]
    await store.write(`staged/${name}/AWSLogs/file.json.gz`, body)
    const id = await queries.run(
      `select count(*) as n, count(${column}) as filled from ${queries[source]} where run = '${name}'`,
    )
    for await (const row of queries.athena.rows(id)) return `${row[0]} rows, ${row[1]} of them not null`
    return 'no answer'
  }
  const compared = async (name: Odd, column: string, expected: string): Promise<Seen> => {
    const seen = await counted(name, column).catch((error: unknown) => {
      if (error instanceof QueryFailed) return messageOf(error)
      throw error
    })
    return { seen, isBelieved: seen === expected }
  }
  await comparisons.compare('athena-cloudtrail-digest', () =>
    compared('digest', 'eventname', '0 rows, 0 of them not null'),
  )
  await comparisons.compare('athena-cloudtrail-odd', () =>
    compared('oddrecord', 'eventname', '2 rows, 1 of them not null'),
  )
  await comparisons.compare('athena-waf-empty-line', () =>
    compared('emptyline', 'action', '3 rows, 2 of them not null'),
  )
  await comparisons.compare('athena-cloudtrail-broken', () =>
    refuses(
      () => counted('broken', 'eventname'),
      (error) => /HIVE_CURSOR_ERROR/.test(messageOf(error)),
    ),
  )
}
