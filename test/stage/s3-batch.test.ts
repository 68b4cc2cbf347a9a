import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { internalError } from '../sandbox/faults.ts'
import type { Sandbox } from '../sandbox/start.ts'
import { assertStaged, BATCH, EXPECTED, fixture, ODD } from './sandbox.ts'

describe('logs that change between plan and copy', () => {
  const key = EXPECTED[7] ?? ''
  /** Stages until the job is at work, changes the logs, lets it go on. */
  async function changed(change: (sandbox: Sandbox) => void) {
    const { sandbox, stage } = await fixture({ hold: 'Ready' })
    let done = false
    return stage(BATCH, undefined, (soFar) => {
      if (done || !soFar.includes(' Ready')) return
      done = true
      change(sandbox)
      sandbox.control.release()
    })
  }

  it('are named when an object is gone', async () => {
    const { code, stderr } = await changed((sandbox) => sandbox.s3.delete('org-logs', key))
    assert.equal(code, 1)
    assert.match(stderr, /1 object of the manifest could not be staged[\s\S]*gone from the logs since it was listed/)
  })

  it('are named when an object was overwritten', async () => {
    const later = new Date(Date.now() + 60_000)
    const { code, stderr } = await changed((sandbox) =>
      sandbox.s3.put('org-logs', key, `CONTENT of ${key}`, { modified: later }),
    )
    assert.equal(code, 1)
    assert.match(stderr, /1 object of the manifest could not be staged[\s\S]*changed in the logs since it was listed/)
  })
})

describe('a batch job', () => {
  it('that is left behind is taken up again, whatever its state', async () => {
    for (const hold of ['New', 'Preparing', 'Ready', 'Active'] as const) {
      const { sandbox, stage } = await fixture({ hold, tasksPerStep: 40 })
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
    const { sandbox, stage } = await fixture()
    sandbox.faults.add({ operation: 'CreateJob', cut: 'after', times: 1 })
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assert.equal(sandbox.control.jobs().length, 1)
    assertStaged(sandbox, result.run)
  })

  it('that S3 does not show at once, neither it nor its confirmation, is waited for', async () => {
    for (const unknown of ['NoSuchJob', 'NoSuchJobException', 'NotFoundException'] as const) {
      const { sandbox, stage } = await fixture({ unknown, invisibleFor: 2, staleFor: 2 })
      const { result, stderr } = await stage(BATCH)
      assert.ok(result, stderr)
      assertStaged(sandbox, result.run)
      assert.deepEqual([sandbox.requests.of('CreateJob'), sandbox.requests.of('CopyObject')], [1, 0])
    }
  })

  it('with passing failures has them tried again; all copied is all copied', async () => {
    const { sandbox, stage } = await fixture({
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
      const { stage } = await fixture({
        report,
        failTask: (_: unknown, nth: number) => (nth === 3 ? denied : undefined),
      })
      const { code, stderr } = await stage(BATCH)
      assert.equal(code, 1)
      assert.match(stderr, /1 object of the manifest could not be staged[\s\S]*AccessDenied: Access Denied/)
    })

  for (const report of ['missing', 'six-columns', 'careless'] as const)
    it(`has what it did not copy tried again, whatever it reports: ${report}`, async () => {
      const { sandbox, stage } = await fixture({
        report,
        failTask: ({ key }) => (ODD.includes(key) ? { ...internalError, message: 'x' } : undefined),
      })
      const { result, stderr } = await stage(BATCH)
      assert.ok(result, stderr)
      assertStaged(sandbox, result.run)
      assert.equal(sandbox.requests.of('CopyObject'), ODD.length)
      if (report === 'missing')
        assert.match(stderr, /the completion report of job \S+ is missing: \S+; S3 is asked what is not there/)
    })

  it('names what could not be copied when its report is missing', async () => {
    const { sandbox, stage } = await fixture({ report: 'missing' })
    sandbox.s3.deny({ action: 's3:GetObject', resource: /T1005Z/ })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`${ODD.length} objects of the manifest could not be staged[\\s\\S]*AccessDenied`))
  })

  it('is found when S3 has taken the request, and refuses the same one as known', async () => {
    const { sandbox, stage } = await fixture({ repeated: 'refused' })
    sandbox.faults.add({ operation: 'CreateJob', cut: 'after', times: 1 })
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.control.jobs().length, 1)
  })

  it('runs although S3 does not say how many tasks it has', async () => {
    const { sandbox, stage } = await fixture({ tellsTasks: false })
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
  })

  describe('in a bucket whose policy demands KMS', () => {
    const demandsKms = { action: 's3:PutObject', context: { 's3:x-amz-server-side-encryption': 'AES256' } }

    it('has no manifest: the error names the policy, and another way', async () => {
      const { sandbox, stage } = await fixture()
      sandbox.s3.deny({ ...demandsKms, resource: /^org-staging/ })
      const { code, stderr } = await stage(BATCH)
      assert.equal(code, 4)
      assert.match(stderr, /access denied: .* lacks s3:PutObject/)
      assert.match(stderr, /manifest of a job must be encrypted with SSE-S3.*bucket policy.*--copy direct/)
    })

    it('is not needed: what is copied directly asks for no encryption', async () => {
      const { sandbox, stage } = await fixture()
      sandbox.s3.deny({ ...demandsKms, resource: /^org-staging/ })
      const { result, stderr } = await stage(['--yes', '--copy', 'direct'])
      assert.ok(result, stderr)
      assertStaged(sandbox, result.run)
    })
  })

  it('needs a role', async () => {
    const { stage } = await fixture()
    const { code, stderr } = await stage(['--yes', '--copy', 'batch'])
    assert.equal(code, 2)
    assert.match(stderr, /--batch-role/)
  })
})
