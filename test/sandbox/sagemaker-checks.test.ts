import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import { haveModels } from './model/botocore.ts'
import { client, createJob, createModel, fails, invoke, ROLE, sandbox, start, trained } from './sagemaker-client.ts'

const skip = haveModels ? false : 'no service models'

/** What the sandbox found wrong, once. */
const violations = (): string[] => sandbox.violations.splice(0)

describe('what AWS would not take', { skip }, () => {
  const cases: [what: string, ask: () => Promise<unknown>, violation: RegExp][] = [
    [
      'a number for a hyperparameter',
      () => createJob({ HyperParameters: { epochs: 5 as never } }),
      /^CreateTrainingJob request: .*HyperParameters\.epochs is not a string: 5$/,
    ],
    [
      'a local path for the model',
      () => createJob({ OutputDataConfig: { S3OutputPath: '/tmp/model' } }),
      /S3OutputPath "\/tmp\/model" does not match/,
    ],
    [
      'an underscore in a name',
      () => createJob({ TrainingJobName: 'job_1' }),
      /TrainingJobName "job_1" does not match/,
    ],
    [
      'an instance type that is none',
      () => createJob({ ResourceConfig: { InstanceType: 'ml.nope' as never, InstanceCount: 1, VolumeSizeInGB: 1 } }),
      /InstanceType "ml\.nope" is none of/,
    ],
    ['a role that is none', () => createModel('s3://ws/x', { ExecutionRoleArn: `${ROLE}!` }), /ExecutionRoleArn/],
    [
      'an underscore in the name of an endpoint',
      () => invoke('x', { EndpointName: 'a_b' }),
      /^InvokeEndpoint request: .*"a_b" does not match/,
    ],
    [
      'a text for a number',
      () => client.send(new sagemaker.ListModelsCommand({ MaxResults: 'many' as never })),
      /^ListModels request: .*MaxResults is not a number/,
    ],
  ]
  for (const [what, ask, violation] of cases)
    test(`is refused, and told: ${what}`, async () => {
      await fails(ask(), { name: 'InvalidRequest', message: /./ })
      const [found = '', ...more] = violations()
      assert.match(found, violation)
      assert.deepEqual(more, [])
    })
})

describe('what this sandbox does not have', () => {
  test('is told: an operation', async () => {
    await fails(client.send(new sagemaker.ListAppsCommand({})), {
      name: 'NotImplemented',
      status: 501,
      message: 'sagemaker ListApps is not in this sandbox',
    })
    assert.match(violations()[0] ?? '', /ListApps is not in this sandbox/)
  })

  test('is told: another region', async () => {
    await start({ region: 'eu-west-1' })
    client.config.region = async () => 'us-east-1'
    const message = 'this sandbox has SageMaker in eu-west-1 only, not in us-east-1'
    await fails(client.send(new sagemaker.ListModelsCommand({})), { name: 'NotImplemented', status: 501, message })
  })
})

test('the model of a job is nothing that anybody else can open', async () => {
  const { bucket, key } = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.*)$/.exec(await trained())?.groups ?? {}
  const { unpackTar } = await import('modern-tar')
  const { gunzipSync } = await import('node:zlib')
  const members = await unpackTar(gunzipSync(await sandbox.s3.get(bucket ?? '', key ?? '')))
  assert.deepEqual(
    members.map(({ header }) => header.name),
    ['model_algo-1'],
  )
})
