import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { accessesSql, classifiedSql, createTable, ctas, overTable } from '../../scripts/lib/engines/athena/sql.ts'
import { withRecords } from '../../scripts/lib/engines/duckdb/duckdb.ts'
import type { LogFile } from '../../scripts/lib/engines/records/index.ts'
import {
  classifiedValues,
  type Engine,
  type ExtractSettings,
  literal,
  renderSql,
  withRelations,
} from '../../scripts/lib/engines/render.ts'
import { decodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import { LINKS } from '../../scripts/lib/runs/unmoved.ts'
import { keyParser } from '../../scripts/lib/sources/layout.ts'
import { sourceIds, sources } from '../../scripts/lib/sources/registry.ts'
import { type Source, sourceFor, sourceParser } from '../../scripts/lib/sources/source.ts'
import { findQuestion, questions, statementOf } from '../../scripts/query/question.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'
import { done, rows, sandbox } from './athena-client.ts'

const RUN = 'run-1'

const logs = await simulatedLogs({ sources: sourceIds })
const scratch = tempFolder()

function filesOf(source: Source): LogFile[] {
  const parse = sourceParser(source, keyParser)
  const keys = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((key) => parse(key))
  const files = keys.map((key) => ({ key, path: join(logs, key), stats: statSync(join(logs, key)) }))
  return files.filter(({ stats }) => stats.isFile()).map(({ stats, ...file }) => ({ ...file, size: stats.size }))
}

const settingsOf = (source: Source, entity: string): ExtractSettings => ({
  source: sourceFor(source, entity),
  entity,
  from: new Date('2026-03-02T00:00:00Z'),
  to: new Date('2026-03-04T00:00:00Z'),
  cutoff: new Date('2026-03-03T12:00:00Z'),
  // Who asks for names is inside.
  includePrivate: entity.endsWith('@srcaddr'),
  dedupe: true,
  ipv6: true,
})

/** What DuckDB answers, as text. */
async function inDuckdb(settings: ExtractSettings, sqls: readonly string[]): Promise<(string | null)[][][]> {
  const { source } = settings
  const classified = await renderSql('classified.sql', await classifiedValues(settings, 'duckdb'))
  const how = { memoryLimit: '512MB', threads: 2, skipBadFiles: false, signal: new AbortController().signal }
  const members = [...Object.keys(source.members), ...Object.keys(source.details)]
  const relations = [{ name: 'classified', sql: classified }]
  const all = { source, members, scratch: join(scratch, 'duckdb'), onFiles: () => {}, onState: () => {}, ...how }
  return withRecords(
    async () => filesOf(source),
    relations,
    all,
    async (session) => {
      const answers: (string | null)[][][] = []
      for (const sql of sqls)
        answers.push((await session.run(sql)).map((row) => row.map((cell) => (cell === null ? null : String(cell)))))
      return answers
    },
  )
}

/** The table of a source in the sandbox, over its logs as they are staged. */
async function staged(source: Source): Promise<void> {
  const files = filesOf(source)
  const place = source.inPlace ? 'lake/' : `prestage/bulk/${RUN}/staged/`
  for (const { key, path } of files) sandbox.s3.put('ws', `${place}${key}`, readFileSync(path))
  // What lies elsewhere is named by a list.
  if (source.inPlace)
    sandbox.s3.put('ws', `prestage/bulk/${RUN}/${LINKS}`, files.map(({ key }) => `s3://ws/lake/${key}`).join('\n'))
  // Another run's objects, which would be seen at once.
  sandbox.s3.put('ws', 'prestage/bulk/run-2/staged/broken.json', '{')
  await done('create database if not exists `db`')
  await done(await createTable({ source, database: 'db' }, 's3://ws/prestage'))
}

const answer = async (sql: string): Promise<(string | null)[][]> =>
  (await rows(sql)).slice(1).map((row) => row.map((cell) => cell ?? null))

const ordered = (found: readonly (readonly (string | null)[])[]): string[] =>
  found.map((row) => JSON.stringify(row)).sort()

for (const source of Object.values(sources))
  describe(source.id, () => {
    const table = { source, database: 'db', run: RUN }

    for (const entity of Object.keys(source.entities))
      test(`classified by ${entity} as DuckDB does it`, async () => {
        const settings = settingsOf(source, entity)
        await staged(source)
        const place = 's3://ws/prestage/bulk/run-1/tmp/classified/'
        await done(
          await ctas(
            'parquet',
            { database: 'db', table: 'classified_1', location: place },
            await classifiedSql({ ...table, source: settings.source }, settings),
          ),
        )
        const texts = [
          await renderSql('dropped.sql'),
          await renderSql('entities.sql'),
          await renderSql('pairs.sql', { part: literal('train') }),
          await renderSql('pairs.sql', { part: literal('holdout') }),
          await renderSql('ipv6.sql'),
          await renderSql('athena/pairs.sql', { part: literal('train') }),
          'select event_time, entity, ip, family, part, drop_reason from classified',
        ]
        const expected = await inDuckdb(settings, texts)
        assert.ok((expected[2] ?? []).length > 100)
        for (const [i, text] of texts.entries())
          assert.deepEqual(
            ordered(await answer(overTable('classified', 'db', 'classified_1', text))),
            ordered(expected[i] ?? []),
            text,
          )
      })

    test('questions are answered as DuckDB does it', async () => {
      const settings = settingsOf(source, source.defaultEntity)
      await staged(source)
      const asked = (await questions()).filter((question) => [undefined, source.id].includes(question.source))
      const one = 'select entity, ip from classified where drop_reason is null order by entity, ip limit 1'
      const [[[entity = '', ip = ''] = []] = []] = (await inDuckdb(settings, [one])) as string[][][]
      const named = { ...settings, entityName: decodeEntity(entity), ip }
      const textsFor = (engine: Engine) =>
        Promise.all(asked.map(async ({ path }) => statementOf(await findQuestion(path), source, named, engine)))
      const texts = await textsFor('athena')
      const expected = await inDuckdb(
        settings,
        (await textsFor('duckdb')).map(({ sql }) => sql),
      )
      for (const [i, { sql, classified }] of texts.entries()) {
        const relations = classified
          ? { classified: await classifiedSql(table, settings) }
          : { accesses: await accessesSql(table) }
        assert.deepEqual(await answer(withRelations(relations, sql)), expected[i], asked[i]?.name)
        if (/entity/.test(asked[i]?.name ?? '')) assert.notEqual(expected[i]?.length, 0, asked[i]?.name)
      }
    })
  })
