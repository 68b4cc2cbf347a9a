import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { GetTableMetadataCommand, GetWorkGroupCommand, StopQueryExecutionCommand } from '@aws-sdk/client-athena'
import type { WorkgroupSettings } from './athena/settings.ts'
import {
  begin,
  client,
  done,
  execution,
  fails,
  failsWith,
  ran,
  results,
  rows,
  sandbox,
  written,
} from './athena-client.ts'

const CSV = "format = 'TEXTFILE', field_delimiter = ',', write_compression = 'NONE'"
const PLACE = "external_location = 's3://ws/made/'"
const SELECT = "select * from (values ('a', 1), ('b', null), ('c', 3), ('d', 4)) as t(name, n)"
const csv = (name = 'made') => `create table db.${name} with (${CSV}, ${PLACE}) as ${SELECT}`

beforeEach(async () => {
  await done('create database db')
})

const metadata = async (TableName: string) =>
  (await client.send(new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'db', TableName })))
    .TableMetadata

describe('a CTAS', () => {
  test('writes rows as they are, and a table that reads them back', async () => {
    const id = await done(csv())
    assert.deepEqual(await written('ws', 'made/'), ['a,1\nb,\\N\nc,3\nd,4\n'])
    assert.deepEqual((await metadata('made'))?.Columns, [
      { Name: 'name', Type: 'string' },
      { Name: 'n', Type: 'int' },
    ])
    assert.deepEqual(await rows('select name, n from db.made where n is null or n > 3 order by name'), [
      ['name', 'n'],
      ['b', undefined],
      ['d', '4'],
    ])
    const { UpdateCount, ResultSet } = await results(id)
    assert.deepEqual([UpdateCount, ResultSet?.Rows], [4, []])
    const [key] = sandbox.s3.keys('ws', 'made/')
    assert.match(key ?? '', /^made\/\d{8}_\d{6}_\d{5}_[0-9a-f]{5}_[0-9a-f-]{36}$/)
  })

  test('writes several objects, and lists them', async () => {
    sandbox.athena.settings.rowsPerObject = 3
    const id = await done(csv())
    assert.deepEqual(
      (await written('ws', 'made/')).map((text) => text.split('\n').length - 1).toSorted((a, b) => a - b),
      [1, 3],
    )
    const manifest = (await sandbox.s3.get('results', `out/tables/${id}-manifest.csv`)).toString()
    const uris = sandbox.s3.keys('ws', 'made/').map((key) => `s3://ws/${key}`)
    assert.deepEqual(manifest.split('\n').sort(), ['', ...uris].sort())
  })

  test('compresses text unless it is told not to', async () => {
    await done(`create table db.made with (format = 'TEXTFILE', ${PLACE}) as ${SELECT}`)
    const [key = ''] = sandbox.s3.keys('ws', 'made/')
    assert.match(key, /\.gz$/)
    assert.equal(
      gunzipSync(await sandbox.s3.get('ws', key))
        .toString()
        .split('\n')[0],
      'a\u00011',
    )
    assert.deepEqual(await rows('select count(n) as n from db.made'), [['n'], ['3']])
    sandbox.athena.settings.compression = 'always'
    await done(csv('again').replace('s3://ws/made/', 's3://ws/again/'))
    assert.match(sandbox.s3.keys('ws', 'again/')[0] ?? '', /\.gz$/)
  })

  test('writes Parquet by default', async () => {
    await done(
      `create table db.made with (${PLACE}) as select name, sum(n) as total from (${SELECT}) as s group by name`,
    )
    const [key = ''] = sandbox.s3.keys('ws', 'made/')
    assert.equal((await sandbox.s3.get('ws', key)).subarray(0, 4).toString(), 'PAR1')
    assert.deepEqual(
      (await metadata('made'))?.Columns?.map(({ Type }) => Type),
      ['string', 'bigint'],
    )
    assert.deepEqual(await rows("select total from db.made where name = 'd'"), [['total'], ['4']])
  })

  test('of no rows makes a table and no object', async () => {
    await done(`create table db.made with (${CSV}, ${PLACE}) as ${SELECT} where n > 9`)
    await done(`create table db.parquet with (external_location = 's3://ws/parquet/') as ${SELECT} where n > 9`)
    assert.deepEqual(sandbox.s3.keys('ws'), [])
    assert.deepEqual(await rows('select count(*) as c from db.made'), [['c'], ['0']])
    assert.deepEqual(await rows('select count(*) as c from db.parquet'), [['c'], ['0']])
  })

  test('refuses a place that is not empty, and a name that is taken', async () => {
    sandbox.s3.put('ws', 'made/left-over', '')
    await failsWith(
      csv(),
      /^HIVE_PATH_ALREADY_EXISTS: Target directory for table 'db\.made' already exists: s3:\/\/ws\/made\/$/,
    )
    sandbox.s3.delete('ws', 'made/left-over')
    await done(csv())
    await failsWith(csv(), /^TABLE_ALREADY_EXISTS: .*'awsdatacatalog\.db\.made' already exists/)
    await done(csv().replace('create table', 'create table if not exists'))
    await done('drop table if exists db.made')
    await failsWith(csv(), /^HIVE_PATH_ALREADY_EXISTS/)
    await failsWith(csv().replace('db.made', 'nowhere.made'), /^SCHEMA_NOT_FOUND/, 1301)
  })

  test('refuses what it cannot write', async () => {
    await failsWith(`create table db.made with (${PLACE}) as select 1`, /^COLUMN_NAME_NOT_SPECIFIED: .*position 1$/)
    await failsWith(
      `create table db.made with (colour = 'red') as ${SELECT}`,
      /^INVALID_TABLE_PROPERTY: .*'colour'/,
      1101,
    )
    await failsWith(
      `create table db.made with (format = 'TEXTFILE', field_delimiter = '::') as ${SELECT}`,
      /^INVALID_TABLE_PROPERTY: field_delimiter/,
    )
  })
})

