import assert from 'node:assert/strict'
import { afterEach, beforeEach } from 'node:test'
import * as athena from '@aws-sdk/client-athena'
import { type Sandbox, startSandbox } from './start.ts'

export let sandbox: Sandbox
export let client: athena.AthenaClient

export const OUTPUT = 's3://results/out/'

beforeEach(async () => {
  sandbox = await startSandbox({ buckets: { ws: {}, results: {} }, athena: { pace: 'manual' } })
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = sandbox.env
  const credentials = { accessKeyId, secretAccessKey }
  client = new athena.AthenaClient({ endpoint: sandbox.url, region: 'us-east-1', maxAttempts: 1, credentials })
})

afterEach(async () => {
  client.destroy()
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

type Start = Partial<athena.StartQueryExecutionCommandInput>

/** Starts a statement. @returns its id */
export async function begin(QueryString: string, change: Start = {}): Promise<string> {
  const { QueryExecutionId = '' } = await client.send(
    new athena.StartQueryExecutionCommand({
      QueryString,
      // Of a database that is being made, none.
      ...(!/create database/i.test(QueryString) && { QueryExecutionContext: { Database: 'db' } }),
      ResultConfiguration: { OutputLocation: OUTPUT },
      ...change,
    }),
  )
  return QueryExecutionId
}

export async function execution(QueryExecutionId: string): Promise<athena.QueryExecution> {
  const { QueryExecution } = await client.send(new athena.GetQueryExecutionCommand({ QueryExecutionId }))
  assert.ok(QueryExecution)
  return QueryExecution
}

/** Runs a statement to its end. */
export async function ran(sql: string, change: Start = {}): Promise<athena.QueryExecution> {
  const id = await begin(sql, change)
  await sandbox.athena.settle(id)
  return execution(id)
}

/** Runs a statement to its success. @returns its id */
export async function done(sql: string, change: Start = {}): Promise<string> {
  const { Status, QueryExecutionId = '' } = await ran(sql, change)
  assert.deepEqual([Status?.State, Status?.StateChangeReason], ['SUCCEEDED', undefined])
  return QueryExecutionId
}

export const results = (QueryExecutionId: string, more: Partial<athena.GetQueryResultsCommandInput> = {}) =>
  client.send(new athena.GetQueryResultsCommand({ QueryExecutionId, ...more }))

/** Rows of a SELECT, the header first. */
export async function rows(sql: string): Promise<(string | undefined)[][]> {
  const id = await done(sql)
  const found: (string | undefined)[][] = []
  for await (const { ResultSet } of athena.paginateGetQueryResults({ client }, { QueryExecutionId: id }))
    for (const { Data = [] } of ResultSet?.Rows ?? []) found.push(Data.map(({ VarCharValue }) => VarCharValue))
  return found
}

/** Assert that a statement fails. */
export async function failsWith(sql: string, reason: RegExp, type?: number): Promise<void> {
  const { Status } = await ran(sql)
  assert.equal(Status?.State, 'FAILED', sql)
  assert.match(Status?.StateChangeReason ?? '', reason)
  assert.equal(Status?.AthenaError?.ErrorMessage, Status?.StateChangeReason)
  if (type !== undefined) assert.equal(Status?.AthenaError?.ErrorType, type)
}

/** Assert that a request is refused. */
export const fails = (asked: Promise<unknown>, message: RegExp | string, name = 'InvalidRequestException') =>
  assert.rejects(asked, (error: athena.AthenaServiceException) => {
    assert.equal(error.name, name, String(error))
    assert.equal(error.$metadata.httpStatusCode, 400)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })

/** Text of all objects below a place, in the order of their keys. */
export const written = async (bucket: string, prefix: string): Promise<string[]> =>
  Promise.all(sandbox.s3.keys(bucket, prefix).map(async (key) => (await sandbox.s3.get(bucket, key)).toString()))
