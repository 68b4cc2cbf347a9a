import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Failure } from '../sandbox/sagemaker/settings.ts'
import { s3Sandbox } from '../support/s3-run.ts'

const ARGS = ['--yes', '--epochs', '8', '--vector-dim', '8', '--mini-batch-size', '100']

async function fixture(change: Parameters<typeof s3Sandbox>[0] = {}) {
  const made = await s3Sandbox(change)
  return { ...made, train: made.step('train') }
}

describe('a job that fails', () => {
  const failures: [what: string, failure: Omit<Failure, 'kind'>, message: RegExp, again: 'another' | 'same'][] = [
    [
      'for want of capacity',
      { stage: 'Starting', reason: 'CapacityError: Unable to provision requested ML compute capacity.' },
      /no such instance free[\s\S]*repeat this later/,
      'another',
    ],
    [
      'inside AWS',
      { stage: 'Training', reason: 'InternalServerError: We encountered an internal error.' },
      /SageMaker itself failed[\s\S]*another attempt/,
      'another',
    ],
    [
      'by its role',
      { stage: 'Downloading', reason: 'ClientError: Data download failed: AccessDenied (403): no' },
      /the role of --sagemaker-role may not[\s\S]*s3:GetObject/,
      'another',
    ],
    [
      'for want of memory',
      { stage: 'Training', reason: 'AlgorithmError: out of memory, exit code: 137' },
      /ran out of memory[\s\S]*larger --instance-type/,
      'same',
    ],
    [
      'without a word',
      { stage: 'Training', reason: '' },
      /does not say why[\s\S]*aws logs tail \/aws\/sagemaker\/TrainingJobs/,
      'same',
    ],
    ['by time', { stage: 'Training', reason: '', into: 'MaxRuntimeExceeded' }, /longer than --max-runtime/, 'same'],
    [
      'by a lost spot instance',
      { stage: 'Training', reason: '', into: 'Interrupted' },
      /spot instance was taken away/,
      'another',
    ],
    [
      'by the wait for one',
      { stage: 'Starting', reason: '', into: 'MaxWaitTimeExceeded' },
      /within --max-wait/,
      'another',
    ],
  ]
  for (const [what, failure, message, again] of failures)
    it(`${what}; then ${again === 'another' ? 'another one is made' : 'it is only explained again'}`, async () => {
      const { sandbox, train } = await fixture({
        sandbox: { sagemaker: { failures: [{ kind: 'training', times: 1, ...failure }] } },
      })
      const failed = await train(ARGS)
      assert.equal(failed.code, 1, failed.stderr)
      assert.match(failed.stderr, message)
      const second = await train(ARGS)
      assert.equal(second.code, again === 'another' ? 0 : 1, second.stderr)
      if (again === 'same') assert.match(second.stderr, /the same job would fail again/)
      assert.equal(sandbox.sagemaker.trainingJobs.all.size, again === 'another' ? 2 : 1)
      if (again === 'same') assert.equal((await train([...ARGS, '--overwrite'])).code, 0)
      assert.deepEqual(sandbox.violations, [])
    })

  it('in a VPC that its role may not work in', async () => {
    const { sandbox, train } = await fixture()
    const giveBack = sandbox.s3.deny({ action: 'ec2:CreateNetworkInterface' })
    const args = [...ARGS, '--subnet', 'subnet-1', '--security-group', 'sg-1']
    const { code, stderr } = await train(args)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /may not make network interfaces in the VPC of --subnet[\s\S]*setup\.mjs --allow-vpc ID/)
    giveBack()
    const again = await train(args)
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(sandbox.violations, [])
  })
})
