import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeKey } from '../../scripts/lib/runs/selected.ts'
import type { RunnerSettings } from '../sandbox/s3control/runner.ts'
import { trailKey } from './logs.ts'
import { assertStaged, BATCH, EXPECTED, fixture, ODD, ROLE } from './sandbox.ts'

type Failing = RunnerSettings['failTask']
const passing = { code: 'InternalError', status: 500, message: 'We encountered an internal error. Please try again.' }
const denied = { code: 'AccessDenied', status: 403, message: 'Access Denied' }
const refused: Failing = () => denied

describe('a batch job that somebody else stops', () => {
  it('paused for a job of higher priority: says so, and goes on when it does', async () => {
    const { sandbox, stage } = await fixture({ hold: 'Active', tasksPerStep: 40 })
    const { result, stderr } = await stage(BATCH, undefined, (soFar) => {
      if (soFar.includes('Paused')) sandbox.control.release()
      else if (soFar.includes(' Active') && sandbox.control.settings.hold === 'Active') {
        sandbox.control.settings.hold = 'Paused'
        sandbox.control.pause()
      }
    })
    assert.ok(result, stderr)
    assert.match(stderr, /job \S+ Paused \(S3 works on jobs of a higher priority first; it goes on by itself\)/)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.control.jobs().length, 1)
  })

  it('cancelled by an operator: says so, and the next call copies the rest with another job', async () => {
    const { sandbox, stage } = await fixture({ hold: 'Active', tasksPerStep: 40 })
    const { code, stderr } = await stage(BATCH, undefined, (soFar) => {
      const [job] = sandbox.control.jobs()
      if (!soFar.includes(' Active') || job?.status !== 'Active') return
      job.reason = 'costs too much'
      job.status = 'Cancelling'
      sandbox.control.release()
    })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /job \S+ was cancelled: costs too much\n.*the same command copies what is missing, with a new job/,
    )
    const { result, stderr: again } = await stage(BATCH)
    assert.ok(result, again)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.control.jobs().length, 2)
  })

  /** Stages up to a job that waits for its confirmation, and dies there. */
  async function abandoned(now: () => Date) {
    const { sandbox, stage } = await fixture({}, now)
    const fault = sandbox.faults.add({ operation: 'UpdateJobStatus', cut: 'before' })
    const waits = () => sandbox.requests.of('UpdateJobStatus') > 0
    const { signal, stderr } = await stage(BATCH, undefined, undefined, waits)
    assert.equal(signal, 'SIGKILL', stderr)
    assert.equal(sandbox.control.jobs()[0]?.status, 'Suspended')
    fault.remove()
    return { sandbox, stage }
  }

  it('unconfirmed for more than 30 days: S3 fails it, and another one copies', async () => {
    let later = 0
    const { sandbox, stage } = await abandoned(() => new Date(Date.now() + later))
    later = 31 * 86_400_000
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assert.match(stderr, /another job is needed: job \S+ failed: \S+: The job was not confirmed within 30 days/)
    assertStaged(sandbox, result.run)
    assert.deepEqual(
      sandbox.control.jobs().map(({ status }) => status),
      ['Failed', 'Complete'],
    )
  })

  it('forgotten by S3: another one copies', async () => {
    const { sandbox, stage } = await abandoned(() => new Date())
    sandbox.control.forget(sandbox.control.jobs()[0]?.id ?? '')
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assert.match(stderr, /another job is needed: The job \S+ does not exist/)
    assertStaged(sandbox, result.run)
  })

  it('that cannot be looked at is not taken for an ended one', async () => {
    const { sandbox, stage } = await abandoned(() => new Date())
    const fault = sandbox.faults.add({ operation: 'DescribeJob', error: denied })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 4)
    assert.match(stderr, /S3 Batch Operations in account 111122223333: access denied/)
    fault.remove()
    const { result } = await stage(BATCH)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.control.jobs().length, 1)
  })
})

