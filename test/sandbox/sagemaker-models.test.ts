import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import {
  client,
  createConfig,
  createModel,
  fails,
  IMAGE,
  ON_INSTANCE,
  ROLE,
  SERVERLESS,
  sandbox,
  trained,
} from './sagemaker-client.ts'

const PREFIX = 'arn:aws:sagemaker:us-east-1:111122223333'
const invalid = (message: string | RegExp) => ({ name: 'ValidationException', message })
const deleteConfig = (EndpointConfigName: string) =>
  client.send(new sagemaker.DeleteEndpointConfigCommand({ EndpointConfigName }))
const deleteModel = (ModelName: string) => client.send(new sagemaker.DeleteModelCommand({ ModelName }))
const model = (ModelName = 'model-1') => client.send(new sagemaker.DescribeModelCommand({ ModelName }))
const config = (EndpointConfigName = 'config-1') =>
  client.send(new sagemaker.DescribeEndpointConfigCommand({ EndpointConfigName }))

describe('a model', () => {
  let data = ''
  beforeEach(async () => {
    data = await trained()
  })

  test('is created, told and deleted', async () => {
    await createModel(data, { EnableNetworkIsolation: true })
    const told = await model()
    assert.equal(told.ModelArn, `${PREFIX}:model/model-1`)
    assert.deepEqual(told.PrimaryContainer, { Image: IMAGE, ModelDataUrl: data })
    assert.equal(told.EnableNetworkIsolation, true)
    await fails(createModel(data), invalid(`Cannot create already existing model "${PREFIX}:model/model-1".`))
    await deleteModel('model-1')
    for (const asked of [model(), deleteModel('model-1')])
      await fails(asked, invalid(`Could not find model "${PREFIX}:model/model-1".`))
  })

  const other = IMAGE.replace('us-east-1', 'eu-west-1')
  const cases: [what: string, change: Partial<sagemaker.CreateModelCommandInput>, message: RegExp][] = [
    [
      'without its data',
      { PrimaryContainer: { Image: IMAGE, ModelDataUrl: 's3://ws/none.tar.gz' } },
      /^Could not find model data at s3:\/\/ws\/none\.tar\.gz\.$/,
    ],
    [
      'with an image of another region',
      { PrimaryContainer: { Image: other, ModelDataUrl: 's3://ws/x' } },
      /^Region of ".*eu-west-1.*" does not match expected region of us-east-1\. Cross region ECR image pulls are not allowed\.$/,
    ],
    ['with another image', { PrimaryContainer: { Image: `${IMAGE}0`, ModelDataUrl: 's3://ws/x' } }, /not found/],
    ['without a container', { PrimaryContainer: undefined }, /PrimaryContainer/],
    ['without data', { PrimaryContainer: { Image: IMAGE } }, /ModelDataUrl/],
  ]
  for (const [what, change, message] of cases)
    test(`is refused ${what}`, async () => fails(createModel(data, change), invalid(message)))

  test('is refused when its role may not read it, or it is elsewhere', async () => {
    const message = /^Could not access model data at s3:.*"sts:AssumeRole".*is located in us-east-1\.$/
    const allow = sandbox.s3.deny({ action: 's3:GetObject', principal: ROLE })
    await fails(createModel(data), invalid(message))
    allow()
    sandbox.s3.create('far', { region: 'eu-west-1' })
    sandbox.s3.put('far', 'model.tar.gz', 'x')
    await fails(createModel('s3://far/model.tar.gz'), invalid(message))
  })

  test('is refused by a failure', async () => {
    sandbox.sagemaker.settings.failures.push({ kind: 'model', stage: 'Creating', reason: 'No.', times: 1 })
    await fails(createModel(data), invalid('No.'))
    await createModel(data)
  })
})

describe('an endpoint configuration', () => {
  beforeEach(async () => {
    await createModel(await trained())
  })

  test('is created, told and deleted', async () => {
    await createConfig()
    const told = await config()
    assert.equal(told.EndpointConfigArn, `${PREFIX}:endpoint-config/config-1`)
    assert.deepEqual(told.ProductionVariants, [
      { VariantName: 'AllTraffic', ModelName: 'model-1', InitialVariantWeight: 1, ...SERVERLESS },
    ])
    const arn = `${PREFIX}:endpoint-config/config-1`
    await fails(createConfig(), invalid(`Cannot create already existing endpoint configuration "${arn}".`))
    await deleteConfig('config-1')
    for (const asked of [config(), deleteConfig('config-1')])
      await fails(asked, invalid(`Could not find endpoint configuration "${arn}".`))
  })

  const cases: [what: string, variant: Partial<sagemaker.ProductionVariant>, message: RegExp][] = [
    ['neither instances nor serverless', {}, /^Either ServerlessConfig, or/],
    ['a count without a type', { InitialInstanceCount: 1 }, /^Either ServerlessConfig, or/],
    ['both', { ...SERVERLESS, ...ON_INSTANCE }, /^ServerlessConfig cannot be specified along with/],
    ['an odd memory', { ServerlessConfig: { MemorySizeInMB: 5000, MaxConcurrency: 5 } }, /MemorySizeInMB 5000/],
    [
      'more provisioned than allowed',
      { ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 1, ProvisionedConcurrency: 2 } },
      /ProvisionedConcurrency/,
    ],
    ['no such model', { ModelName: 'none', ...SERVERLESS }, /^Could not find model ".*:model\/none"\.$/],
  ]
  for (const [what, variant, message] of cases)
    test(`is refused with ${what}`, async () => fails(createConfig('config-1', variant), invalid(message)))
})
