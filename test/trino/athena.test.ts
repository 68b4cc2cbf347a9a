import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { classifiedSql, overTable, type RunTable } from '../../scripts/lib/engines/athena/sql.ts'
import type { Session } from '../../scripts/lib/engines/duckdb/database.ts'
import { withRecords } from '../../scripts/lib/engines/duckdb/duckdb.ts'
import {
  canonicalSql,
  classifiedValues,
  type Engine,
  type ExtractSettings,
  literal,
  renderSql,
  withRelations,
} from '../../scripts/lib/engines/render.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import type { Source } from '../../scripts/lib/sources/source.ts'
import { textForAthena } from '../../scripts/query/athena.ts'
import { type Question, questions, statementOf } from '../../scripts/query/question.ts'
import { canonicalAddresses } from '../support/addresses.ts'
import { assertSpread, oneAfterAnother, SECONDS } from '../support/spread.ts'
import { tempFolder } from '../support/temp.ts'
import { ask, asText, type Row } from './client.ts'
import { install } from './install.ts'
import { allLogs, type Logs, WINDOW } from './logs.ts'
import { type Server, startTrino } from './server.ts'
import { loadRecords, recordsOfText, trinoType } from './tables.ts'

const DATABASE = 'prestage'

const types: [hive: string, trino: string][] = [
  ['string', 'varchar'],
  ['bigint', 'bigint'],
  ['struct<a:string,b:struct<c:bigint>>', 'row("a" varchar, "b" row("c" bigint))'],
  ['array<struct<name:string,value:string>>', 'array(row("name" varchar, "value" varchar))'],
]

for (const [hive, trino] of types) it(`${hive} is ${trino}`, () => assert.equal(trinoType(hive), trino))

const wanted = process.env.PRESTAGE_TEST_TRINO !== undefined
const installed = wanted ? await install() : 'only with npm run test:trino'
const skip = typeof installed === 'string' ? installed : false

/** One way to extract. */
interface Choice {
  readonly entity: string
  readonly includePrivate: boolean
  readonly dedupe: boolean
}

describe('on a real Trino', { skip }, () => {
  let server: Server
  let asked: Question[]
  before(async () => {
    if (typeof installed === 'string') return
    server = await startTrino(installed)
    asked = await questions()
  })
  after(() => server?.stop())

  it('pairs lie apart, as rows are written', async () => {
    const numbers = `unnest(sequence(1, ${SECONDS})) as t(n)`
    const text = await renderSql('athena/pairs.sql', { part: literal('train') })
    const kept = withRelations({ classified: oneAfterAnother(numbers) }, text)
    await ask(server.url, `create schema if not exists "prestage"`)
    await ask(server.url, `create table "prestage"."spread" as ${kept}`)
    assertSpread(await ask(server.url, 'select entity from "prestage"."spread"'))
  })

  it('addresses have the text of RFC 5952', async () => {
    const relation = `(values ${canonicalAddresses.map(([written]) => `(${literal(written)})`).join(', ')}) as t(ip)`
    const found = await ask(server.url, `select ip, ${canonicalSql('athena')} from ${relation}`)
    assert.deepEqual(new Map(found.map(([written, text]) => [written, text])), new Map(canonicalAddresses))
  })

  it('every source and entity, and every question: the rows of DuckDB', { timeout: 900_000 }, async (t) => {
    for (const logs of await allLogs())
      await withDuckdb(logs, async (duckdb, lines) => {
        assert.ok(lines.length > 0)
        const { source } = logs
        const table = { source, database: DATABASE, run: `run-of-${source.id}-${source.address ?? ''}` }
        const isText = source.text !== undefined
        await loadRecords(server.url, table, isText ? await recordsOfText(source, logs.files) : lines)
        for (const choice of choicesOf(logs))
          await t.test(`${source.id}: ${describeChoice(choice)}`, () =>
            comparePairs(server.url, duckdb, table, settingsOf(logs, choice)),
          )
        const settings = settingsOf(logs, { entity: logs.source.defaultEntity, includePrivate: false, dedupe: false })
        await classify(duckdb, settings)
        for (const question of asked.filter((one) => isAsked(one, source)))
          await t.test(`${source.id}: ${question.name}`, () =>
            compareAnswers(server.url, duckdb, table, settings, question),
          )
      })
  })
})

