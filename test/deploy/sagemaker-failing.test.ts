import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accesses, artifactOf, s3Sandbox } from '../support/s3-run.ts'

const artifact = artifactOf(accesses(1, 1800))

async function fixture(change: Parameters<typeof s3Sandbox>[0] = {}) {
  const made = await s3Sandbox({ artifact: await artifact, ...change })
  return { ...made, deploy: made.step('deploy') }
}

describe('a new endpoint that fails is deleted again', () => {
  const failures: [what: string, reason: string, message: RegExp][] = [
    ['for want of capacity', 'Unable to provision requested ML compute capacity', /no such instance free/],
    [
      'by its role',
      'The role cannot download model data: AccessDenied',
      /the role of --sagemaker-role cannot fetch the model/,
    ],
    [
      'by its health check',
      'did not pass the ping health check',
      /did not start[\s\S]*--memory 4096 to 6144[\s\S]*--instance-type ml\.m5\.large/,
    ],
    ['without a word', '', /does not say why/],
  ]
  for (const [what, reason, message] of failures)
    it(what, async () => {
      const failure = { kind: 'endpoint', stage: 'Creating', reason, times: 1 } as const
      const { sandbox, deploy } = await fixture({ sandbox: { sagemaker: { failures: [failure] } } })
      const { code, stderr } = await deploy(['--yes'])
      assert.equal(code, 1)
      assert.match(stderr, message)
      assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
      assert.equal((await deploy(['--yes'])).code, 0)
      assert.deepEqual(sandbox.violations, [])
    })

  it('by its role, in a VPC that it may not work in', async () => {
    const { sandbox, deploy } = await fixture()
    const giveBack = sandbox.s3.deny({ action: 'ec2:CreateNetworkInterfacePermission' })
    const args = ['--yes', '--instance-type', 'ml.m5.large', '--subnet', 'subnet-1', '--security-group', 'sg-1']
    const { code, stderr } = await deploy(args)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /may not make network interfaces in the VPC of --subnet .*\n.*setup\.mjs --allow-vpc ID/)
    assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
    giveBack()
    assert.equal((await deploy(args)).code, 0)
    assert.deepEqual(sandbox.violations, [])
  })

  it('by a quota, at once', async () => {
    const quota = { 'ml.m5.large for endpoint usage': 0 }
    const { sandbox, deploy } = await fixture({ sandbox: { sagemaker: { quota } } })
    const { code, stderr } = await deploy(['--yes', '--instance-type', 'ml.m5.large'])
    assert.equal(code, 1)
    assert.match(stderr, /endpoint prestage-waf: over a quota of the account: "ml\.m5\.large for endpoint usage" is 0/)
    assert.deepEqual([sandbox.sagemaker.names().endpoints, sandbox.violations], [[], []])
  })

  it('by too little memory: more of it needs a quota, instances do not', async () => {
    const { sandbox, deploy } = await fixture({ sandbox: { sagemaker: { leastMemoryMB: 4096 } } })
    const { code, stderr } = await deploy(['--yes'])
    assert.equal(code, 1)
    assert.match(stderr, /did not pass the ping health check[\s\S]*--memory 4096 to 6144[\s\S]*or instances/)
    const more = await deploy(['--yes', '--memory', '4096'])
    assert.match(
      more.stderr,
      /"Memory size in MB per serverless endpoint" is 3072\n.*less --memory, or an --instance-type/,
    )
    assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
    const other = await deploy(['--yes', '--instance-type', 'ml.m5.large'])
    assert.equal(other.code, 0, other.stderr)
    assert.deepEqual(sandbox.violations, [])
  })

  it('by the quota of all serverless endpoints, of which the plan warns', async () => {
    const { sandbox, deploy } = await fixture()
    const { code, stderr } = await deploy(['--yes', '--max-concurrency', '12'])
    assert.equal(code, 1)
    assert.match(stderr, /requests +12 requests at once, of 10 that all serverless endpoints of the account have/)
    assert.match(stderr, /warning: 12 requests at once are more than the 10/)
    assert.match(
      stderr,
      /over a quota of the account: "Maximum total concurrency .* is 10\n.*smaller --max-concurrency/,
    )
    assert.deepEqual([sandbox.sagemaker.names().endpoints, sandbox.violations], [[], []])
  })
})

describe('a new endpoint stays', () => {
  it('when its container gives no answer while it starts', async () => {
    const coldStart = { invocations: 3, error: 'ModelError' } as const
    const { sandbox, deploy } = await fixture({ sandbox: { sagemaker: { coldStart } } })
    const { code, stderr } = await deploy(['--yes'])
    assert.equal(code, 0, stderr)
    assert.equal(sandbox.requests.of('DeleteEndpoint'), 0)
    assert.deepEqual(sandbox.violations, [])
  })

  for (const unreadable of [500, 'an answer'] as const)
    it(`when what its container cannot read gets ${unreadable}`, async () => {
      const { sandbox, deploy } = await fixture({ sandbox: { sagemaker: { unreadable } } })
      const { code, stderr } = await deploy(['--yes'])
      assert.equal(code, 0, stderr)
      assert.match(stderr, /warning: malformed input should get status 400, and the model (answers it|refuses .*500)/)
      assert.deepEqual(sandbox.violations, [])
    })
})