describe('a batch job that fails', () => {
  it('because its role cannot read the manifest: names both, and goes on once it may', async () => {
    const { sandbox, stage } = await fixture()
    const deny = { action: 's3:GetObject', principal: ROLE, resource: /manifest/ }
    const giveBack = sandbox.s3.deny(deny)
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 4)
    assert.match(stderr, /job \S+ failed: Forbidden: Reading the manifest is forbidden: 403/)
    assert.match(stderr, new RegExp(`may ${ROLE} read the manifest \\(s3:GetObject, s3:GetObjectVersion\\)`))
    giveBack()
    const { result, stderr: again } = await stage(BATCH)
    assert.ok(result, again)
    assertStaged(sandbox, result.run)
  })

  /** So many more objects, of which none is odd. */
  const many = Array.from({ length: 2400 }, (_, i) => trailKey('111122223333', 'us-east-1', '20260302T1215Z', `n${i}`))
  async function large(jobs: Partial<RunnerSettings>) {
    const made = await fixture(jobs)
    for (const key of many) made.sandbox.s3.put('org-logs', key, `content of ${key}`)
    return made
  }
  it('in half of 2,400 tasks and more: another job for them, no request of ours', async () => {
    const { sandbox, stage } = await large({})
    const failing: Failing = (_, nth) => (sandbox.control.jobs().length === 1 && nth % 2 === 0 ? passing : undefined)
    sandbox.control.settings.failTask = failing
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assert.match(stderr, /1,\d\d\d tasks failed: another job for them/)
    assertStaged(sandbox, result.run, [...EXPECTED, ...many])
    const [first, second] = sandbox.control.jobs()
    assert.deepEqual([first?.status, second?.status, sandbox.control.jobs().length], ['Complete', 'Complete', 2])
    assert.equal(second?.tasks?.length, sandbox.control.counts(first?.id).failed)
    assert.equal(sandbox.requests.of('CopyObject'), 0)
    assert.equal(result.copied, EXPECTED.length + many.length)
  })

  it('in more than half of them, passing: S3 gives it up, and another one copies what is left', async () => {
    const { sandbox, stage } = await large({})
    const failing: Failing = (_, nth) => (sandbox.control.jobs().length === 1 && nth % 3 !== 0 ? passing : undefined)
    sandbox.control.settings.failTask = failing
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assert.match(stderr, /tasks are left: another job for them/)
    assertStaged(sandbox, result.run, [...EXPECTED, ...many])
    const [first, second] = sandbox.control.jobs()
    assert.deepEqual([first?.status, second?.status], ['Failed', 'Complete'])
    assert.equal(result.copied, EXPECTED.length + many.length)
  })

  it('in more than half of them, for good: the reason once, and no other job', async () => {
    const { sandbox, stage } = await large({ failTask: refused })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, /S3 gave up job \S+: 1,000 tasks failed, 1,000 of them so: AccessDenied: Access Denied/)
    assert.equal(sandbox.control.jobs().length, 1)
    assert.equal(sandbox.requests.of('CopyObject'), 0)
  })

  it('in more than half of them, without a report: that is why nobody knows, and another way to find out', async () => {
    const { sandbox, stage } = await large({ failTask: refused, report: 'missing' })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, /S3 gave up job \S+: 1,000 tasks failed, and the completion report of job \S+ is missing/)
    assert.match(stderr, /retention by Object Lock.*--copy direct/)
    assert.equal(sandbox.control.jobs().length, 1)
  })

  it('because its report cannot be written: what is missing is copied all the same', async () => {
    const { sandbox, stage } = await fixture({ failTask: (_, nth) => (nth === 3 ? passing : undefined) })
    sandbox.s3.deny({ action: 's3:PutObject', principal: ROLE, resource: /\/jobs\// })
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.control.jobs()[0]?.status, 'Failed')
    assert.equal(sandbox.requests.of('CopyObject'), 1)
  })

  for (const report of ['status-first', 'as-schema'] as const) {
    const odd: (error: typeof passing) => Failing = (error) => (task) => (ODD.includes(task.key) ? error : undefined)

    it(`only at odd keys, passing, columns ${report}: these again, one by one`, async () => {
      const { sandbox, stage } = await fixture({ report, failTask: odd(passing) })
      const { result, stderr } = await stage(BATCH)
      assert.ok(result, stderr)
      assertStaged(sandbox, result.run)
      assert.equal(sandbox.requests.of('CopyObject'), ODD.length)
    })

    it(`only at odd keys, for good, columns ${report}: these are what could not be staged`, async () => {
      const { sandbox, stage } = await fixture({ report, failTask: odd(denied) })
      const { code, stderr } = await stage(BATCH)
      assert.equal(code, 1)
      assert.match(stderr, new RegExp(`${ODD.length} objects of the manifest could not be staged`))
      const [list = ''] = sandbox.s3.keys('org-staging').filter((key) => key.endsWith('stage-failures.csv'))
      const rows = (await sandbox.s3.get('org-staging', list)).toString().trimEnd().split('\n')
      assert.deepEqual(rows.map((row) => decodeKey(row.split(',')[0] ?? '')).sort(), ODD.toSorted())
      assert.ok(rows.every((row) => row.endsWith(',"AccessDenied: Access Denied"')))
    })
  }
})
