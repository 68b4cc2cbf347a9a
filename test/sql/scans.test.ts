import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { classifiedSql } from '../../scripts/lib/engines/athena/sql.ts'
import { classifiedValues, type ExtractSettings, renderSql } from '../../scripts/lib/engines/render.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { sources } from '../../scripts/lib/sources/registry.ts'
import { textForAthena } from '../../scripts/query/athena.ts'
import { questions, statementOf } from '../../scripts/query/question.ts'
import { Parser } from '../sandbox/athena/syntax-tree.ts'

const parser = new Parser()
after(() => parser.close())

/** How often a text reads tables, or relations that are not its own. Trino works a relation out wherever it is named. */
const scans = async (sql: string): Promise<number> => (await parser.tree(sql)).tables.length

const time = new Date('2026-03-02')
const asked = await questions()

describe('the logs are scanned once', () => {
  it('by no text that names a relation twice', async () => {
    const twice = 'with a as (select * from t where x = 1) select (select max(y) from a) as m from a'
    assert.equal(await scans(twice), 2)
    assert.equal(await scans(`with b as (${twice}), c as (select * from b) select * from c join b on true`), 4)
  })

  for (const source of Object.values(sources)) {
    const settings: ExtractSettings = {
      ...{ source, entity: source.defaultEntity, from: time, to: time, cutoff: time, includePrivate: false },
      dedupe: true,
      ipv6: true,
    }
    const table = { source, database: 'd', run: 'r' }
    const looks = source.scans ?? 1

    it(`by what is extracted of ${source.id}, on either engine`, async () => {
      assert.equal(await scans(await classifiedSql(table, settings)), looks)
      assert.equal(await scans(await renderSql('classified.sql', await classifiedValues(settings, 'duckdb'))), 1)
    })

    for (const question of asked.filter((one) => (one.source ?? source.id) === source.id))
      it(`by ${question.name} over ${source.id}, on either engine`, async () => {
        const statement = statementOf(question, source, { ...settings, entityName: 'e', ip: '192.0.2.1' }, 'duckdb')
        const query = { run: { id: table.run } as Run, settings, statement }
        assert.equal(await scans(await textForAthena(query, table.database)), looks)
        assert.equal(await scans(statement.sql), 1)
      })
  }

  for (const file of ['dropped', 'entities', 'pairs', 'athena/pairs', 'times'])
    it(`by sql/${file}.sql, which reads what was classified`, async () => {
      const part = file.endsWith('pairs') ? { part: "'train'" } : {}
      assert.equal(await scans(await renderSql(`${file}.sql`, part)), 1)
    })
})
