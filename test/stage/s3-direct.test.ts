import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { expiredToken } from '../sandbox/faults.ts'
import type { Sandbox } from '../sandbox/start.ts'
import { tempFolder } from '../support/temp.ts'
import { trailKey } from './logs.ts'
import { assertStaged, EXPECTED, fixture } from './sandbox.ts'

/** How often each object was copied. */
function copies(sandbox: Sandbox): Map<string, number> {
  const times = new Map<string, number>()
  for (const { operation, resource, status } of sandbox.requests.log())
    if (operation === 'CopyObject' && status === 200) times.set(resource, (times.get(resource) ?? 0) + 1)
  return times
}

/** Waits until all is answered that a dead caller has asked. */
async function quiet({ requests }: Sandbox): Promise<void> {
  for (let seen = -1; seen !== requests.log().length || requests.inFlight() > 0; ) {
    seen = requests.log().length
    await sleep(100)
  }
}

describe('a direct copy that is killed', () => {
  const killed = async (when: (sandbox: Sandbox) => boolean, fault: object) => {
    const { sandbox, stage } = await fixture()
    const slow = sandbox.faults.add({ operation: 'CopyObject', ...fault })
    const { signal, stderr } = await stage(['--yes'], undefined, undefined, () => when(sandbox))
    assert.equal(signal, 'SIGKILL', stderr)
    await quiet(sandbox)
    slow.remove()
    const before = copies(sandbox).size
    const { result, stderr: resumed } = await stage(['--yes'])
    assert.ok(result, resumed)
    assert.match(resumed, /going on with the plan of/)
    assertStaged(sandbox, result.run)
    return { sandbox, before, result }
  }

  it('between the plan and the first copy copies each object once', async () => {
    const { sandbox, before, result } = await killed((s) => s.requests.of('CopyObject') > 0, { cut: 'before' })
    assert.deepEqual([before, result.copied, result.skipped], [0, EXPECTED.length, 0])
    assert.deepEqual([...new Set(copies(sandbox).values())], [1])
  })

  it('in the middle copies no object twice', async () => {
    const { sandbox, before, result } = await killed((s) => s.requests.of('CopyObject') > 40, { delay: 20 })
    assert.ok(before > 0 && before < EXPECTED.length, `${before} copied when it was killed`)
    assert.equal(result.copied + result.skipped, EXPECTED.length)
    assert.ok(result.skipped >= before)
    const times = copies(sandbox)
    assert.deepEqual([times.size, Math.max(...times.values())], [EXPECTED.length, 1])
  })
})