describe('what a CTAS leaves behind', () => {
  beforeEach(() => {
    sandbox.athena.settings.rowsPerObject = 1
  })

  test('when it fails while it writes', async () => {
    const error = {
      category: 2,
      type: 0,
      retryable: false,
      reason: 'Query exhausted resources at this scale factor',
    } as const
    sandbox.athena.settings.failures = [
      { when: 'ctas', stage: 'writing', error, partial: true, times: 1 },
      { when: 'ctas', stage: 'writing', error, times: 1 },
    ]
    await failsWith(csv(), /^Query exhausted resources/, 0)
    assert.equal(sandbox.s3.keys('ws', 'made/').length, 2)
    assert.deepEqual(sandbox.athena.catalog.names(), [])
    await failsWith(csv(), /^HIVE_PATH_ALREADY_EXISTS/)
    await failsWith(csv().replace('s3://ws/made/', 's3://ws/other/'), /^Query exhausted resources/, 0)
    assert.equal(sandbox.s3.keys('ws', 'other/').length, 0)
  })

  test('when it is stopped', async () => {
    const stop = (QueryExecutionId: string) => client.send(new StopQueryExecutionCommand({ QueryExecutionId }))
    const waiting = await begin(csv('waiting').replace('s3://ws/made/', 's3://ws/waiting/'))
    await stop(waiting)
    const running = await begin(csv())
    await sandbox.athena.advance(1, running)
    await stop(running)
    for (const id of [waiting, running]) assert.equal((await execution(id)).Status?.State, 'CANCELLED')
    assert.deepEqual([sandbox.s3.keys('ws', 'waiting/').length, sandbox.s3.keys('ws', 'made/').length], [0, 2])
    assert.deepEqual(sandbox.athena.catalog.names(), [])
  })

  test('when it has scanned too much', async () => {
    await done(csv('source').replace('s3://ws/made/', 's3://ws/source/'))
    sandbox.athena.settings.workgroups = { primary: { cutoff: 8 } }
    const { Status, Statistics } = await ran(`create table db.made with (${CSV}, ${PLACE}) as select * from db.source`)
    assert.deepEqual([Status?.State, Status?.StateChangeReason], ['CANCELLED', 'Bytes scanned limit was exceeded'])
    assert.deepEqual([Status?.AthenaError, Statistics?.DataScannedInBytes], [undefined, 8])
    assert.equal(sandbox.s3.keys('ws', 'made/').length, 2)
  })
})

