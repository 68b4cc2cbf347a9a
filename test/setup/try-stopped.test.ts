import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { killedAfter } from '../support/kill-chain.ts'
import type { RunOptions } from '../support/run-script.ts'
import { isThorough } from '../support/thorough.ts'
import { triable } from './try-sandbox.ts'

describe('setup --check --try that does not come to its end', () => {
  it('leaves nothing behind after Ctrl-C, while a job is under way', async () => {
    const { sandbox, tryIt, assertNothingLeft } = await triable()
    sandbox.control.settings.hold = 'Active'
    let isStopped = false
    const { code, stdout } = await tryIt([], {
      onStderr: (_, kill) => {
        if (isStopped || sandbox.control.jobs().at(-1)?.status !== 'Active') return
        isStopped = true
        kill('SIGINT')
      },
    })
    assert.deepEqual([code, stdout], [130, ''])
    assert.equal(sandbox.control.jobs().at(-1)?.status, 'Cancelled')
    assertNothingLeft()
  })

  it('leaves nothing behind when the endpoint fails', async () => {
    const { sandbox, tryIt, assertNothingLeft } = await triable({ sagemaker: { pace: 'poll' } })
    sandbox.sagemaker.settings.failures.push({ kind: 'endpoint', stage: 'Creating', reason: 'no capacity' })
    const { code, comparisons, stderr } = await tryIt(['endpoint'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /the endpoint is Failed: no capacity/)
    assert.equal(comparisons.find(({ id }) => id === 'endpoint-answers')?.as, 'not seen')
    assertNothingLeft()
  })

  it('says what could not be removed, and removes it the next time', async () => {
    const { sandbox, tryIt, assertNothingLeft } = await triable()
    const giveBack = sandbox.s3.deny({ action: 'sagemaker:DeleteModel' })
    const { code, stderr } = await tryIt()
    assert.notEqual(code, 0)
    assert.match(stderr, /could not all be removed: .*DeleteModel[\s\S]*the same command removes the rest/)
    giveBack()
    await tryIt()
    assertNothingLeft()
  })

  // Each of them is what some part of the try makes, and what nobody has noted when it was killed.
  const points = ['CreateMultipartUpload', 'CreateJob', 'StartQueryExecution', 'CreateTrainingJob', 'CreateEndpoint ']
  it('removes what killed ones have left', async () => {
    const { sandbox, bucket, tryIt, assertNothingLeft } = await triable({ sagemaker: { pace: 'poll' } })
    const start = (options: RunOptions) => tryIt(isThorough ? ['endpoint'] : [], options)
    for (const point of isThorough ? points : ['CreateJob']) await killedAfter(sandbox, start, point)
    assert.notDeepEqual(sandbox.s3.keys(bucket), [])
    const { stderr } = await tryIt()
    assert.match(stderr, /removing what an interrupted try has left/)
    assertNothingLeft()
  })
})
