import assert from 'node:assert/strict'
import { afterEach, beforeEach } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import * as runtime from '@aws-sdk/client-sagemaker-runtime'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import { type Sandbox, type SandboxSettings, startSandbox } from './start.ts'

export let sandbox: Sandbox
export let client: sagemaker.SageMakerClient
export let endpoints: runtime.SageMakerRuntimeClient

export const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
export const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1'

export async function start(settings: SandboxSettings = {}): Promise<void> {
  await sandbox?.close()
  sandbox = await startSandbox({ buckets: { ws: {} }, sagemaker: { pace: 'manual' }, ...settings })
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = sandbox.env
  const { region = 'us-east-1' } = settings
  const options = { endpoint: sandbox.url, region, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } }
  client = new sagemaker.SageMakerClient(options)
  endpoints = new runtime.SageMakerRuntimeClient(options)
  sandbox.s3.put('ws', 'run/pairs/train/part-0.csv', accesses(1))
  sandbox.s3.put('ws', 'run/pairs/holdout/part-0.csv', accesses(2))
}

beforeEach(() => start())

afterEach(async () => {
  client.destroy()
  endpoints.destroy()
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

/** First address of the network that an entity comes from. */
export const home = (entity: number): number => (30 + entity) * 2 ** 24 + 77 * 65_536

/** Accesses of a dozen entities, each from a network of its own. */
function accesses(seed: number): string {
  const random = new Random(seed)
  const row = (_: unknown, i: number) => `user_${i % 12},${formatIpv4(home(i % 12) + random.below(250))}\n`
  return Array.from({ length: 1200 }, row).join('')
}

const channel = (ChannelName: string, S3Uri: string): sagemaker.Channel => ({
  ChannelName,
  ContentType: 'text/csv',
  InputMode: 'File',
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri, S3DataDistributionType: 'FullyReplicated' } },
})

export const CHANNELS = [
  channel('train', 's3://ws/run/pairs/train/'),
  channel('validation', 's3://ws/run/pairs/holdout/'),
] as const

export type Training = Partial<sagemaker.CreateTrainingJobCommandInput>

export const trainingInput = (change: Training = {}): sagemaker.CreateTrainingJobCommandInput => ({
  TrainingJobName: 'Job-1',
  RoleArn: ROLE,
  AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
  HyperParameters: {
    num_entity_vectors: '100',
    vector_dim: '8',
    epochs: '12',
    mini_batch_size: '100',
    learning_rate: '0.02',
  },
  InputDataConfig: [...CHANNELS],
  OutputDataConfig: { S3OutputPath: 's3://ws/run/model' },
  ResourceConfig: { InstanceType: 'ml.m5.xlarge', InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 3600 },
  ...change,
})

export const createJob = (change: Training = {}) =>
  client.send(new sagemaker.CreateTrainingJobCommand(trainingInput(change)))

export const job = (TrainingJobName = 'Job-1') =>
  client.send(new sagemaker.DescribeTrainingJobCommand({ TrainingJobName }))

/** Create a job and let it end. @returns its FailureReason, or nothing */
export async function endsAs(status: sagemaker.TrainingJobStatus, change: Training = {}): Promise<string> {
  await createJob(change)
  await sandbox.sagemaker.settle()
  const { TrainingJobStatus, FailureReason = '' } = await job(change.TrainingJobName)
  assert.equal(TrainingJobStatus, status, FailureReason)
  return FailureReason
}

/** Train, and give the model's address. */
export async function trained(change: Training = {}): Promise<string> {
  await createJob(change)
  await sandbox.sagemaker.settle()
  const { ModelArtifacts, FailureReason } = await job(change.TrainingJobName)
  assert.equal(FailureReason, undefined)
  return ModelArtifacts?.S3ModelArtifacts ?? ''
}

export const createModel = (ModelDataUrl: string, change: Partial<sagemaker.CreateModelCommandInput> = {}) =>
  client.send(
    new sagemaker.CreateModelCommand({
      ModelName: 'model-1',
      ExecutionRoleArn: ROLE,
      PrimaryContainer: { Image: IMAGE, ModelDataUrl },
      ...change,
    }),
  )

export const SERVERLESS = { ServerlessConfig: { MemorySizeInMB: 3072, MaxConcurrency: 5 } } as const
export const ON_INSTANCE = { InstanceType: 'ml.m5.large', InitialInstanceCount: 1 } as const

export const createConfig = (
  EndpointConfigName = 'config-1',
  variant: Partial<sagemaker.ProductionVariant> = SERVERLESS,
) =>
  client.send(
    new sagemaker.CreateEndpointConfigCommand({
      EndpointConfigName,
      ProductionVariants: [{ VariantName: 'AllTraffic', ModelName: 'model-1', ...variant }],
    }),
  )

export const createEndpoint = (EndpointName = 'endpoint-1', EndpointConfigName = 'config-1') =>
  client.send(new sagemaker.CreateEndpointCommand({ EndpointName, EndpointConfigName }))

export const endpoint = (EndpointName = 'endpoint-1') =>
  client.send(new sagemaker.DescribeEndpointCommand({ EndpointName }))

/** Train, deploy, and have the endpoint in service. */
export async function deployed(variant: Partial<sagemaker.ProductionVariant> = SERVERLESS): Promise<void> {
  await createModel(await trained())
  await createConfig('config-1', variant)
  await createEndpoint()
  await sandbox.sagemaker.settle()
  const { EndpointStatus, FailureReason } = await endpoint()
  assert.deepEqual([EndpointStatus, FailureReason], ['InService', undefined])
}

export const invoke = async (
  Body: string,
  change: Partial<runtime.InvokeEndpointCommandInput> = {},
): Promise<string> => {
  const command = new runtime.InvokeEndpointCommand({
    EndpointName: 'endpoint-1',
    ContentType: 'text/csv',
    Body,
    ...change,
  })
  const answer = await endpoints.send(command)
  assert.equal(answer.InvokedProductionVariant, 'AllTraffic')
  return Buffer.from(answer.Body).toString()
}

export type Expected = { readonly name: string; readonly status?: number; readonly message: RegExp | string }

/** Assert that a request is refused. */
export const fails = (asked: Promise<unknown>, { name, status = 400, message }: Expected): Promise<void> =>
  assert.rejects(asked, (error: sagemaker.SageMakerServiceException) => {
    assert.equal(error.name, name, String(error))
    assert.equal(error.$metadata.httpStatusCode, status)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })
