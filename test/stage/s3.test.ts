import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { compactTime } from '../../scripts/runs/window.ts'
import { internalError } from '../aws/faults.ts'
import { type Sandbox, startSandbox } from '../aws/start.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { hourlyKeys, trailKey } from './logs.ts'

const ROLE = 'arn:aws:iam::111122223333:role/prestage-batch'
const DAY = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']
const KEYS = hourlyKeys(
  ['012345678901', '111122223333'],
  ['eu-west-1', 'us-east-1'],
  ['20260301', '20260302', '20260303'],
)
const ODD = ['a b', 'c+d', '100%', 'e,f', '"g"', "'h'", 'mün-東'].map((tail) =>
  trailKey('111122223333', 'us-east-1', '20260302T1005Z', tail),
)
const EXPECTED = [...KEYS, ...ODD].filter((key) => key.includes('20260302T') || /20260303T0[01]00Z/.test(key))
const BATCH = ['--yes', '--copy', 'batch', '--batch-role', ROLE, '--poll', '0.1']

/** An organization's bucket and a staging bucket, and a way to stage from the one to the other. */
async function world(jobs = {}) {
  const sandbox = await startSandbox({ buckets: { 'org-logs': {}, 'org-staging': {} }, jobs })
  after(() => sandbox.close())
  for (const key of [...KEYS, ...ODD]) sandbox.s3.put('org-logs', key, `content of ${key}`)
  const stage = async (
    args: readonly string[],
    workspace = 's3://org-staging/prestage',
    onStderr?: (soFar: string, kill: (signal: NodeJS.Signals) => void) => void,
  ) => {
    const options = [
      '--logs',
      's3://org-logs',
      '--workspace',
      workspace,
      '--output',
      'json',
      ...(args.includes('--from') ? [] : DAY),
      ...args,
    ]
    const ended = await runScript('stage', options, { env: sandbox.env, ...(onStderr && { onStderr }) })
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    return { ...ended, result: ended.code === 0 ? JSON.parse(ended.stdout) : undefined }
  }
  return { sandbox, stage }
}

const staged = (sandbox: Sandbox, run: string, key: string) =>
  sandbox.s3.head('org-staging', `prestage/runs/${run}/staged/${key}`)

function assertStaged(sandbox: Sandbox, run: string, keys: readonly string[] = EXPECTED): void {
  for (const key of keys) assert.equal(staged(sandbox, run, key)?.size, Buffer.byteLength(`content of ${key}`), key)
  assert.deepEqual(sandbox.violations, [])
}

describe('staging from S3', () => {
  it('shows a plan with its cost, and copies nothing', async () => {
    const { sandbox, stage } = await world()
    const { result } = await stage(['--dry-run'])
    assert.equal(result.objects, EXPECTED.length)
    assert.ok(result.estimatedUsd > 0)
    assert.equal(sandbox.requests.of('PutObject') + sandbox.requests.of('CopyObject'), 0)
    // The root, AWSLogs/, the organization, two accounts, their regions, and one range of each of four branches.
    assert.equal(result.listRequests, sandbox.requests.of('ListObjectsV2'))
    assert.ok(result.listRequests <= 1.2 * (1 + 1 + 1 + 2 + 4) + 2, `${result.listRequests} LIST requests`)
  })

  it('is refused off a terminal without a confirmation, and with too small a limit', async () => {
    const { sandbox, stage } = await world()
    assert.equal((await stage([])).code, 3)
    assert.equal((await stage(['--max-cost', '0.00001'])).code, 3)
    assert.equal(sandbox.requests.of('PutObject') + sandbox.requests.of('CopyObject'), 0)
  })

  it('copies a small set object by object, odd keys too, and a rerun copies nothing', async () => {
    const { sandbox, stage } = await world()
    const { result, stderr } = await stage(['--max-cost', '1'])
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    const copies = sandbox.requests.of('CopyObject')
    assert.equal(copies, EXPECTED.length)
    assert.equal((await stage(['--yes'])).result.repeated, true)
    assert.equal(sandbox.requests.of('CopyObject'), copies)
  })

  it('copies by a batch job whose manifest is encrypted by S3 itself', async () => {
    const { sandbox, stage } = await world()
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.requests.of('CopyObject'), 0)
    assert.deepEqual(
      [sandbox.control.jobs().length, sandbox.control.counts()],
      [1, { total: EXPECTED.length, succeeded: EXPECTED.length, failed: 0 }],
    )
  })

  it('downloads to a local workspace', async () => {
    const { sandbox, stage } = await world()
    const { result, stderr } = await stage(['--yes'], tempFolder())
    assert.ok(result, stderr)
    assert.deepEqual(
      [result.copied, sandbox.requests.of('CopyObject'), sandbox.requests.of('PutObject')],
      [EXPECTED.length, 0, 0],
    )
  })

  it('copies what is over 5 GB in parts, and names what is archived', async () => {
    const { sandbox, stage } = await world()
    const [large, cold] = ['large', 'cold'].map((tail) =>
      trailKey('111122223333', 'us-east-1', '20260302T1210Z', tail),
    ) as [string, string]
    sandbox.s3.put('org-logs', large, 6 * 1024 ** 3)
    sandbox.s3.put('org-logs', cold, 'x', { storageClass: 'GLACIER' })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, /1 objects of the manifest could not be staged[\s\S]*cold[\s\S]*archived/)
    assert.ok(sandbox.requests.of('UploadPartCopy') >= 12)
    assert.deepEqual(sandbox.violations, [])
  })

  it('adds only what has come since, and keeps what the logs have lost', async () => {
    const { sandbox, stage } = await world()
    const to = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000)
    const at = (minutes: number) =>
      trailKey('111122223333', 'us-east-1', compactTime(new Date(to.getTime() - minutes * 60_000)))
    const time = (ms: number) => new Date(ms).toISOString().slice(0, 19)
    const window = [
      '--source',
      'cloudtrail',
      '--from',
      time(to.getTime() - 3_600_000),
      '--to',
      time(to.getTime()),
      '--yes',
    ]
    for (const minutes of [30, 25]) sandbox.s3.put('org-logs', at(minutes), 'x')
    assert.deepEqual((await stage(window)).result.copied, 2)
    sandbox.s3.put('org-logs', at(20), 'x')
    const { result } = await stage(window)
    assert.deepEqual([result.copied, result.skipped, result.objects], [1, 2, 3])
    assert.equal(sandbox.requests.of('CopyObject'), 3)
  })
})

