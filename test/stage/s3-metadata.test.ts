import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Rows } from '../sandbox/athena/settings.ts'
import { tempFolder } from '../support/temp.ts'
import { assertStaged, EXPECTED, fixture, KEYS, ODD } from './sandbox.ts'

const COLUMNS = ['key', '_col1', '_col2', '_col3'].map((name, i) => ({ name, type: i === 1 ? 'bigint' : 'varchar' }))
const inOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What the inventory table of the bucket would answer. */
const table = (): Rows => ({
  columns: COLUMNS,
  rows: [...KEYS, ...ODD].sort(inOrder).map((key) => [key, String(Buffer.byteLength(`content of ${key}`)), null, null]),
})

async function described() {
  const made = await fixture()
  const asked: string[] = []
  made.sandbox.athena.settings.answer = (sql) => {
    asked.push(sql)
    return sql.includes('"s3tablescatalog/aws-s3"."b_org-logs"."inventory"') ? table() : undefined
  }
  return { ...made, asked }
}

const KEYS_FROM_TABLE = ['--yes', '--keys', 'metadata']

describe('keys from S3 Metadata tables, through Athena', () => {
  it('are those of the window, with no LIST request over the logs; the answer is removed', async () => {
    const { sandbox, stage, asked } = await described()
    const { result, stderr } = await stage(KEYS_FROM_TABLE)
    assert.ok(result, stderr)
    assert.deepEqual([result.listRequests, result.objects, asked.length], [0, EXPECTED.length, 1])
    assertStaged(sandbox, result.run)
    assert.deepEqual(
      sandbox.s3.keys('org-staging').filter((key) => key.includes('/tmp/')),
      [],
    )
    assert.equal((await stage(KEYS_FROM_TABLE)).result.repeated, true)
    assert.equal(asked.length, 1)
  })

  it('are a plan that tells what Athena scanned, and leaves nothing', async () => {
    const { sandbox, stage } = await described()
    const { result, stderr } = await stage([...KEYS_FROM_TABLE, '--dry-run'])
    assert.ok(result, stderr)
    assert.equal(result.objects, EXPECTED.length)
    assert.match(stderr, /query \S+ (waits for its turn|RUNNING|SUCCEEDED)/)
    assert.deepEqual(sandbox.s3.keys('org-staging'), [])
  })

  it('serve a workspace on this machine where the workgroup has a place', async () => {
    const { sandbox, stage } = await described()
    sandbox.s3.create('answers')
    sandbox.athena.settings.workgroups = { security: { enforced: true, outputLocation: 's3://answers/' } }
    const { result, stderr } = await stage([...KEYS_FROM_TABLE, '--workgroup', 'security'], tempFolder())
    assert.ok(result, stderr)
    assert.equal(result.copied, EXPECTED.length)
    assert.deepEqual(sandbox.violations, [])
  })

  it('need a place for the answer', async () => {
    const { stage } = await described()
    const { code, stderr } = await stage(KEYS_FROM_TABLE, tempFolder())
    assert.equal(code, 2)
    assert.match(
      stderr,
      /Athena has no place for its answer: workgroup primary imposes none, and the workspace is a folder/,
    )
  })

  it('need a workspace in the region of the logs', async () => {
    const { sandbox, stage } = await described()
    sandbox.s3.create('far', { region: 'eu-west-1' })
    const { code, stderr } = await stage(KEYS_FROM_TABLE, 's3://far/prestage')
    assert.equal(code, 1)
    assert.match(stderr, /the metadata tables of org-logs are in us-east-1, and the workspace is in eu-west-1/)
  })

  it('are missed where there is no such table', async () => {
    const { stage } = await fixture()
    const { code, stderr } = await stage(KEYS_FROM_TABLE)
    assert.equal(code, 1)
    assert.match(stderr, /bucket org-logs has no inventory table of S3 Metadata that Athena sees/)
  })

  it('are not asked of a folder', async () => {
    const { stage } = await fixture()
    const { code, stderr } = await stage([...KEYS_FROM_TABLE, '--logs', tempFolder()], tempFolder())
    assert.equal(code, 2)
    assert.match(stderr, /--keys metadata reads the tables of a bucket/)
  })

  it('fail as the query does', async () => {
    const { sandbox, stage } = await described()
    const error = {
      category: 2,
      type: 1500,
      retryable: false,
      reason: 'Insufficient permissions to execute the query.',
    }
    sandbox.athena.settings.failures.push({ stage: 'running', error: { ...error, category: 2 } })
    const { code, stderr } = await stage(KEYS_FROM_TABLE)
    assert.equal(code, 4)
    assert.match(stderr, /finding keys: query \S+ failed: Insufficient permissions/)
  })
})
