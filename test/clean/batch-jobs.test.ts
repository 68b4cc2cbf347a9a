import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobStatus } from '../sandbox/s3control/job.ts'
import { assertStaged, BATCH, fixture } from '../stage/sandbox.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'

const WORKSPACE = 's3://org-staging/prestage'
const denied = { code: 'AccessDenied', status: 403, message: 'Access Denied' }

/** A run whose stage died while its job was in a state, where the job stays; and a way to clean it. */
async function abandoned(state: JobStatus) {
  // Objects are copied a few at a time, so that there are some when it dies.
  const { sandbox, stage } = await fixture({ pace: 20, tasksPerStep: 10 })
  const { settings } = sandbox.control
  settings.hold = state
  // What waits for its confirmation gets none.
  const fault = state === 'Suspended' ? sandbox.faults.add({ operation: 'UpdateJobStatus', cut: 'before' }) : undefined
  const isThere = () => {
    const [job] = sandbox.control.jobs()
    const hasCopied = (job?.results.length ?? 0) > 0
    if (state === 'Active' && !hasCopied) settings.hold = undefined
    if (state === 'Active' && hasCopied) settings.hold = 'Active'
    if (state === 'Paused' && job?.status === 'Active' && hasCopied) sandbox.control.pause()
    return job?.status === state && (state !== 'Active' || hasCopied)
  }
  const died = await stage(BATCH, undefined, undefined, isThere)
  assert.equal(died.signal, 'SIGKILL', died.stderr)
  fault?.remove()
  // So that the last step under way has found that the job is to stay.
  await sleep(100)
  const clean = async (args: readonly string[] = ['--yes'], options: RunOptions = {}) => {
    const all = ['--workspace', WORKSPACE, '--output', 'json', ...args]
    const ended = await runScript('clean', all, { env: sandbox.env, ...options })
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    const { removed = [], wouldRemove = [] } = ended.code === 0 ? JSON.parse(ended.stdout) : {}
    return { ...ended, removed: (removed as { what: string }[]).map(({ what }) => what), wouldRemove }
  }
  const [job] = sandbox.control.jobs()
  assert.ok(job)
  const copies = () => sandbox.s3.keys('org-staging').filter((key) => key.includes('/staged/'))
  return { sandbox, stage, clean, job, copies, what: `S3 Batch job ${job.id}` }
}

