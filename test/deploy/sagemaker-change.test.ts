import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sandbox } from '../sandbox/start.ts'
import { accesses, artifactOf, putRun, s3Sandbox } from '../support/s3-run.ts'

const artifact = artifactOf(accesses(1, 1800))
const NEXT = '2026-11-22T00:00:00.000Z'
const NAME = 'prestage-waf'

/** A champion in service, and a run that may take its place. */
async function champion(...args: string[]) {
  const made = await s3Sandbox({ artifact: await artifact })
  const { sandbox, run } = made
  const deploy = (id: string, ...more: string[]) => made.step('deploy')(['--yes', '--run', id, ...more])
  const first = await deploy(run.id, ...args)
  assert.equal(first.code, 0, first.stderr)
  const next = await putRun(sandbox, { artifact: await artifact, to: NEXT })
  const endpoint = () => sandbox.sagemaker.endpoints.all.get(NAME)
  return { sandbox, run, next, deploy, first: first.result, endpoint, serves: () => endpoint()?.config.name }
}

const LARGE = ['--instance-type', 'ml.m5.large']
const XLARGE = ['--instance-type', 'ml.m5.xlarge']
const ranges = ({ sagemaker }: Sandbox) =>
  [...sagemaker.scaling.targets.values()].map(({ MinCapacity, MaxCapacity }) => [MinCapacity, MaxCapacity])

describe('between instances and serverless', () => {
  it('instances do not become serverless: that is refused before anything is paid for, and scaling goes on', async () => {
    const { sandbox, next, deploy, first, serves } = await champion(...LARGE, '--autoscale', '1:4')
    for (const more of [[], ['--dry-run']]) {
      const { code, stderr } = await deploy(next.id, ...more)
      assert.equal(code, 1)
      assert.match(stderr, /prestage-waf is on ml\.m5\.large, and SageMaker does not make a serverless one of it/)
      assert.match(
        stderr,
        /--instance-type ml\.m5\.large; name another --endpoint; or delete it first:\n +aws sagemaker/,
      )
    }
    assert.deepEqual([serves(), sandbox.requests.of('CreateEndpoint')], [first.config, 1])
    assert.deepEqual(ranges(sandbox), [[1, 4]])
    assert.deepEqual(sandbox.violations, [])
  })

  it('serverless becomes instances, but not back: the plan says it, and --rollback refuses', async () => {
    const { sandbox, run, next, deploy, serves } = await champion()
    const { code, stderr, result } = await deploy(next.id, ...LARGE)
    assert.equal(code, 0, stderr)
    assert.match(stderr, /in service .*; it is serverless, and SageMaker does not go back to that from instances/)
    for (const more of [['--rollback'], ['--rollback', '--dry-run']]) {
      const back = await deploy(next.id, ...more)
      assert.equal(back.code, 1)
      assert.match(back.stderr, /is on ml\.m5\.large, and SageMaker does not make a serverless one of it/)
      assert.match(back.stderr, new RegExp(`delete-endpoint --endpoint-name prestage-waf.*\\n.*--run ${run.id}`))
    }
    assert.deepEqual([serves(), sandbox.requests.of('UpdateEndpoint')], [result.config, 1])
    assert.deepEqual(sandbox.violations, [])
  })

  it('a new model that does not answer after the update: its error comes first, then why there is no way back', async () => {
    const { sandbox, next, deploy } = await champion()
    const { endpoints } = sandbox.sagemaker
    const update = endpoints.update.bind(endpoints)
    endpoints.update = (input) => {
      sandbox.faults.add({
        operation: 'InvokeEndpoint',
        resource: NAME,
        error: { code: 'InternalFailure', status: 500 },
      })
      return update(input)
    }
    const { code, stderr } = await deploy(next.id, ...LARGE)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /endpoint prestage-waf: AWS failed .*; and it could not go back to .*does not make a serverless/,
    )
    assert.match(stderr, /delete it, and deploy the run of .* again/)
  })
})

describe('scaling', () => {
  it('goes on, with as many instances as it has come to, while their type stays', async () => {
    const { sandbox, next, deploy, endpoint } = await champion(...LARGE, '--autoscale', '1:4')
    Object.assign(endpoint() ?? {}, { instances: 3 })
    const { code, stderr } = await deploy(next.id, ...LARGE)
    assert.equal(code, 0, stderr)
    assert.deepEqual([ranges(sandbox), endpoint()?.instances], [[[1, 4]], 3])
    assert.equal(sandbox.requests.of('DeregisterScalableTarget'), 0)
    assert.deepEqual(sandbox.violations, [])
  })

  it('comes back when an update to another type is refused, or fails', async () => {
    const { sandbox, next, deploy, first, serves } = await champion(...LARGE, '--autoscale', '1:4')
    const { settings } = sandbox.sagemaker
    settings.quota = { 'ml.m5.xlarge for endpoint usage': 1 }
    const refused = await deploy(next.id, ...XLARGE, '--instance-count', '2')
    assert.match(refused.stderr, /over a quota of the account: "ml\.m5\.xlarge for endpoint usage" is 1/)
    assert.deepEqual(ranges(sandbox), [[1, 4]])
    settings.quota = {}
    settings.failures.push({ kind: 'endpoint', stage: 'Updating', reason: '', name: NAME, times: 1 })
    const failed = await deploy(next.id, ...XLARGE)
    assert.match(failed.stderr, /the update failed: .*SageMaker went back to/)
    assert.deepEqual([ranges(sandbox), serves()], [[[1, 4]], first.config])
    assert.deepEqual(sandbox.violations, [])
  })

  it('of another type is what was asked for; without a word it ends, which is told; --rollback brings it back', async () => {
    const { sandbox, next, deploy } = await champion(...LARGE, '--autoscale', '1:4')
    const ended = await deploy(next.id, ...XLARGE)
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(
      ended.stderr,
      /warning: endpoint prestage-waf was scaled from 1 to 4 instances, which ends with their type/,
    )
    assert.deepEqual(ranges(sandbox), [])
    const back = await deploy(next.id, '--rollback')
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual(ranges(sandbox), [[1, 4]])
    const again = await deploy(next.id, ...XLARGE, '--autoscale', '2:5')
    assert.equal(again.code, 0, again.stderr)
    assert.doesNotMatch(again.stderr, /which ends with their type/)
    assert.deepEqual(ranges(sandbox), [[2, 5]])
    assert.deepEqual(sandbox.violations, [])
  })
})

it('two sources, each with a model in service and one on trial, fit into a new account', async () => {
  const { sandbox, next, deploy } = await champion()
  const other = await putRun(sandbox, { artifact: await artifact, source: 'cloudtrail' })
  const later = await putRun(sandbox, { artifact: await artifact, source: 'cloudtrail', to: NEXT })
  for (const { id } of [other, next, later]) {
    const { code, stderr } = await deploy(id)
    assert.equal(code, 0, stderr)
  }
  assert.deepEqual(sandbox.sagemaker.names().endpoints, [NAME, 'prestage-cloudtrail'])
  assert.deepEqual(sandbox.violations, [])
})
