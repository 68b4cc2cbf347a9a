import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import * as scaling from '@aws-sdk/client-application-auto-scaling'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import { client, createConfig, deployed, fails, ON_INSTANCE, SERVERLESS, sandbox } from './sagemaker-client.ts'

let scaler: scaling.ApplicationAutoScalingClient

const TARGET = {
  ServiceNamespace: 'sagemaker',
  ResourceId: 'endpoint/endpoint-1/variant/AllTraffic',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
} as const
const register = (change: Partial<scaling.RegisterScalableTargetCommandInput> = {}) =>
  scaler.send(new scaling.RegisterScalableTargetCommand({ ...TARGET, MinCapacity: 1, MaxCapacity: 3, ...change }))
const deregister = () => scaler.send(new scaling.DeregisterScalableTargetCommand(TARGET))
const targets = async () =>
  (await scaler.send(new scaling.DescribeScalableTargetsCommand({ ServiceNamespace: 'sagemaker' }))).ScalableTargets
const putPolicy = () =>
  scaler.send(
    new scaling.PutScalingPolicyCommand({
      ...TARGET,
      PolicyName: 'invocations',
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 100,
        PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      },
    }),
  )
const policies = async () =>
  (
    await scaler.send(
      new scaling.DescribeScalingPoliciesCommand({ ServiceNamespace: 'sagemaker', ResourceId: TARGET.ResourceId }),
    )
  ).ScalingPolicies?.map(({ PolicyName }) => PolicyName)

beforeEach(() => {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = sandbox.env
  const credentials = { accessKeyId, secretAccessKey }
  scaler = new scaling.ApplicationAutoScalingClient({
    endpoint: sandbox.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials,
  })
})

afterEach(() => scaler.destroy())

describe('a variant on instances', () => {
  test('is scaled by a target and a policy', async () => {
    await deployed(ON_INSTANCE)
    await register()
    await register({ MaxCapacity: 5, MinCapacity: undefined })
    const [target, ...none] = (await targets()) ?? []
    assert.deepEqual([target?.MinCapacity, target?.MaxCapacity, target?.ResourceId], [1, 5, TARGET.ResourceId])
    assert.deepEqual(none, [])
    const { PolicyARN } = await putPolicy()
    assert.match(
      PolicyARN ?? '',
      /resource\/sagemaker\/endpoint\/endpoint-1\/variant\/AllTraffic:policyName\/invocations$/,
    )
    assert.deepEqual(await policies(), ['invocations'])
    await scaler.send(new scaling.DeleteScalingPolicyCommand({ ...TARGET, PolicyName: 'invocations' }))
    assert.deepEqual(await policies(), [])
    await putPolicy()
    await deregister()
    assert.deepEqual([await targets(), await policies()], [[], []])
  })

  test('keeps its instances while it is scaled', async () => {
    await deployed(ON_INSTANCE)
    await register()
    await createConfig('config-2', { ...ON_INSTANCE, InstanceType: 'ml.m5.xlarge' })
    const update = () =>
      client.send(new sagemaker.UpdateEndpointCommand({ EndpointName: 'endpoint-1', EndpointConfigName: 'config-2' }))
    await fails(update(), {
      name: 'ValidationException',
      message:
        'The variant(s) "AllTraffic" must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type updated.',
    })
    await deregister()
    await update()
  })
})

describe('a target', () => {
  test('is a variant on instances', async () => {
    await deployed(SERVERLESS)
    const refused = { name: 'ValidationException', message: /^No variant on instances was found for endpoint\// }
    await fails(register(), refused)
    await fails(register({ ResourceId: 'endpoint/none/variant/AllTraffic' }), refused)
  })

  test('has a smaller minimum than maximum', async () => {
    await deployed(ON_INSTANCE)
    await fails(register({ MinCapacity: 4 }), { name: 'ValidationException', message: /^Minimum capacity cannot/ })
    await fails(register({ MaxCapacity: undefined }), { name: 'ValidationException', message: /are required/ })
  })

  test('has to be there', async () => {
    const missing = {
      name: 'ObjectNotFoundException',
      message: /^No scalable target found for service namespace: sagem/,
    }
    await fails(putPolicy(), missing)
    await fails(deregister(), missing)
    const deletion = scaler.send(new scaling.DeleteScalingPolicyCommand({ ...TARGET, PolicyName: 'none' }))
    await fails(deletion, { ...missing, message: /^No scaling policy found/ })
  })
})
