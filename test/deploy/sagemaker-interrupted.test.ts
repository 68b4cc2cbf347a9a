import assert from 'node:assert/strict'
import { it } from 'node:test'
import { accesses, artifactOf, s3Sandbox } from '../support/s3-run.ts'

const artifact = artifactOf(accesses(1, 1800))

it('Ctrl-C while an endpoint is created says what stays, what it costs and how it ends', async () => {
  const { sandbox, step } = await s3Sandbox({
    artifact: await artifact,
    sandbox: { sagemaker: { hold: { kind: 'endpoint', stage: 'Creating' } } },
  })
  const deploy = step('deploy')
  const stopped = await deploy(['--yes'], {
    env: sandbox.env,
    onStderr: (soFar, kill) => {
      if (soFar.includes('endpoint prestage-waf Creating')) kill('SIGINT')
    },
  })
  assert.equal(stopped.code, 130, stopped.stderr)
  assert.match(
    stopped.stderr,
    /endpoint prestage-waf is Creating in AWS, and costs nothing while idle[\s\S]*aws sagemaker delete-endpoint --endpoint-name prestage-waf --region us-east-1/,
  )
  sandbox.sagemaker.release()
  const { code, stderr } = await deploy(['--yes'])
  assert.equal(code, 0, stderr)
  assert.equal(sandbox.requests.of('CreateEndpoint'), 1)
  assert.deepEqual(sandbox.violations, [])
})

it('an endpoint that prestage did not make is left alone', async () => {
  const { sandbox, step } = await s3Sandbox({ artifact: await artifact })
  const deploy = step('deploy')
  assert.equal((await deploy(['--yes'])).code, 0)
  const endpoint = sandbox.sagemaker.endpoints.all.get('prestage-waf')
  sandbox.sagemaker.shared.tags.delete({
    ResourceArn: endpoint?.arn ?? '',
    TagKeys: ['prestage:run', 'prestage:workspace'],
  })
  const { code, stderr } = await deploy(['--yes', '--overwrite'])
  assert.equal(code, 1)
  assert.match(stderr, /endpoint prestage-waf exists, and prestage did not make it\n.*name another --endpoint/)
  assert.equal(endpoint?.status, 'InService')
  assert.deepEqual(sandbox.violations, [])
})
