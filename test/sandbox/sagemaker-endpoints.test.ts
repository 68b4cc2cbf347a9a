import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import { noEndpointCapacity, silentRollback, unhealthy } from './sagemaker/failures.ts'
import {
  client,
  createConfig,
  createEndpoint,
  createModel,
  deployed,
  endpoint,
  fails,
  invoke,
  ON_INSTANCE,
  ROLE,
  sandbox,
  start,
  trained,
} from './sagemaker-client.ts'

const PREFIX = 'arn:aws:sagemaker:us-east-1:111122223333'
const invalid = (message: string | RegExp) => ({ name: 'ValidationException', message })
const update = (EndpointConfigName: string, more: Partial<sagemaker.UpdateEndpointCommandInput> = {}) =>
  client.send(new sagemaker.UpdateEndpointCommand({ EndpointName: 'endpoint-1', EndpointConfigName, ...more }))
const remove = (EndpointName = 'endpoint-1') => client.send(new sagemaker.DeleteEndpointCommand({ EndpointName }))
const deleteConfig = (EndpointConfigName: string) =>
  client.send(new sagemaker.DeleteEndpointConfigCommand({ EndpointConfigName }))
const deleteModel = (ModelName: string) => client.send(new sagemaker.DeleteModelCommand({ ModelName }))
const _model = (ModelName = 'model-1') => client.send(new sagemaker.DescribeModelCommand({ ModelName }))
const _config = (EndpointConfigName = 'config-1') =>
  client.send(new sagemaker.DescribeEndpointConfigCommand({ EndpointConfigName }))
const pair = 'user_1,31.77.0.5\n'

/** Status, configuration and reason. */
async function state(): Promise<unknown[]> {
  const { EndpointStatus, EndpointConfigName, FailureReason } = await endpoint()
  return [EndpointStatus, EndpointConfigName, FailureReason]
}

