import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  accessesSql,
  classifiedSql,
  countRows,
  createDatabase,
  createTable,
  ctas,
  dropTable,
  overTable,
} from '../../../scripts/lib/engines/athena/sql.ts'
import { columnsOf } from '../../../scripts/lib/engines/athena/table.ts'
import { literal, renderSql, withRelations } from '../../../scripts/lib/engines/render.ts'
import { sources } from '../../../scripts/lib/sources/registry.ts'
import { hiveParser, trinoParser } from '../../sandbox/athena/sql-parser.ts'

const [trino, hive] = [trinoParser(), hiveParser()]
const assertTrino = (sql: string) => assert.deepEqual(trino.validate(sql), [], sql)
const assertHive = (sql: string) => assert.deepEqual(hive.validate(sql), [], sql)

const WORKSPACE = "s3://org-staging/it's a prefix\\"
const from = new Date('2026-03-02T00:00:00Z')
const to = new Date('2026-03-03T00:00:00Z')
const classified = { database: 'prestage', table: 'classified_a1b2c3_1' }
const run = "cloudtrail-20260302T0000Z'; drop table x; --"

describe('the grammars', () => {
  it('refuse what is wrong: a check that lets it pass would prove nothing', () => {
    assert.notDeepEqual(trino.validate('select a, from t'), [])
    assert.notDeepEqual(trino.validate('create table t with (format = ) as select 1'), [])
    assert.notDeepEqual(hive.validate('create external table t (a struct<b string>)'), [])
  })
})

describe('statements of Athena', () => {
  for (const source of Object.values(sources)) {
    const table = { source, database: 'prestage', run }
    for (const entity of Object.keys(source.entities))
      for (const [includePrivate, dedupe] of [
        [false, false],
        [true, true],
      ] as const)
        it(`classify ${source.id} by ${entity}${dedupe ? ', each event once' : ''}`, async () => {
          const settings = { source, entity, from, to, cutoff: to, includePrivate, dedupe, ipv6: true }
          const query = await classifiedSql(table, settings)
          assertTrino(query)
          assertTrino(await ctas('parquet', { ...classified, location: "s3://b/o'clock/" }, query))
          assertTrino(await ctas('parquet', { ...classified, location: undefined }, query))
          assert.ok(query.length < 100_000, `${query.length} of the 262,144 bytes that Athena takes`)
        })

    it(`create the table of ${source.id}`, async () => {
      const sql = await createTable(table, WORKSPACE)
      assertHive(sql)
      assert.match(sql, /location 's3:\/\/org-staging\/it\\'s a prefix\\\\\/bulk\/'/)
      assert.match(sql, /'storage\.location\.template' = 's3:.*\/bulk\/\$\{run\}\/staged\/'/)
    })

    it(`name the run in every look at ${source.id}`, async () => {
      const sql = await accessesSql(table)
      assertTrino(sql)
      const looks = sql.split(`"prestage"."${source.id}"`).length
      assert.ok(looks > 1, sql)
      assert.ok(sql.split(`where run = ${literal(run)}`).length >= looks, sql)
    })

    it(`declare columns that are read back as written, of ${source.id}`, async () => {
      const columns = new Map(columnsOf(await createTable(table, WORKSPACE)))
      assert.ok(columns.size >= 5 || columns.has('line'))
      for (const [name, type] of columns) {
        assert.match(name, /^[a-z0-9_]+$/)
        assert.match(type, /^(string|bigint|int|(struct|array)<[a-z0-9_:,<>]+>)$/)
      }
    })
  }

  for (const source of Object.values(sources).filter(({ parquet }) => parquet !== undefined))
    it(`read ${source.id} as Parquet by a table of its own`, async () => {
      const table = { source: { ...source, form: 'parquet' as const }, database: 'prestage', run }
      const sql = await createTable(table, WORKSPACE)
      assertHive(sql)
      const columns = columnsOf(sql).map(([name]) => name)
      for (const member of Object.keys({ ...source.members, ...source.details }))
        assert.ok(columns.includes(source.parquet?.(member) ?? ''), member)
      const accesses = await accessesSql(table)
      assertTrino(accesses)
      assert.ok(accesses.endsWith(`where run = ${literal(run)}`), accesses)
      assert.equal(accesses.split(literal(run)).length, 3)
    })

  it('write and count the parts, and clean up', async () => {
    for (const name of ['athena/pairs.sql', 'entities.sql', 'dropped.sql', 'times.sql']) {
      const text = await renderSql(name, name === 'athena/pairs.sql' ? { part: literal('train') } : {})
      const query = overTable('classified', 'prestage', 'classified_a1b2c3_1', text)
      assertTrino(query)
      assertTrino(await ctas('csv', { database: 'prestage', table: 'train_a1b2c3_1', location: 's3://b/p/' }, query))
    }
    assertTrino(await countRows('prestage', 'train_a1b2c3_1'))
    assertHive(await createDatabase('prestage'))
    assertHive(await dropTable('prestage', 'train_a1b2c3_1'))
  })

  it('take no name that would have to be escaped', async () => {
    for (const name of ['a-b', 'A', '', 'a`b', 'a"b', 'a.b', 'ä'])
      await assert.rejects(async () => dropTable('prestage', name), /is not a name for a database or table/)
  })
})

describe('a query over relations', () => {
  it('keeps its own', () => {
    const sql = withRelations({ a: 'select 1 as x' }, 'with b as (select x from a)\nselect x from b')
    assertTrino(sql)
    assert.equal(sql.match(/\bwith\b/g)?.length, 1)
  })
})
