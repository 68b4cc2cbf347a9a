import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { GetQueryRuntimeStatisticsCommand, StopQueryExecutionCommand } from '@aws-sdk/client-athena'
import type { Failure } from './athena/settings.ts'
import {
  begin,
  client,
  done,
  execution,
  fails,
  failsWith,
  OUTPUT,
  ran,
  results,
  rows,
  sandbox,
} from './athena-client.ts'
import { slowDown } from './faults.ts'

const stateOf = async (id: string) => (await execution(id)).Status?.State
const stop = (QueryExecutionId: string) => client.send(new StopQueryExecutionCommand({ QueryExecutionId }))

const failure = (change: Partial<Failure>): Failure => ({
  stage: 'running',
  error: { category: 1, type: 200, retryable: true, reason: 'the engine fell over' },
  ...change,
})

describe('a query', () => {
  test('goes through its states', async () => {
    const id = await begin('select 1 as one')
    const states = [await stateOf(id)]
    while (!['SUCCEEDED', 'FAILED'].includes(states.at(-1) ?? '')) {
      await sandbox.athena.advance()
      states.push(await stateOf(id))
    }
    assert.deepEqual(states, ['QUEUED', 'RUNNING', 'SUCCEEDED'])
    const { Status, Statistics, WorkGroup, EngineVersion } = await execution(id)
    assert.ok(Status?.CompletionDateTime instanceof Date && Status.SubmissionDateTime instanceof Date)
    assert.deepEqual([WorkGroup, EngineVersion?.EffectiveEngineVersion], ['primary', 'Athena engine version 3'])
    assert.equal(Statistics?.DataScannedInBytes, 0)
  })

  test('goes by itself at once, after a time, or by polls', async () => {
    for (const pace of ['instant', 5] as const) {
      sandbox.athena.settings.pace = pace
      const id = await begin('select 1 as one')
      while ((await stateOf(id)) !== 'SUCCEEDED') await wait(2)
    }
    sandbox.athena.settings.pace = 'poll'
    const id = await begin('select 1 as one')
    assert.deepEqual([await stateOf(id), await stateOf(id), await stateOf(id)], ['QUEUED', 'RUNNING', 'SUCCEEDED'])
  })

  test('waits in the queue until it is let go', async () => {
    Object.assign(sandbox.athena.settings, { pace: 'instant', queue: true })
    const id = await begin('select 1 as one')
    assert.equal(await sandbox.athena.settle(id), 'QUEUED')
    sandbox.athena.release()
    while ((await stateOf(id)) !== 'SUCCEEDED') await wait(2)
  })

  test('has no results before its end, nor when it failed or was stopped', async () => {
    const id = await begin('select 1 as one')
    await fails(results(id), 'Query has not yet finished. Current state: QUEUED')
    await stop(id)
    const { Status } = await execution(id)
    assert.deepEqual([Status?.State, Status?.StateChangeReason], ['CANCELLED', 'Query cancelled by user'])
    await fails(results(id), 'Could not find results')
    const { QueryExecutionId = '' } = await ran('select nothing')
    await fails(results(QueryExecutionId), 'Query did not finish successfully. Final query state: FAILED')
    await fails(results('0'), 'QueryExecution 0 was not found')
  })

  test('that has ended is not stopped', async () => {
    const id = await done('select 1 as one')
    await stop(id)
    assert.equal(await stateOf(id), 'SUCCEEDED')
  })

  test('is answered as a test wants it', async () => {
    sandbox.athena.settings.answer = (query) =>
      /the answer/.test(query) ? { columns: [{ name: 'answer', type: 'bigint' }], rows: [['42'], [null]] } : undefined
    assert.deepEqual(await rows("select 'the answer' as x"), [['answer'], ['42'], [undefined]])
    assert.deepEqual(await rows("select 'another' as x"), [['x'], ['another']])
  })
})

