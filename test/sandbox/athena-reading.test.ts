import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { tempFolder } from '../support/temp.ts'
import { done, execution, failsWith, rows, sandbox } from './athena-client.ts'

const OUT = "outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'"
const FORMATS = {
  lines: `row format serde 'org.openx.data.jsonserde.JsonSerDe' stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat' ${OUT}`,
  forgiving: `row format serde 'org.openx.data.jsonserde.JsonSerDe' with serdeproperties ('ignore.malformed.json' = 'true') stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat' ${OUT}`,
  documents: `row format serde 'org.apache.hive.hcatalog.data.JsonSerDe' stored as inputformat 'com.amazon.emr.cloudtrail.CloudTrailInputFormat' ${OUT}`,
} as const

beforeEach(async () => {
  await done('create database db')
})

/** A table over everything below `logs/`. */
const define = (format: keyof typeof FORMATS, columns = 'a string, n bigint, s struct<x: string>') =>
  done(`create external table t (${columns}) ${FORMATS[format]} location 's3://ws/logs/'`)

const put = (key: string, body: string | Buffer) => sandbox.s3.put('ws', `logs/${key}`, body)

/** The values of columns, sorted. */
const values = async (sql = 'select a from t'): Promise<(string | undefined)[][]> =>
  (await rows(sql)).slice(1).sort((a, b) => String(a).localeCompare(String(b)))

describe('objects below the location', () => {
  test('are read however deep they are; hidden, archived and empty ones are not', async () => {
    await define('lines')
    put('a.json', '{"a":"1"}\n')
    put('deep/er/b.json', '{"a":"2"}')
    put('_hidden.json', '{')
    put('.hidden/c.json', '{')
    put('folder/', '')
    put('empty.json.gz', '')
    sandbox.s3.put('ws', 'logs/cold.json', '{', { storageClass: 'GLACIER' })
    sandbox.s3.put('ws', 'logs-of-others/a.json', '{')
    assert.deepEqual(await values(), [['1'], ['2']])
  })

  test('are unpacked as their keys say', async () => {
    await define('lines')
    put('a.json', '{"a":"plain"}')
    put('b.gz', gzipSync('{"a":"gzip"}\n{"a":"two"}\n'))
    put('c.zst', await zstd('{"a":"zstd"}\n\n{"a":"three"}\n'))
    assert.deepEqual(await values('select a from t where a is not null'), [
      ['gzip'],
      ['plain'],
      ['three'],
      ['two'],
      ['zstd'],
    ])
    put('d.json.gz', gzipSync('{"a":"x"}').subarray(0, 20))
    await failsWith('select a from t', /^HIVE_CURSOR_ERROR: Failed to read file at s3:\/\/ws\/logs\/d\.json\.gz/, 1001)
  })

  test('are counted by the byte', async () => {
    await define('lines')
    const [small, large] = [Buffer.from('{"a":"1"}'), gzipSync('{"a":"2"}')]
    put('a.json', small)
    put('b.gz', large)
    const { Statistics } = await execution(
      await done('select count(*) as c from t join (select 1 as one) as o on true'),
    )
    assert.equal(Statistics?.DataScannedInBytes, small.length + large.length)
  })

  test('must be allowed to be read', async () => {
    await define('lines')
    put('a.json', '{"a":"1"}')
    const give = sandbox.s3.deny({ action: 's3:GetObject', resource: 'ws/logs/a.json' })
    await failsWith(
      'select a from t',
      /^PERMISSION_DENIED: Permission denied on S3 path: s3:\/\/ws\/logs\/a\.json$/,
      1501,
    )
    give()
    sandbox.s3.deny({ action: 'glue:GetTable', resource: 'db/t' })
    await failsWith('select a from t', /^PERMISSION_DENIED: .*glue:GetTable/)
  })
})