describe('workgroups', () => {
  const none = { ResultConfiguration: undefined }
  const use = (primary: WorkgroupSettings) => {
    sandbox.athena.settings.workgroups = { primary }
  }
  const place = async (id: string) => (await execution(id)).ResultConfiguration?.OutputLocation

  test('are told as they are', async () => {
    use({ enforced: true, outputLocation: 's3://ws/group', cutoff: 10_000_000 })
    const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: 'primary' }))
    assert.deepEqual([WorkGroup?.State, WorkGroup?.Configuration?.EnforceWorkGroupConfiguration], ['ENABLED', true])
    assert.equal(WorkGroup?.Configuration?.ResultConfiguration?.OutputLocation, 's3://ws/group')
    assert.equal(WorkGroup?.Configuration?.BytesScannedCutoffPerQuery, 10_000_000)
    await fails(client.send(new GetWorkGroupCommand({ WorkGroup: 'other' })), 'WorkGroup is not found.')
    await fails(begin('select 1 as a', { WorkGroup: 'other' }), 'WorkGroup is not found.')
  })

  test('without a place need one with the query', async () => {
    await fails(begin('select 1 as a', none), /^No output location provided\./)
    const elsewhere = (OutputLocation: string) => begin('select 1 as a', { ResultConfiguration: { OutputLocation } })
    await fails(elsewhere('results/out'), 'outputLocation is not a valid S3 path.')
    await fails(elsewhere('s3://no-such-bucket/'), 'Unable to verify/create output bucket no-such-bucket')
    use({ outputLocation: 's3://ws/group' })
    assert.match((await place(await begin('select 1 as a', none))) ?? '', /^s3:\/\/ws\/group\/[0-9a-f-]{36}\.csv$/)
    assert.match((await place(await begin('select 1 as a'))) ?? '', /^s3:\/\/results\/out\//)
  })

  test('that enforce theirs decide where a CTAS writes', async () => {
    use({ enforced: true, outputLocation: 's3://ws/group/' })
    await fails(
      begin(csv()),
      /^The Create Table As Select query failed because it was submitted with an 'external_location' property/,
    )
    const id = await done(`create table db.made with (${CSV}) as ${SELECT}`)
    assert.equal(await place(id), `s3://ws/group/tables/${id}`)
    assert.deepEqual(await written('ws', `group/tables/${id}/`), ['a,1\nb,\\N\nc,3\nd,4\n'])
    assert.equal((await metadata('made'))?.Parameters?.location, `s3://ws/group/tables/${id}/`)
    assert.equal(sandbox.s3.keys('results', 'out/tables').length, 0)
  })

  test('that enforce without a place allow one', async () => {
    use({ enforced: true })
    await done(csv())
    assert.equal(sandbox.s3.keys('ws', 'made/').length, 1)
  })

  test('that manage results keep them, and no table', async () => {
    use({ managed: true })
    await fails(begin('select 1 as a'), /managed query results/)
    await fails(begin(`create table db.made with (${CSV}) as ${SELECT}`, none), /^external_location is required/)
    const before = sandbox.s3.keys('results').length
    const { ResultSet } = await results(await done('select 1 as a', none))
    assert.equal(ResultSet?.Rows?.length, 2)
    await done(csv(), none)
    assert.equal(sandbox.s3.keys('ws', 'made/').length, 1)
    assert.equal(sandbox.s3.keys('results').length, before)
  })

  test('that are switched off start nothing', async () => {
    use({ state: 'DISABLED' })
    await fails(begin('select 1 as a'), 'WorkGroup primary is disabled.')
  })
})