describe('clean of a run whose batch job goes on', () => {
  for (const state of ['New', 'Preparing', 'Suspended', 'Ready', 'Active', 'Paused'] as const)
    it(`${state}: it is cancelled, and nothing is copied afterwards`, async () => {
      const { sandbox, clean, job, copies, what } = await abandoned(state)
      const copied = job.results.length
      assert.equal(copied > 0, state === 'Active' || state === 'Paused', `${copied} copied`)
      const { removed, stderr } = await clean()
      assert.deepEqual(removed, copied > 0 ? [what, 'staged'] : [what], stderr)
      assert.deepEqual([job.status, job.reason], ['Cancelled', 'prestage clean'])
      assert.deepEqual(copies(), [])
      assert.deepEqual((await clean()).removed, [])
      assert.deepEqual(sandbox.violations, [])
    })

  it('staging again copies all with another job', async () => {
    const { sandbox, stage, clean } = await abandoned('Active')
    await clean()
    sandbox.control.release()
    const { result, stderr } = await stage(BATCH)
    assert.match(stderr, /another job is needed: job \S+ was cancelled: prestage clean/)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.control.jobs().length, 2)
  })

  it('only shown with --dry-run', async () => {
    const { sandbox, clean, job, copies, what } = await abandoned('Active')
    const copied = copies().length
    const { wouldRemove } = await clean(['--dry-run'])
    assert.deepEqual(wouldRemove, [what, 'staged'])
    const { stdout } = await runScript('clean', ['--workspace', WORKSPACE, '--dry-run'], { env: sandbox.env })
    assert.match(stdout, new RegExp(`${what}: is Active and will be cancelled`))
    assert.deepEqual([job.status, copies().length], ['Active', copied])
    assert.equal(sandbox.requests.of('DeleteObjects'), 0)
  })

  it('until it is really cancelled nothing is removed', async () => {
    const { sandbox, clean, job, copies } = await abandoned('Active')
    sandbox.control.settings.hold = 'Cancelling'
    let kept = 0
    const watching = () => {
      if (job.status !== 'Cancelling' || sandbox.requests.of('DescribeJob') < 6) return false
      kept = copies().length
      sandbox.control.release()
      return false
    }
    const { removed, stderr } = await clean(['--yes'], { killWhen: watching })
    assert.ok(kept > 0, stderr)
    assert.deepEqual(removed.slice(1), ['staged'])
    assert.equal(job.status, 'Cancelled')
  })

  it('killed after it has asked: started again it waits, and does the rest', async () => {
    const { sandbox, clean, job, copies, what } = await abandoned('Active')
    sandbox.control.settings.hold = 'Cancelling'
    const died = await clean(['--yes'], { killWhen: () => job.status === 'Cancelling' })
    assert.equal(died.signal, 'SIGKILL')
    assert.ok(copies().length > 0)
    const { wouldRemove } = await clean(['--dry-run'])
    assert.deepEqual(wouldRemove, [what, 'staged'])
    sandbox.control.release()
    await clean()
    assert.deepEqual([job.status, copies().length], ['Cancelled', 0])
    assert.equal(sandbox.requests.of('UpdateJobStatus'), 2)
  })

  it('at its end already: that is waited for', async () => {
    const { sandbox, clean, job, copies, what } = await abandoned('Completing')
    const looked = sandbox.requests.of('DescribeJob')
    const release = () => {
      if (sandbox.requests.of('DescribeJob') > looked + 1) sandbox.control.release()
      return false
    }
    const { removed, stderr } = await clean(['--yes'], { killWhen: release })
    assert.deepEqual(removed, [what, 'staged'], stderr)
    assert.deepEqual([job.status, copies().length], ['Complete', 0])
  })

  it('which ends before the request to cancel it gets there', async () => {
    const { sandbox, clean, job, copies } = await abandoned('Active')
    const late = { code: 'JobStatusException', status: 400, message: 'A job in status Complete cannot go to Cancelled' }
    const fault = sandbox.faults.add({ operation: 'UpdateJobStatus', error: late, delay: 200 })
    const before = sandbox.requests.of('UpdateJobStatus')
    const end = () => {
      if (sandbox.requests.of('UpdateJobStatus') > before) job.status = 'Complete'
      return false
    }
    const { code, stderr } = await clean(['--yes'], { killWhen: end })
    assert.equal(code, 0, stderr)
    assert.ok(fault.struck() > 0)
    assert.deepEqual(copies(), [])
  })

  it('that S3 will not cancel although it goes on: says so, and removes nothing', async () => {
    const { sandbox, clean, copies, what } = await abandoned('Active')
    const busy = { code: 'JobStatusException', status: 400, message: 'The job cannot be changed now' }
    sandbox.faults.add({ operation: 'UpdateJobStatus', error: busy })
    const { code, stderr } = await clean()
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`${what}: AWS answered JobStatusException: The job cannot be changed now`))
    assert.ok(copies().length > 0)
  })

  for (const [operation, action] of [
    ['ListJobs', /ask for s3:ListJobs on \*/],
    ['DescribeJob', /ask for s3:DescribeJob on arn:aws:s3:us-east-1:111122223333:job\//],
    ['UpdateJobStatus', /ask for s3:UpdateJobStatus on arn:aws:s3:us-east-1:111122223333:job\//],
  ] as const)
    it(`without the right to ${operation}: names it, and removes nothing`, async () => {
      const { sandbox, clean, copies } = await abandoned('Active')
      sandbox.faults.add({ operation, error: denied })
      const { code, stderr } = await clean()
      assert.equal(code, 4)
      assert.match(stderr, /access denied/)
      assert.match(stderr, action)
      assert.ok(copies().length > 0)
      assert.equal(sandbox.requests.of('DeleteObjects'), 0)
    })

  it('whose id the ledger does not have, since the process died before: it is found by its description', async () => {
    const { sandbox, clean, job, what } = await abandoned('Active')
    const [key = ''] = sandbox.s3.keys('org-staging').filter((each) => each.endsWith('/run.json'))
    const ledger = (await sandbox.s3.get('org-staging', key)).toString()
    assert.ok(ledger.includes(job.id))
    sandbox.s3.put('org-staging', key, ledger.replace(new RegExp(`,\\s*"id": "${job.id}"`), ''))
    assert.equal((await clean()).removed[0], what)
    assert.equal(job.status, 'Cancelled')
  })

  it('a job of the same window in another workspace is let alone', async () => {
    const { sandbox, stage, clean, job } = await abandoned('Active')
    const other = await stage(BATCH, 's3://org-staging/other', undefined, () => {
      const second = sandbox.control.jobs()[1]
      return second?.status === 'Active'
    })
    assert.equal(other.signal, 'SIGKILL', other.stderr)
    const [, second] = sandbox.control.jobs()
    assert.equal(second?.spec.description?.split(' ')[1], job.spec.description?.split(' ')[1])
    const { removed } = await clean()
    assert.equal(removed.filter((what) => what.startsWith('S3 Batch job')).length, 1)
    assert.deepEqual([job.status, second?.status], ['Cancelled', 'Active'])
  })

  it('one that has ended is no matter, and a run that never had one needs no rights', async () => {
    const { sandbox, stage } = await fixture()
    const { result } = await stage(['--yes', '--copy', 'direct'])
    assert.ok(result)
    sandbox.faults.add({ operation: 'ListJobs', error: denied })
    const args = ['--workspace', WORKSPACE, '--output', 'json', '--yes']
    const direct = await runScript('clean', args, { env: sandbox.env })
    assert.equal(direct.code, 0, direct.stderr)
    sandbox.faults.clear()
    await stage([...BATCH, '--overwrite'])
    assert.equal(sandbox.control.jobs()[0]?.status, 'Complete')
    const cleaned = await runScript('clean', args, { env: sandbox.env })
    assert.deepEqual(
      (JSON.parse(cleaned.stdout).removed as { what: string }[]).map(({ what }) => what),
      ['staged'],
    )
  })
})
