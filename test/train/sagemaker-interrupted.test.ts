import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { s3Sandbox } from '../support/s3-run.ts'

const ARGS = ['--yes', '--epochs', '8', '--vector-dim', '8', '--mini-batch-size', '100']

async function fixture(change: Parameters<typeof s3Sandbox>[0] = {}) {
  const made = await s3Sandbox(change)
  return { ...made, train: made.step('train') }
}

describe('interrupted', () => {
  for (const stage of ['Starting', 'Downloading', 'Training', 'Uploading'])
    it(`by Ctrl-C in ${stage}: says how to stop the job, and takes it up again`, async () => {
      const { sandbox, train } = await fixture({ sandbox: { sagemaker: { hold: { kind: 'training', stage } } } })
      const stopped = await train(ARGS, {
        env: sandbox.env,
        onStderr: (soFar, kill) => {
          if (new RegExp(` ${stage}: `).test(soFar)) kill('SIGINT')
        },
      })
      assert.equal(stopped.code, 130, stopped.stderr)
      const [name = ''] = sandbox.sagemaker.names().trainingJobs
      assert.match(stopped.stderr, new RegExp(`training job ${name} goes on in AWS, and costs money`))
      assert.match(
        stopped.stderr,
        new RegExp(`aws sagemaker stop-training-job --training-job-name ${name} --region us-east-1`),
      )
      sandbox.sagemaker.release()
      const resumed = await train(ARGS.filter((arg) => arg !== '--yes'))
      assert.equal(resumed.code, 0, resumed.stderr)
      assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)
      assert.deepEqual(sandbox.violations, [])
    })

  it('killed after any request, it ends in one job and one model', async () => {
    const { sandbox, train } = await fixture()
    await train(ARGS)
    const total = sandbox.requests.log().length
    for (let n = 1; n < total; n += 2) {
      const { sandbox, train } = await fixture({ sandbox: { sagemaker: { pace: 'poll' } } })
      await train(ARGS, { env: sandbox.env, killWhen: () => sandbox.requests.log().length >= n })
      const { code, stderr } = await train(ARGS)
      assert.equal(code, 0, stderr)
      assert.equal(sandbox.sagemaker.trainingJobs.all.size, 1, `killed after ${n} requests`)
      assert.deepEqual(sandbox.violations, [])
    }
  })

  it('a job whose creation was answered into the void is not made twice', async () => {
    const { sandbox, train } = await fixture()
    sandbox.faults.add({ operation: 'CreateTrainingJob', cut: 'after', times: 1 })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 0, stderr)
    assert.equal(sandbox.sagemaker.trainingJobs.all.size, 1)
    assert.deepEqual(sandbox.violations, [])
  })
})
