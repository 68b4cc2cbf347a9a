import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BatchGetQueryExecutionCommand, GetTableMetadataCommand } from '@aws-sdk/client-athena'
import fc from 'fast-check'
import { type HiveType, readType, shaped, typeText } from './athena/hive-types.ts'
import { Words } from './athena/words.ts'
import { begin, client, done, fails, failsWith, OUTPUT, ran, results, rows, sandbox } from './athena-client.ts'

const SERDE = "row format serde 'org.openx.data.jsonserde.JsonSerDe'"
const STORED =
  "stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat' outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'"
const table = (name: string, columns: string, more = '') =>
  `create external table ${name} (${columns}) ${SERDE} ${STORED} location 's3://ws/logs' ${more}`

const metadata = (TableName: string, DatabaseName = 'db') =>
  client.send(new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName, TableName }))

describe('DDL', () => {
  test('makes a table of which everything is told', async () => {
    await done('-- a comment\nCREATE DATABASE IF NOT EXISTS `db`;')
    await done(
      `CREATE EXTERNAL TABLE IF NOT EXISTS \`db\`.Requests (
        \`timestamp\` bigint, Http struct< ClientIp : string, headers:array<struct<name:string,value:string>>>, -- more
        tags map<string,int>, seen double
      ) PARTITIONED BY (run string) ${SERDE} WITH SERDEPROPERTIES ('ignore.malformed.json'='true') ${STORED}
      LOCATION 's3://ws/it\\'s/bulk'
      TBLPROPERTIES ('projection.enabled'='true', 'projection.run.type'='injected',
        'storage.location.template'='s3://ws/it\\'s/bulk/\${run}/staged/')`,
    )
    const { TableMetadata } = await metadata('requests')
    assert.deepEqual(TableMetadata?.Columns, [
      { Name: 'timestamp', Type: 'bigint' },
      { Name: 'http', Type: 'struct<clientip:string,headers:array<struct<name:string,value:string>>>' },
      { Name: 'tags', Type: 'map<string,int>' },
      { Name: 'seen', Type: 'double' },
    ])
    assert.deepEqual(TableMetadata?.PartitionKeys, [{ Name: 'run', Type: 'string' }])
    const { Parameters } = TableMetadata ?? {}
    assert.equal(Parameters?.location, "s3://ws/it's/bulk/")
    assert.match(Parameters?.['storage.location.template'] ?? '', /^s3:\/\/ws\/it's\/bulk\/\$\{run\}\/staged\/$/)
    assert.equal(Parameters?.['serde.param.ignore.malformed.json'], 'true')
    assert.deepEqual(sandbox.athena.catalog.names(), ['db.requests'])
  })

  test('of a database or table that is there already fails, unless it may be', async () => {
    await done('create database db')
    await failsWith('create database db', /Database db already exists/, 1003)
    const there = { QueryExecutionContext: { Database: 'db2' } }
    const { Status } = await ran('create database db2', there)
    assert.match(Status?.StateChangeReason ?? '', /Database does not exist: db2/)
    await done(table('t', 'a string'))
    await failsWith(table('t', 'b string'), /AlreadyExistsException\(message:Table t already exists/, 1003)
    await done(table('if not exists t', 'b string'))
    assert.deepEqual((await metadata('t')).TableMetadata?.Columns, [{ Name: 'a', Type: 'string' }])
  })

  test('fails where something is missing or named twice', async () => {
    await failsWith(table('nowhere.t', 'a string'), /Database does not exist: nowhere/, 1003)
    await done('create database db')
    await failsWith(table('t', 'a string, A int'), /Duplicate column name: a/, 1003)
    await failsWith('drop table t', /Table not found db\.t/, 1003)
    await done('drop table if exists t')
    await failsWith(
      table('t', 'a string)  partitioned by (run string', '').replace(
        "location 's3://ws/logs'",
        "location 's3://ws/logs' tblproperties ('projection.enabled'='true','projection.run.type'='injected','storage.location.template'='s3://ws/logs/')",
      ),
      /must contain the partition column run/,
      1101,
    )
  })

  test('a dropped table leaves its objects', async () => {
    sandbox.s3.put('ws', 'logs/a.json', '{"a":"x"}')
    await done('create database db')
    await done(table('t', 'a string'))
    assert.deepEqual(await rows('select a from t'), [['a'], ['x']])
    await done('drop table `db`.`t`')
    await failsWith('select a from t', /^TABLE_NOT_FOUND: .*'awsdatacatalog.db.t' does not exist$/, 1301)
    assert.deepEqual(sandbox.s3.keys('ws'), ['logs/a.json'])
    const missing = /^EntityNotFoundException: Entity Not Found/
    await fails(metadata('t'), missing, 'MetadataException')
    await fails(metadata('t', 'nowhere'), missing, 'MetadataException')
  })

  test('has no rows, and an empty object', async () => {
    const id = await done('create database db')
    const { ResultSet, UpdateCount } = await results(id)
    assert.deepEqual([ResultSet?.Rows, UpdateCount], [[], undefined])
    assert.equal((await sandbox.s3.get('results', `out/${id}.txt`)).length, 0)
  })
})

describe('what is no statement', () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['selct 1', /^line 1:1: mismatched input 'selct'/],
    ['-- nothing', /mismatched input '<EOF>'/],
    ['select a,\n  from', /^line 2:\d: syntax error/],
    ['select 1; select 2', /^line 1:11: mismatched input 'select'/],
    ['select * from `db`.`t`', /^line 1:15: backquoted identifiers are not supported/],
    ['create table 1db.t as select 1 as a', /^line 1:14: identifiers must not start with a digit/],
    ['drop table "t"', /^line 1:12: mismatched input 't'/],
    ['create table t with (format = ) as select 1 as a', /mismatched input '\)'/],
    ["create table t with (format = 'a', format = 'b') as select 1 as a", /Duplicate property: format/],
    ["create external table t (a strin) row format serde 'x'", /no type strin/],
    ['create database db extra', /mismatched input 'extra'/],
  ]
  for (const [sql, message] of table) test(`is refused at once: ${sql}`, () => fails(begin(sql), message))
})

