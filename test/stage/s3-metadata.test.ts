import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compactTime } from '../../scripts/lib/runs/window.ts'
import type { Rows } from '../sandbox/athena/settings.ts'
import type { MetadataTables } from '../sandbox/s3/state.ts'
import { tempFolder } from '../support/temp.ts'
import { trailKey } from './logs.ts'
import { assertStaged, EXPECTED, fixture, KEYS, ODD } from './sandbox.ts'

const COLUMNS = ['key', '_col1', '_col2', '_col3'].map((name, i) => ({ name, type: i === 1 ? 'bigint' : 'varchar' }))
const inOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What the inventory table of the bucket would answer. */
const table = (): Rows => ({
  columns: COLUMNS,
  rows: [...KEYS, ...ODD].sort(inOrder).map((key) => [key, String(Buffer.byteLength(`content of ${key}`)), null, null]),
})

const ACTIVE = { inventory: { state: 'ENABLED', status: 'ACTIVE' } } as const

async function described() {
  const made = await fixture()
  made.sandbox.s3.state.bucket('org-logs').metadata = ACTIVE
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

  const refused: [what: string, metadata: MetadataTables | undefined, says: RegExp][] = [
    ['is not on', undefined, /S3 Metadata is not on for bucket org-logs/],
    ['has no inventory table', {}, /bucket org-logs has no inventory table of S3 Metadata/],
    [
      'has its inventory table switched off',
      { inventory: { state: 'DISABLED' } },
      /bucket org-logs has no inventory table of S3 Metadata/,
    ],
    [
      'is being filled',
      { inventory: { state: 'ENABLED', status: 'BACKFILLING' } },
      /the inventory table of bucket org-logs is BACKFILLING: it does not name all objects yet\n.*--keys list/,
    ],
    [
      'is being created',
      { inventory: { state: 'ENABLED', status: 'CREATING' } },
      /the inventory table of bucket org-logs is CREATING/,
    ],
    [
      'has failed',
      { inventory: { state: 'ENABLED', status: 'FAILED', error: { code: 'AccessDenied', message: 'no table' } } },
      /S3 does not fill the inventory table of bucket org-logs: AccessDenied: no table/,
    ],
  ]
  for (const [what, metadata, says] of refused)
    it(`are refused, and nothing is asked of Athena, where S3 Metadata ${what}`, async () => {
      const { sandbox, stage, asked } = await described()
      sandbox.s3.state.bucket('org-logs').metadata = metadata
      const { code, stderr } = await stage(KEYS_FROM_TABLE)
      assert.equal(code, 1, stderr)
      assert.match(stderr, says)
      assert.equal(asked.length, 0)
    })

  it('are refused in the bucket of another account, whose tables lie there', async () => {
    const { sandbox, stage, asked } = await described()
    sandbox.s3.create('org-logs', { owner: '999988887777', metadata: ACTIVE })
    for (const owner of [[], ['--logs-owner', '999988887777']]) {
      const { code, stderr } = await stage([...KEYS_FROM_TABLE, ...owner])
      assert.equal(code, 1, stderr)
      assert.match(stderr, /bucket org-logs does not belong to account 111122223333.*account of the owner/)
    }
    assert.equal(asked.length, 0)
  })

  it('are taken where nobody may see the state of the table, with a warning; the plan is never final', async () => {
    const { sandbox, stage } = await described()
    sandbox.s3.deny({ action: 's3:GetBucketMetadataTableConfiguration' })
    const { result, stderr } = await stage(KEYS_FROM_TABLE)
    assert.ok(result, stderr)
    assert.match(stderr, /warning: .*inventory table of bucket org-logs.*s3:GetBucketMetadataTableConfiguration/)
    assert.equal(result.final, false)
    assert.notEqual((await stage(KEYS_FROM_TABLE)).result.repeated, true)
  })

  it('are final an hour later than those of a listing: the table lags', async () => {
    for (const [hours, final] of [
      [24, false],
      [25, true],
    ] as const) {
      const { sandbox, stage } = await described()
      const end = Math.floor(Date.now() / 60_000) * 60_000 - hours * 3_600_000 - 60_000
      const key = trailKey('111122223333', 'us-east-1', compactTime(new Date(end - 600_000)))
      sandbox.athena.settings.answer = () => ({ columns: COLUMNS, rows: [[key, '1', null, null]] })
      const at = (time: number) => new Date(time).toISOString().slice(0, 19)
      const window = ['--source', 'cloudtrail', '--from', at(end - 3_600_000), '--to', at(end)]
      const { result, stderr } = await stage([...KEYS_FROM_TABLE, ...window, '--dry-run'])
      assert.ok(result, stderr)
      assert.deepEqual([result.final, Date.parse(result.completeAfter)], [final, end + 25 * 3_600_000])
    }
  })

  it('are missed where Athena sees no such table', async () => {
    const { sandbox, stage } = await described()
    sandbox.athena.settings.answer = () => undefined
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