describe('what is copied object by object', () => {
  const ways: [how: string, operation: string, workspace: string | undefined][] = [
    ['within S3', 'CopyObject', undefined],
    ['to this machine', 'GetObject', tempFolder()],
  ]
  for (const [how, operation, workspace] of ways)
    it(`${how} ends when the credentials expire, and is resumed with new ones`, async () => {
      const { sandbox, stage } = await fixture()
      const fault = sandbox.faults.add({ operation, nth: 20, error: expiredToken })
      const { code, stderr } = await stage(['--yes'], workspace)
      assert.equal(code, 4, stderr)
      assert.match(stderr, /: the AWS credentials have expired\n {2}aws sso login/)
      fault.remove()
      const { result, stderr: again } = await stage(['--yes'], workspace)
      assert.ok(result, again)
      assert.equal(result.copied + result.skipped, EXPECTED.length)
      assert.ok(result.skipped >= 10, again)
    })

  for (const [how, operation, workspace] of ways)
    it(`${how} and expires before its turn is left out by the next call, which copies only what is missing`, async () => {
      const { sandbox, stage } = await fixture()
      const [expired = '', denied = ''] = [EXPECTED[5], EXPECTED.at(-20)]
      const where = workspace && tempFolder()
      const allow = [expired, denied].map((key) =>
        sandbox.s3.deny({ action: 's3:GetObject', resource: `org-logs/${key}` }),
      )
      assert.equal((await stage(['--yes'], where)).code, 1)
      for (const again of allow) again()
      sandbox.s3.delete('org-logs', expired)
      const { code, stderr } = await stage(['--yes'], where)
      assert.equal(code, 1)
      assert.match(stderr, /1 object of the manifest could not be staged/)
      assert.match(stderr, /the same command copies only what is missing, after another look at what the logs hold/)
      const { result, stderr: healed } = await stage(['--yes'], where)
      assert.ok(result, healed)
      const others = EXPECTED.length - 1
      assert.deepEqual([result.objects, result.copied, result.skipped], [others, 0, others])
      assert.match(healed, /warning: gone from the logs before they were copied, and left out: 1 object\n/)
      const done = sandbox.requests.log().filter((made) => made.operation === operation && made.status === 200)
      assert.equal(done.filter(({ resource }) => EXPECTED.some((key) => resource.endsWith(key))).length, others)
    })

  it('to this machine is refused before the first copy where a key is no file name', async () => {
    const { sandbox, stage } = await fixture()
    sandbox.s3.put('org-logs', trailKey('111122223333', 'us-east-1', '20260302T1005Z', 'x'.repeat(250)), 'long')
    const { code, stderr } = await stage(['--yes'], tempFolder())
    assert.equal(code, 1)
    assert.match(stderr, /has a part of over 255 bytes, too long for a file name\n {2}stage into a --workspace in S3/)
    assert.equal(sandbox.requests.of('GetObject'), 0)
    assert.ok((await stage(['--yes'])).result)
  })

  it('to this machine names what is denied and what is gone without a word of our own types', async () => {
    const { sandbox, stage } = await fixture()
    const [denied = '', gone = ''] = [EXPECTED[5], EXPECTED.at(-20)]
    sandbox.s3.deny({ action: 's3:GetObject', resource: `org-logs/${denied}` })
    const { code, stderr } = await stage(['--yes'], tempFolder(), (soFar) => {
      if (soFar.includes('copied by')) sandbox.s3.delete('org-logs', gone)
    })
    assert.equal(code, 1)
    assert.match(stderr, /2 objects of the manifest could not be staged/)
    assert.ok(stderr.includes(`"${denied}": s3://org-logs/${denied}: access denied: `), stderr)
    assert.ok(stderr.includes(`"${gone}": no object s3://org-logs/${gone}`), stderr)
  })
})

describe('--concurrency 8', () => {
  const EIGHT = ['--concurrency', '8', '--yes']
  const SLOW = 30

  it('lists with at most 8 requests in flight, and with 8', async () => {
    const { sandbox, stage } = await fixture()
    for (let i = 0; i < 40; i++) sandbox.s3.put('org-logs', `team-${i}/notes.txt`, 'x')
    sandbox.faults.add({ operation: 'ListObjectsV2', delay: SLOW })
    const { result, stderr } = await stage([...EIGHT, '--dry-run'])
    assert.ok(result, stderr)
    assert.equal(sandbox.requests.mostInFlight(), 8)
  })

  for (const [what, operation, workspace] of [
    ['copies', 'CopyObject', undefined],
    ['downloads', 'GetObject', tempFolder()],
  ] as const)
    it(`${what} with at most 8 requests in flight, and with 8`, async () => {
      const { sandbox, stage } = await fixture()
      sandbox.faults.add({ operation, delay: SLOW })
      const { result, stderr } = await stage(EIGHT, workspace)
      assert.ok(result, stderr)
      assert.equal(sandbox.requests.mostInFlight(operation), 8)
      // At the destination is looked meanwhile.
      assert.ok(sandbox.requests.mostInFlight() <= 9, `${sandbox.requests.mostInFlight()} in flight`)
    })

  it('copies the parts of large objects with at most 8 requests in flight', async () => {
    const { sandbox, stage } = await fixture()
    for (const key of EXPECTED.slice(0, 4)) sandbox.s3.put('org-logs', key, 6 * 1024 ** 3)
    sandbox.faults.add({ operation: ['CopyObject', 'UploadPartCopy'], delay: SLOW })
    const { result, stderr } = await stage(EIGHT)
    assert.ok(result, stderr)
    const { requests } = sandbox
    assert.ok(requests.of('UploadPartCopy') >= 4 * 12)
    assert.ok(requests.mostInFlight() <= 9, `${requests.mostInFlight()} in flight`)
  })
})