const beyond: readonly (readonly [sql: string, message: RegExp])[] = [
  ["select map(array['a'], array[1]) as m", /^the function map is not/],
  ["select date_format(now(), '%Y') as y", /^the function date_format is not/],
  ['select upper(to_hex(to_utf8(x))) as y from t', /^the function (to_hex|to_utf8) is not/],
  ['select st_point(1, 2) as p', /^the function st_point is not/],
  ['values 1, 2', /^Athena's VALUES is not/],
  ['explain select 1', /^Athena's EXPLAIN is not/],
  ['prepare p from select 1', /^Athena's PREPARE is not/],
  ['select x from t match_recognize (pattern (a b+) define b as x > 1) as m', /^this query \(syntax error/],
  ["create external table t (a string) row format delimited fields terminated by ',' location 's3://ws/'", /DELIMITED/],
  [table('t', 'a string').replace(STORED, 'stored as textfile'), /TEXTFILE/],
  ["create external table t (a string) stored as parquet location 's3://ws/'", /with STORED/],
  [table('t', "a string comment 'first'"), /COMMENT/],
  [table('t', 'a decimal(10,2)'), /^the type decimal is not/],
]

test('what is not in this sandbox is said so', async () => {
  await assert.rejects(begin('msck repair table t'), /MSCK is not in this sandbox/)
  await assert.rejects(begin("unload (select 1) to 's3://ws/x/' with (format = 'TEXTFILE')"), /UNLOAD is not/)
  for (const [sql, what] of beyond) await assert.rejects(begin(sql), { name: 'NotImplemented', message: what })
  await assert.rejects(begin('select ?', { ExecutionParameters: ['1'] }), /ExecutionParameters is not/)
})

test('a token stands for one query, whatever became of it', async () => {
  const ClientRequestToken = 'a'.repeat(32)
  const id = await begin('select nothing from nowhere.t', { ClientRequestToken })
  assert.equal(await sandbox.athena.settle(), 'FAILED')
  assert.equal(await begin('select nothing from nowhere.t', { ClientRequestToken }), id)
  for (const change of [
    { QueryString: 'select 2' },
    { QueryExecutionContext: { Database: 'other' } },
    { ResultConfiguration: { OutputLocation: 's3://results/elsewhere/' } },
  ])
    await fails(
      begin('select nothing from nowhere.t', { ClientRequestToken, ...change }),
      'Idempotent parameters do not match',
    )
  assert.equal(sandbox.athena.queries.all.length, 1)
})

test('queries are told by kind, many at once', async () => {
  const ids = [
    await done('create database db'),
    await done('select 1 as one'),
    await done("create table db.made with (external_location = 's3://ws/made/') as select 1 as one"),
    await done('drop table if exists db.made'),
  ]
  const unknown = '00000000-0000-0000-0000-000000000000'
  const { QueryExecutions, UnprocessedQueryExecutionIds } = await client.send(
    new BatchGetQueryExecutionCommand({ QueryExecutionIds: [...ids, unknown] }),
  )
  assert.deepEqual(
    QueryExecutions?.map(({ StatementType, SubstatementType, ResultConfiguration }) => [
      StatementType,
      SubstatementType,
      ResultConfiguration?.OutputLocation,
    ]),
    [
      ['DDL', 'CREATE_DATABASE', `${OUTPUT}${ids[0]}.txt`],
      ['DML', 'SELECT', `${OUTPUT}${ids[1]}.csv`],
      ['DDL', 'CREATE_TABLE_AS_SELECT', `${OUTPUT}tables/${ids[2]}`],
      ['DDL', 'DROP_TABLE', `${OUTPUT}${ids[3]}.txt`],
    ],
  )
  assert.deepEqual(
    UnprocessedQueryExecutionIds?.map(({ QueryExecutionId }) => QueryExecutionId),
    [unknown],
  )
})

test('words are read as each dialect has them', () => {
  const all = (text: string, dialect: 'hive' | 'trino') => {
    const words = new Words(text, dialect)
    const found: string[] = []
    while (words.next.kind !== 'end') found.push(`${words.next.kind} ${words.take().text}`)
    return found
  }
  assert.deepEqual(all(`A 'it''s' "B""c" /* x */ -- y\n<1`, 'trino'), [
    'word a',
    "string it's",
    'double-quoted B"c',
    'mark <',
    'word 1',
  ])
  assert.deepEqual(all("'it\\'s \\\\' `a b`", 'hive'), ["string it's \\", 'backquoted a b'])
})

test('a query in a database that is not there fails', async () => {
  const { Status } = await ran('select * from t')
  assert.match(Status?.StateChangeReason ?? '', /^SCHEMA_NOT_FOUND: .*Schema 'db' does not exist/)
})

describe('types', () => {
  const { type } = fc.letrec<{ type: HiveType }>((tie) => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/)
    const fields = fc.uniqueArray(fc.tuple(name, tie('type')), { minLength: 1, maxLength: 3, selector: ([of]) => of })
    return {
      type: fc.oneof(
        { maxDepth: 4 },
        fc.record({
          kind: fc.constant('simple' as const),
          name: fc.constantFrom('string', 'bigint', 'boolean', 'double'),
        }),
        fc.record({ kind: fc.constantFrom('array' as const, 'map' as const), of: tie('type') }),
        fc.record({ kind: fc.constant('struct' as const), fields }),
      ),
    }
  })

  test('are read as they are written', () => {
    fc.assert(
      fc.property(type, (any) => {
        const words = new Words(typeText(any).replace(/[<>,:]/g, ' $& '), 'hive')
        assert.equal(typeText(readType(words)), typeText(any))
        assert.equal(words.next.kind, 'end')
      }),
    )
  })

  test('take a value that has their shape, or say that it has not', () => {
    fc.assert(
      fc.property(type, fc.jsonValue(), (any, value) => {
        try {
          const once = shaped(any, value, 'x')
          assert.deepEqual(shaped(any, once, 'x'), once)
        } catch (error) {
          assert.match(String(error), /HIVE_BAD_DATA: /)
        }
      }),
    )
  })
})
