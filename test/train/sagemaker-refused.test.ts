import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { s3Sandbox } from '../support/s3-run.ts'

const ARGS = ['--yes', '--epochs', '8', '--vector-dim', '8', '--mini-batch-size', '100']

async function fixture(change: Parameters<typeof s3Sandbox>[0] = {}) {
  const made = await s3Sandbox(change)
  return { ...made, train: made.step('train') }
}

describe('a job that is refused', () => {
  it('for dots in entities', async () => {
    const { sandbox, train } = await fixture({ train: 'john.doe,1.2.3.4\n'.repeat(50) })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /splits rows at dots[\s\S]*Expected 4 fields in line 1, saw 5[\s\S]*extract again with --overwrite/,
    )
    assert.deepEqual(sandbox.violations, [])
  })

  it('over a quota', async () => {
    const quota = { 'ml.m5.large for training job usage': 0 }
    const { sandbox, train } = await fixture({ sandbox: { sagemaker: { quota } } })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /over a quota of the account: "ml\.m5\.large for training job usage" is 0[\s\S]*Service Quotas/,
    )
    const other = await train([...ARGS, '--instance-type', 'ml.m5.xlarge'])
    assert.equal(other.code, 0, other.stderr)
    assert.deepEqual(sandbox.violations, [])
  })

  it('for want of the right to pass the role', async () => {
    const { sandbox, train } = await fixture()
    sandbox.s3.deny({ action: 'iam:PassRole' })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /you may not give SageMaker this role[\s\S]*ask for iam:PassRole/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('without the right to train', async () => {
    const { sandbox, train } = await fixture()
    sandbox.s3.deny({ action: 'sagemaker:CreateTrainingJob' })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /training job prestage-waf-.*lacks sagemaker:CreateTrainingJob/)
    assert.deepEqual(sandbox.violations, [])
  })
})