describe('a batch job', () => {
  it('that is left behind is taken up again, whatever its state', async () => {
    for (const hold of ['New', 'Preparing', 'Ready', 'Active'] as const) {
      const { sandbox, stage } = await world({ hold, tasksPerStep: 40 })
      const { signal, stderr } = await stage(BATCH, undefined, (soFar, kill) => {
        if (soFar.includes(` ${hold}`)) kill('SIGKILL')
      })
      assert.equal(signal, 'SIGKILL', stderr)
      sandbox.control.release()
      const { result, stderr: resumed } = await stage(BATCH)
      assert.ok(result, resumed)
      assertStaged(sandbox, result.run)
      assert.equal(sandbox.requests.of('CreateJob'), 1, hold)
      assert.equal(sandbox.requests.of('CopyObject'), 0, hold)
    }
  })

  it('that was created without our knowing is found, not asked for again', async () => {
    const { sandbox, stage } = await world()
    sandbox.faults.add({ operation: 'CreateJob', cut: 'after', times: 1 })
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assert.equal(sandbox.control.jobs().length, 1)
    assertStaged(sandbox, result.run)
  })

  it('with passing failures has them tried again; all copied is all copied', async () => {
    const { sandbox, stage } = await world({
      failTask: (_: unknown, nth: number) => (nth % 2 === 0 ? { ...internalError, message: 'x' } : undefined),
    })
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.requests.of('CopyObject'), Math.floor(EXPECTED.length / 2))
  })

  for (const report of ['status-first', 'as-schema'] as const)
    it(`with lasting failures names them, columns ${report}`, async () => {
      const denied = { code: 'AccessDenied', status: 403, message: 'Access Denied' }
      const { stage } = await world({ report, failTask: (_: unknown, nth: number) => (nth === 3 ? denied : undefined) })
      const { code, stderr } = await stage(BATCH)
      assert.equal(code, 1)
      assert.match(stderr, /1 objects of the manifest could not be staged[\s\S]*AccessDenied: Access Denied/)
    })

  it('whose report is missing is an error, and a rerun copies the rest', async () => {
    const { sandbox, stage } = await world({
      report: 'missing',
      failTask: (_: unknown, nth: number) => (nth === 3 ? internalError : undefined),
    })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, /the completion report of job .* is missing/)
    const { result, stderr: again } = await stage(['--yes', '--copy', 'direct'])
    assert.ok(result, again)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.requests.of('CopyObject'), 1)
  })

  it('that fails at its manifest says why', async () => {
    const { stage } = await world({
      failJob: { at: 'Preparing', code: 'Forbidden', reason: 'Reading the manifest is forbidden: 403' },
    })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, /Reading the manifest is forbidden[\s\S]*may the job role read the manifest/)
  })

  it('needs a role', async () => {
    const { stage } = await world()
    const { code, stderr } = await stage(['--yes', '--copy', 'batch'])
    assert.equal(code, 2)
    assert.match(stderr, /--batch-role/)
  })
})

describe('what S3 refuses', () => {
  it('is named with the action that is missing', async () => {
    const { sandbox, stage } = await world()
    sandbox.s3.deny({ action: 's3:ListBucket', resource: /^org-logs/ })
    const { code, stderr } = await stage(['--yes'])
    assert.equal(code, 4)
    assert.match(stderr, /s3:ListBucket/)
  })

  it('for some objects fails those, by name, and stages the rest', async () => {
    const { sandbox, stage } = await world()
    const key = EXPECTED[5] ?? ''
    sandbox.s3.deny({ action: 's3:GetObject', resource: new RegExp(`^org-logs/${key.replaceAll('.', '\\.')}$`) })
    const { code, stderr } = await stage(['--yes'])
    assert.equal(code, 1)
    assert.match(stderr, /1 objects of the manifest could not be staged/)
    assert.match(stderr, new RegExp(`${EXPECTED.length - 1} of ${EXPECTED.length} objects are staged`))
  })

  it('no such bucket', async () => {
    const { sandbox } = await world()
    const { code, stderr } = await runScript('stage', [...DAY, '--logs', 's3://nowhere-at-all', '--yes'], {
      env: sandbox.env,
    })
    assert.equal(code, 1)
    assert.match(stderr, /nowhere-at-all/)
  })
})