describe('a line of JSON', () => {
  test('gives what the columns declare, whatever the case of its names', async () => {
    await define('lines')
    put('a.json', '{"A":"1","N":"7","S":{"X":{"deep":true}},"other":1}\n{"a":true,"n":null}\n')
    assert.deepEqual(await values('select a, n, s.x from t'), [
      ['1', '7', '{"deep":true}'],
      ['true', undefined, undefined],
    ])
  })

  test('that is empty is a row of nulls', async () => {
    await define('lines')
    put('a.json', '\n{"a":"1"}\n')
    assert.deepEqual(await values('select count(*) as c, count(a) as a from t'), [['2', '1']])
  })

  for (const [what, line] of [
    ['no JSON', '{"a":'],
    ['no object', '["a"]'],
    ['of another type', '{"n":"seven"}'],
    ['of another shape', '{"s":"flat"}'],
  ] as const)
    test(`that is ${what} fails the query, unless that is ignored`, async () => {
      put('a.json', `{"a":"1"}\n${line}\n`)
      await define('lines')
      await failsWith('select a from t', /^HIVE_BAD_DATA: /, 1001)
      await done('drop table t')
      await define('forgiving')
      assert.deepEqual(await values('select count(*) as c, count(a) as a from t'), [['2', '1']])
    })
})

describe('a CloudTrail document', () => {
  test('is split into its records', async () => {
    await define('documents')
    put('a.json.gz', gzipSync('{"Records":[{"a":"1"},{"a":"2","s":{"x":"y"}}]}'))
    put('none.json', '{"Records":[]}')
    put('digest.json', '{"digestEndTime":"x"}')
    assert.deepEqual(await values('select a, s.x from t'), [
      ['1', undefined],
      ['2', 'y'],
    ])
  })

  test('with a record that is none has a row of nulls', async () => {
    await define('documents')
    put('a.json', '{"Records":[null,7,{"a":"1"}]}')
    assert.deepEqual(await values('select count(*) as c, count(a) as a from t'), [['3', '1']])
  })

  for (const [what, document] of [
    ['that is cut off', '{"Records":[{"a"'],
    ['of lines', '{"Records":[]}\n{"Records":[]}'],
    ['whose records are no list', '{"Records":{"a":"1"}}'],
  ] as const)
    test(`${what} fails the query`, async () => {
      await define('documents')
      put('a.json', document)
      await failsWith('select a from t', /^HIVE_CURSOR_ERROR: /, 1001)
    })
})

describe('an injected partition', () => {
  beforeEach(async () => {
    await done(
      `create external table t (a string) partitioned by (run string) ${FORMATS.lines} location 's3://ws/bulk/'
       tblproperties ('projection.enabled' = 'true', 'projection.run.type' = 'injected',
         'storage.location.template' = 's3://ws/bulk/\${run}/staged/')`,
    )
    for (const run of ['r1', 'r2', 'r3']) sandbox.s3.put('ws', `bulk/${run}/staged/a.json`, `{"a":"of ${run}"}`)
  })

  for (const [where, expected] of [
    ["run = 'r1'", [['of r1', 'r1']]],
    ["'r1' = run and a <> 'x'", [['of r1', 'r1']]],
    [
      "t.run in ('r1', 'r3')",
      [
        ['of r1', 'r1'],
        ['of r3', 'r3'],
      ],
    ],
    ["run = 'r9'", []],
  ] as const)
    test(`is named: where ${where}`, async () => {
      assert.deepEqual(await values(`select a, run from db.t where ${where}`), expected)
    })

  for (const sql of [
    'select a from t',
    "select a from t where run like 'r%'",
    "select a from t where run = 'r1' or a = 'x'",
    "select a from t where run = lower('R1')",
    "select a from (select a, run from t) as s where a = 'of r1'",
    "select o.a from t as o join t on o.a = t.a where o.run = 'r1'",
  ])
    test(`must be named: ${sql}`, () =>
      failsWith(
        sql,
        /^CONSTRAINT_VIOLATION: For the injected projected partition column run, the WHERE clause must contain only static equality conditions, and at least one such condition must be present\.$/,
      ))

  test('reads one run alone', async () => {
    sandbox.s3.put('ws', 'bulk/r2/staged/broken.json', '{')
    assert.deepEqual(await values("with r as (select a from t where run = 'r1') select a from r"), [['of r1']])
  })
})

async function zstd(text: string): Promise<Buffer> {
  const path = join(tempFolder(), 'text.zst')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const lines = text.split('\n').slice(0, -1)
  const rows = lines.map((line) => `('${line}')`).join(', ')
  await connection.run(
    `copy (values ${rows}) to '${path}' (format csv, header false, delim '|', quote '', escape '', compression zstd)`,
  )
  connection.closeSync()
  instance.closeSync()
  return readFileSync(path)
}
