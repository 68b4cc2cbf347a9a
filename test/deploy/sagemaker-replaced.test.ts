import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accesses, artifactOf, putRun, s3World } from '../support/s3-run.ts'

const artifact = artifactOf(accesses(1, 1800))
const NEXT = '2026-11-22T00:00:00.000Z'

describe('another model, killed after', () => {
  const replacing: [operation: string, times: number][] = [
    ['CreateEndpointConfig', 1],
    ['CreateEndpointConfig', 2],
    ['CreateEndpoint', 1],
    ['InvokeEndpoint', 2],
    ['DeleteEndpoint', 1],
    ['UpdateEndpoint', 1],
  ]
  for (const [operation, times] of replacing)
    it(`${operation}, ${times}: the same command ends in one endpoint, the old configuration kept`, async () => {
      const { sandbox, run, step } = await s3World({
        artifact: await artifact,
        sandbox: { sagemaker: { pace: 'poll' } },
      })
      const deploy = step('deploy')
      const first = await deploy(['--yes', '--run', run.id])
      assert.equal(first.code, 0, first.stderr)
      const next = await putRun(sandbox, { artifact: await artifact, to: NEXT })
      sandbox.requests.reset()
      await deploy(['--yes', '--run', next.id], {
        env: sandbox.env,
        killWhen: () => sandbox.requests.of(operation) >= times,
      })
      const { code, stderr, result } = await deploy(['--yes', '--run', next.id])
      assert.equal(code, 0, stderr)
      assert.equal(result.previous, first.result.config, stderr)
      assert.equal(sandbox.requests.of('UpdateEndpoint'), 1)
      const { endpoints, configs } = sandbox.sagemaker.names()
      assert.deepEqual([endpoints, configs], [['prestage-waf'], [first.result.config, result.config]])
      assert.equal(sandbox.sagemaker.endpoints.all.get('prestage-waf')?.config.name, result.config)
      assert.deepEqual(sandbox.violations, [])
    })
})