describe('results', () => {
  test('come in pages, the header first', async () => {
    const id = await done('select x from unnest(sequence(1, 5)) as t(x)')
    const pages: (string | undefined)[][] = []
    let NextToken: string | undefined
    do {
      const page = await results(id, { MaxResults: 2, ...(NextToken && { NextToken }) })
      pages.push((page.ResultSet?.Rows ?? []).map(({ Data }) => Data?.[0]?.VarCharValue))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    assert.deepEqual(pages, [
      ['x', '1'],
      ['2', '3'],
      ['4', '5'],
    ])
    const other = await done('select 1 as one')
    await fails(results(other, { NextToken: Buffer.from(`${id} 1`).toString('base64') }), 'Invalid NextToken')
  })

  test('are written as Athena writes values', async () => {
    const sql = `select 1 as i, 'it''s "q"' as s, cast(null as varchar) as n, '' as empty, array[1, 2] as l, 1.5e0 as d, 1e20 as big,
      1 = 1 as b, date '2024-03-01' as day, from_iso8601_timestamp('2024-03-01T10:00:00.5Z') as at, count(*)`
    const id = await done(sql)
    const { ResultSet } = await results(id)
    const [, row] = ResultSet?.Rows ?? []
    assert.deepEqual(
      row?.Data?.map(({ VarCharValue }) => VarCharValue),
      // biome-ignore format: a row
      ['1', 'it\'s "q"', undefined, '', '[1, 2]', '1.5', '1.0E20', 'true', '2024-03-01', '2024-03-01 10:00:00.500 UTC', '1'],
    )
    assert.deepEqual(
      ResultSet?.ResultSetMetadata?.ColumnInfo?.map(({ Name, Type }) => `${Name} ${Type}`),
      // biome-ignore format: a row
      ['i integer', 's varchar', 'n varchar', 'empty varchar', 'l array', 'd double', 'big double', 'b boolean', 'day date',
        'at timestamp with time zone', '_col10 bigint'],
    )
    assert.equal(
      (await sandbox.s3.get('results', `out/${id}.csv`)).toString(),
      `"i","s","n","empty","l","d","big","b","day","at","_col10"
"1","it's ""q""",,"","[1, 2]","1.5","1.0E20","true","2024-03-01","2024-03-01 10:00:00.500 UTC","1"\n`,
    )
  })

  test('are those of Trino where DuckDB has others', async () => {
    const sql = `select regexp_like('a' || chr(10), '^a$') as line, regexp_like('b', '^a$') as other,
      regexp_like('a' || chr(10), '^a\\z') as strict, 7 / 2 as half,
      split_part('a', '.', 2) as part, concat('a', null) as joined, try(from_iso8601_timestamp('2024-03-01 10:00')) as at,
      regexp_replace('a.b.c', '[.]', '-') as dashes`
    const [, row] = await rows(sql)
    assert.deepEqual(row, ['true', 'false', 'false', '3', undefined, undefined, undefined, 'a-b-c'])
  })

  test('are gone with their object', async () => {
    const id = await done('select 1 as one')
    assert.deepEqual(sandbox.s3.keys('results'), [`out/${id}.csv`, `out/${id}.csv.metadata`])
    sandbox.s3.delete('results', `out/${id}.csv`)
    await fails(results(id), 'Could not find results')
  })
})

describe('failures', () => {
  test('befall statements of a kind or a text, in a stage, so many times', async () => {
    sandbox.athena.settings.failures = [
      failure({ when: 'select', stage: 'queued', times: 1 }),
      failure({ when: /two/, stage: 'running' }),
      failure({ when: 'ctas', stage: 'start', times: 1 }),
    ]
    await failsWith('select 1 as one', /^the engine fell over$/, 200)
    await done('select 1 as one')
    const { Status } = await ran('select 2 as two')
    assert.deepEqual(Status?.AthenaError, {
      ErrorCategory: 1,
      ErrorType: 200,
      Retryable: true,
      ErrorMessage: 'the engine fell over',
    })
    await fails(begin('create table db.t as select 1 as a'), 'the engine fell over')
    await done('create database db')
  })

  test('can be those that pass: a running query is queued again', async () => {
    sandbox.athena.settings.failures = [failure({ becomes: 'QUEUED', times: 1 })]
    const id = await begin('select 1 as one')
    await sandbox.athena.advance(2)
    assert.equal(await stateOf(id), 'QUEUED')
    assert.equal(await sandbox.athena.settle(id), 'SUCCEEDED')
  })

  test('can cancel', async () => {
    sandbox.athena.settings.failures = [failure({ becomes: 'CANCELLED' })]
    const { Status } = await ran('select 1 as one')
    assert.deepEqual(
      [Status?.State, Status?.StateChangeReason, Status?.AthenaError],
      ['CANCELLED', 'the engine fell over', undefined],
    )
  })

  const table: readonly (readonly [string, RegExp, number])[] = [
    ['select nothing from (select 1 as x)', /^COLUMN_NOT_FOUND: .*Column 'nothing' cannot be resolved/, 1006],
    ["select cast('x' as bigint) as a", /^INVALID_CAST_ARGUMENT/, 1100],
    ['select epoch_ms(1) as a', /^FUNCTION_NOT_FOUND: .*'epoch_ms' not registered/, 1303],
    ['select upper(1, 2) as a', /^(TYPE_MISMATCH|FUNCTION_NOT_FOUND)/, 1002],
  ]
  for (const [sql, reason, type] of table) test(`of the engine: ${sql}`, () => failsWith(sql, reason, type))

  test('of the service come from faults', async () => {
    sandbox.faults.add({
      operation: 'StartQueryExecution',
      times: 1,
      error: { code: 'ThrottlingException', status: 400 },
    })
    await fails(begin('select 1 as one'), 'ThrottlingException', 'ThrottlingException')
    sandbox.faults.add({ operation: 'GetQueryExecution', nth: 2, times: 1, error: slowDown })
    const id = await done('select 1 as one')
    await assert.rejects(execution(id), { name: 'SlowDown' })
  })

  test('of permission refuse the request, or fail the query', async () => {
    const give = sandbox.s3.deny({ action: 'athena:StartQueryExecution', resource: 'primary' })
    await fails(
      begin('select 1 as one'),
      /not authorized to perform: athena:StartQueryExecution/,
      'AccessDeniedException',
    )
    give()
    sandbox.s3.deny({ action: 's3:PutObject', resource: /^results\// })
    await failsWith('select 1 as one', /^PERMISSION_DENIED: Permission denied on S3 path: s3:\/\/results\/out\//, 1501)
    sandbox.s3.deny({ action: 'glue:CreateTable', resource: 'db/t' })
    await done('create database db', { ResultConfiguration: { OutputLocation: 's3://ws/' } })
    const { Status } = await ran('create table db.t as select 1 as a', {
      ResultConfiguration: { OutputLocation: 's3://ws/' },
    })
    assert.match(Status?.StateChangeReason ?? '', /^PERMISSION_DENIED: .*glue:CreateTable/)
  })
})

test('statistics count rows and bytes', async () => {
  const id = await done(
    "create table default.t with (format = 'TEXTFILE', write_compression = 'NONE') as select 'ab' as a",
  )
  const { QueryRuntimeStatistics } = await client.send(new GetQueryRuntimeStatisticsCommand({ QueryExecutionId: id }))
  assert.deepEqual(QueryRuntimeStatistics?.Rows, { InputRows: 0, InputBytes: 0, OutputRows: 1, OutputBytes: 3 })
  assert.equal((await execution(id)).Statistics?.DataManifestLocation, `${OUTPUT}tables/${id}-manifest.csv`)
})