describe('an endpoint', () => {
  beforeEach(async () => {
    await createModel(await trained())
    await createConfig()
  })

  test('is created, found once, and deleted', async () => {
    await createEndpoint()
    assert.deepEqual(await state(), ['Creating', 'config-1', undefined])
    assert.equal((await endpoint()).PendingDeploymentSummary?.EndpointConfigName, 'config-1')
    const arn = `${PREFIX}:endpoint/endpoint-1`
    await fails(createEndpoint(), invalid(`Cannot create already existing endpoint "${arn}".`))
    await fails(update('config-1'), invalid(`Cannot update in-progress endpoint "${arn}".`))
    await sandbox.sagemaker.advance()
    assert.deepEqual(await state(), ['InService', 'config-1', undefined])
    assert.equal((await endpoint()).PendingDeploymentSummary, undefined)
    await remove()
    assert.deepEqual(await state(), ['Deleting', 'config-1', undefined])
    await sandbox.sagemaker.settle()
    for (const asked of [endpoint(), remove(), update('config-1')])
      await fails(asked, invalid(`Could not find endpoint "${arn}".`))
    assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
  })

  test('needs a configuration', async () => {
    await fails(
      createEndpoint('endpoint-1', 'none'),
      invalid(`Could not find endpoint configuration "${PREFIX}:endpoint-config/none".`),
    )
  })

  test('needs quota', async () => {
    sandbox.sagemaker.settings.quota = {
      'ml.m5.large for endpoint usage': 1,
      'Memory size in MB per serverless endpoint': 3072,
      'Maximum total concurrency that can be allocated across all serverless endpoints': 8,
    }
    const limit = (message: RegExp) => ({ name: 'ResourceLimitExceeded', message })
    await createConfig('large', { ServerlessConfig: { MemorySizeInMB: 4096, MaxConcurrency: 1 } })
    await createConfig('instance', ON_INSTANCE)
    await fails(
      createEndpoint('endpoint-1', 'large'),
      limit(
        /^The account-level service limit 'Memory size in MB per serverless endpoint' is 3072 MBs, with current utilization of 0 MBs and a request delta of 4096 MBs\./,
      ),
    )
    await createEndpoint()
    await fails(createEndpoint('endpoint-2'), limit(/all serverless endpoints' is 8 Units, .* utilization of 5 Units/))
    await createEndpoint('endpoint-3', 'instance')
    await fails(createEndpoint('endpoint-4', 'instance'), limit(/'ml.m5.large for endpoint usage' is 1 Instances/))
    await sandbox.sagemaker.settle()
    await createConfig('two', { ...ON_INSTANCE, InitialInstanceCount: 2 })
    await fails(update('two'), limit(/a request delta of 2 Instances/))
    assert.deepEqual(await state(), ['InService', 'config-1', undefined])
  })

  test('has what a new account has when nobody says otherwise', async () => {
    const limit = (message: RegExp) => ({ name: 'ResourceLimitExceeded', message })
    await createConfig('large', { ServerlessConfig: { MemorySizeInMB: 4096, MaxConcurrency: 1 } })
    await fails(createEndpoint('endpoint-1', 'large'), limit(/'Memory size in MB per serverless endpoint' is 3072/))
    for (const name of ['endpoint-1', 'endpoint-2']) await createEndpoint(name)
    await fails(
      createEndpoint('endpoint-3'),
      limit(/all serverless endpoints' is 10 Units, .* utilization of 10 Units/),
    )
  })

  test('does not start with less memory than the container needs', async () => {
    await createConfig('small', { ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 1 } })
    await createEndpoint('endpoint-1', 'small')
    await sandbox.sagemaker.settle()
    assert.deepEqual(await state(), ['Failed', 'small', unhealthy.reason])
  })

  const failures: [what: string, failure: typeof unhealthy][] = [
    ['for lack of capacity', noEndpointCapacity('Creating')],
    ['when the container does not start', unhealthy],
  ]
  for (const [what, failure] of failures)
    test(`fails ${what}, and can only be deleted`, async () => {
      sandbox.sagemaker.settings.failures.push({ ...failure, times: 1 })
      await createEndpoint()
      await sandbox.sagemaker.settle()
      assert.deepEqual(await state(), ['Failed', 'config-1', failure.reason])
      assert.equal((await endpoint()).ProductionVariants, undefined)
      await fails(update('config-1'), invalid(/with status Failed/))
      await remove()
      await sandbox.sagemaker.settle()
      await createEndpoint()
      await sandbox.sagemaker.settle()
      assert.deepEqual(await state(), ['InService', 'config-1', undefined])
    })

  test('fails with a model that IP Insights did not train, that is gone, or may not be read', async () => {
    const cases: [string, () => unknown, RegExp][] = [
      [
        'e-1',
        () => sandbox.s3.put('ws', 'run/model/Job-1/output/model.tar.gz', 'x'),
        /did not pass the ping health check/,
      ],
      ['e-2', () => sandbox.s3.delete('ws', 'run/model/Job-1/output/model.tar.gz'), /Failed to download model data/],
      ['e-3', () => sandbox.s3.deny({ action: 's3:GetObject', principal: ROLE }), /not authorized/],
      ['e-4', () => deleteModel('model-1'), /^Could not find model/],
    ]
    for (const [name, spoil, reason] of cases) {
      await spoil()
      await createEndpoint(name)
      await sandbox.sagemaker.settle()
      const { EndpointStatus, FailureReason = '' } = await endpoint(name)
      assert.equal(EndpointStatus, 'Failed')
      assert.match(FailureReason, reason)
      // A failed one counts, too.
      await remove(name)
      await sandbox.sagemaker.settle()
    }
  })

  test('is listed', async () => {
    await createEndpoint('a-1')
    await sandbox.sagemaker.settle()
    await createEndpoint('b-1')
    const { Endpoints } = await client.send(new sagemaker.ListEndpointsCommand({ StatusEquals: 'InService' }))
    assert.deepEqual(
      Endpoints?.map(({ EndpointName, EndpointArn }) => [EndpointName, EndpointArn]),
      [['a-1', `${PREFIX}:endpoint/a-1`]],
    )
    const { Models } = await client.send(new sagemaker.ListModelsCommand({ NameContains: 'model' }))
    assert.deepEqual(
      Models?.map(({ ModelName }) => ModelName),
      ['model-1'],
    )
    const { EndpointConfigs } = await client.send(new sagemaker.ListEndpointConfigsCommand({}))
    assert.deepEqual(
      EndpointConfigs?.map(({ EndpointConfigName }) => EndpointConfigName),
      ['config-1'],
    )
  })
})

describe('an update', () => {
  beforeEach(async () => {
    await deployed(ON_INSTANCE)
    await trained({
      TrainingJobName: 'Job-2',
      HyperParameters: { num_entity_vectors: '100', vector_dim: '4', epochs: '1' },
    })
    await createModel('s3://ws/run/model/Job-2/output/model.tar.gz', { ModelName: 'model-2' })
    await createConfig('config-2', { ModelName: 'model-2', ...ON_INSTANCE, InitialInstanceCount: 2 })
  })

  test('answers with the old model until the new one is in service', async () => {
    const before = await invoke(pair)
    await update('config-2')
    assert.deepEqual(await state(), ['Updating', 'config-1', undefined])
    assert.equal((await endpoint()).PendingDeploymentSummary?.EndpointConfigName, 'config-2')
    assert.equal(await invoke(pair), before)
    await fails(update('config-2'), invalid(/^Cannot update in-progress endpoint/))
    await fails(remove(), invalid(/^Cannot delete in-progress endpoint/))
    await sandbox.sagemaker.settle()
    assert.deepEqual(await state(), ['InService', 'config-2', undefined])
    assert.equal((await endpoint()).ProductionVariants?.[0]?.CurrentInstanceCount, 2)
    assert.notEqual(await invoke(pair), before)
  })

  test('keeps the number of instances when it is told to', async () => {
    await update('config-2', { RetainAllVariantProperties: true })
    await sandbox.sagemaker.settle()
    assert.equal((await endpoint()).ProductionVariants?.[0]?.CurrentInstanceCount, 1)
  })

  const rollbacks = [
    ['with a reason', noEndpointCapacity('Updating'), noEndpointCapacity('Updating').reason],
    ['without one', silentRollback, undefined],
    ['as the new model does not start', { ...unhealthy, name: 'model-2' }, unhealthy.reason],
  ] as const
  for (const [what, failure, reason] of rollbacks)
    test(`is rolled back ${what}`, async () => {
      const before = await invoke(pair)
      sandbox.sagemaker.settings.failures.push({ ...failure, times: 1 })
      await update('config-2')
      await sandbox.sagemaker.settle()
      assert.deepEqual(await state(), ['InService', 'config-1', reason])
      assert.equal(await invoke(pair), before)
      await update('config-2')
      await sandbox.sagemaker.settle()
      assert.deepEqual(await state(), ['InService', 'config-2', undefined])
    })

  test('can be broken by deleting the old configuration, or its rollback fail', async () => {
    await update('config-2')
    await deleteConfig('config-1')
    await sandbox.sagemaker.settle()
    const [status, , reason] = await state()
    assert.equal(status, 'Failed')
    assert.match(String(reason), /^Could not find endpoint configuration ".*config-1"\.$/)
    await start()
    await deployed()
    await createConfig('config-2')
    sandbox.sagemaker.settings.failures.push({ ...silentRollback, into: 'UpdateRollbackFailed' })
    await update('config-2')
    await sandbox.sagemaker.settle()
    assert.deepEqual(await state(), ['UpdateRollbackFailed', 'config-1', undefined])
  })

  test('has to wait for the system', async () => {
    sandbox.sagemaker.endpoints.all.get('endpoint-1')?.go('SystemUpdating')
    assert.deepEqual(await state(), ['SystemUpdating', 'config-1', undefined])
    await fails(update('config-2'), invalid(/^Cannot update in-progress endpoint/))
    await fails(remove(), invalid(/^Cannot delete in-progress endpoint/))
    await invoke(pair)
  })

  test('makes instances of a serverless endpoint, but not the reverse, nor back', async () => {
    await createConfig('serverless')
    await fails(update('serverless'), invalid(/from instances to serverless inference/))
    await createEndpoint('endpoint-2', 'serverless')
    await sandbox.sagemaker.settle()
    const ofSecond = (EndpointConfigName: string) =>
      client.send(new sagemaker.UpdateEndpointCommand({ EndpointName: 'endpoint-2', EndpointConfigName }))
    await ofSecond('config-2')
    await sandbox.sagemaker.settle()
    assert.equal((await endpoint('endpoint-2')).EndpointConfigName, 'config-2')
    await fails(ofSecond('serverless'), invalid(/from instances to serverless inference/))
  })

  test('needs the new configuration', async () => {
    await fails(update('none'), invalid(/^Could not find endpoint configuration ".*none"\.$/))
  })
})