const describeChoice = ({ entity, includePrivate, dedupe }: Choice): string =>
  [entity, includePrivate ? 'private addresses too' : '', dedupe ? 'each event once' : ''].filter(Boolean).join(', ')

/** The questions about `classified` have one text and the same columns for all sources: two of them are enough. */
const isAsked = ({ source, text }: Question, { id }: Source): boolean =>
  source === undefined ? ['cloudtrail', 'waf'].includes(id) || text.includes('{{aspects}}') : source === id

/** The entities of the address that the source has been given, and everything at once. */
function choicesOf({ source }: Logs): Choice[] {
  const entities = Object.keys(source.entities).filter((name) => source.entities[name]?.address === source.address)
  const [first = ''] = entities
  return [
    ...entities.map((entity) => ({ entity, includePrivate: false, dedupe: false })),
    { entity: first, includePrivate: true, dedupe: true },
  ]
}

const settingsOf = ({ source }: Logs, choice: Choice): ExtractSettings => ({ source, ...WINDOW, ...choice, ipv6: true })

const rowsIn = async (duckdb: Session, sql: string): Promise<Row[]> => (await duckdb.run(sql)).map(asText)

async function classify(duckdb: Session, settings: ExtractSettings): Promise<void> {
  const classified = await renderSql('classified.sql', await classifiedValues(settings, 'duckdb'))
  await duckdb.run(`create or replace temp table classified as ${classified}`)
}

/** The rows of all that Athena is asked when it extracts. */
async function comparePairs(url: string, duckdb: Session, table: RunTable, settings: ExtractSettings): Promise<void> {
  await classify(duckdb, settings)
  await ask(url, 'drop table if exists "prestage"."kept"')
  await ask(url, `create table "prestage"."kept" as ${await classifiedSql(table, settings)}`)
  const kept = (sql: string) => ask(url, overTable('classified', DATABASE, 'kept', sql))

  const everything = 'select event_time, entity, ip, family, part, drop_reason from classified'
  same(await kept(everything), await rowsIn(duckdb, everything), 'classified')
  for (const part of ['train', 'holdout']) {
    const pairs = await renderSql('pairs.sql', { part: literal(part) })
    same(await kept(await renderSql('athena/pairs.sql', { part: literal(part) })), await rowsIn(duckdb, pairs), part)
  }
  for (const file of ['entities.sql', 'ipv6.sql', 'times.sql', 'dropped.sql']) {
    const sql = await renderSql(file)
    assert.deepEqual(await kept(sql), await rowsIn(duckdb, sql), file)
  }
}

/** The answer to a question, in its order. */
async function compareAnswers(
  url: string,
  duckdb: Session,
  table: RunTable,
  settings: ExtractSettings,
  question: Question,
): Promise<void> {
  const named = { ...settings, entityName: 'e', ip: '192.0.2.1' }
  const statementFor = (engine: Engine) => statementOf(question, settings.source, named, engine)
  const statement = statementFor('athena')
  const text = await textForAthena({ run: { id: table.run } as Run, settings, statement }, DATABASE)
  assert.deepEqual(await ask(url, text), await rowsIn(duckdb, statementFor('duckdb').sql))
}

/** As multisets: neither engine promises an order. */
function same(trino: readonly Row[], duckdb: readonly Row[], what: string): void {
  const sorted = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).sort()
  assert.deepEqual(sorted(trino), sorted(duckdb), what)
}

/** DuckDB over the records of logs, and these records as they were found. */
async function withDuckdb(
  { source, files }: Logs,
  use: (duckdb: Session, lines: readonly string[]) => Promise<void>,
): Promise<void> {
  await withRecords(
    async () => files,
    [],
    {
      source,
      members: [...Object.keys(source.members), ...Object.keys(source.details)],
      scratch: join(tempFolder(), 'scratch'),
      memoryLimit: '512MB',
      threads: 1,
      skipBadFiles: false,
      signal: new AbortController().signal,
      onFiles: () => {},
      onState: () => {},
    },
    (duckdb, { parts }) =>
      use(
        duckdb,
        parts.flatMap(({ path }) => readFileSync(path, 'utf8').split('\n').slice(0, -1)),
      ),
  )
}
