import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import {
  CHANNELS,
  client,
  createJob,
  fails,
  job,
  ROLE,
  sandbox,
  start,
  type Training,
  trained,
  trainingInput,
} from './sagemaker-client.ts'

const [train] = CHANNELS
const stop = (TrainingJobName = 'Job-1') => client.send(new sagemaker.StopTrainingJobCommand({ TrainingJobName }))

describe('CreateTrainingJob refuses', () => {
  const cases: [what: string, change: Training, message: RegExp][] = [
    [
      'an image of another region',
      {
        AlgorithmSpecification: {
          TrainingImage: '438346466558.dkr.ecr.eu-west-1.amazonaws.com/ipinsights:1',
          TrainingInputMode: 'File',
        },
      },
      /^Invalid DNS suffix 'amazonaws.com' for region 'eu-west-1' in training image\. .*'us-east-1.amazonaws.com'$/,
    ],
    [
      'another tag of the image',
      {
        AlgorithmSpecification: {
          TrainingImage: '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:latest',
          TrainingInputMode: 'File',
        },
      },
      /^Cannot find the image .*ipinsights:latest/,
    ],
    ['a job without an algorithm', { AlgorithmSpecification: undefined }, /AlgorithmSpecification/],
    ['no channels', { InputDataConfig: undefined }, /at least one channel/],
    ['a channel twice', { InputDataConfig: [train, train] }, /Channel names must be unique/],
    ['gzip in File mode', { InputDataConfig: [{ ...train, CompressionType: 'Gzip' }] }, /only possible with Pipe/],
    [
      'a prefix without objects',
      {
        InputDataConfig: [
          { ...train, DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://ws/run/none/' } } },
        ],
      },
      /^No S3 objects found under S3 URL "s3:\/\/ws\/run\/none\/" given in input data source\. .*\(us-east-1\).*"s3:ListBucket" permissions on bucket "ws"/,
    ],
    [
      'a missing bucket',
      {
        InputDataConfig: [
          { ...train, DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://nowhere/run/' } } },
        ],
      },
      /Error message from S3: The specified bucket does not exist$/,
    ],
    ['a missing bucket for the model', { OutputDataConfig: { S3OutputPath: 's3://nowhere/run' } }, /bucket nowhere/],
    ['no instances', { ResourceConfig: undefined }, /ResourceConfig/],
    [
      'spot without a longest wait',
      { EnableManagedSpotTraining: true },
      /^Invalid MaxWaitTimeInSeconds\. It must be present and be greater than or equal to MaxRuntimeInSeconds$/,
    ],
    [
      'a wait shorter than the run',
      {
        EnableManagedSpotTraining: true,
        StoppingCondition: { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 1000 },
      },
      /greater than or equal to MaxRuntimeInSeconds/,
    ],
    [
      'a wait of more than an hour',
      {
        EnableManagedSpotTraining: true,
        StoppingCondition: { MaxRuntimeInSeconds: 3600, MaxWaitTimeInSeconds: 3601 },
      },
      /at most 3600/,
    ],
    [
      'a wait without spot',
      { StoppingCondition: { MaxRuntimeInSeconds: 3600, MaxWaitTimeInSeconds: 3600 } },
      /EnableManagedSpotTraining/,
    ],
  ]
  for (const [what, change, message] of cases)
    test(what, async () => {
      await fails(createJob(change), { name: 'ValidationException', message })
      assert.deepEqual(sandbox.sagemaker.names().trainingJobs, [])
    })

  test('a name that was used before', async () => {
    await createJob()
    await sandbox.sagemaker.settle()
    await fails(createJob(), {
      name: 'ResourceInUse',
      message:
        'Training job names must be unique within an AWS account and region, and a job with this name already exists (arn:aws:sagemaker:us-east-1:111122223333:training-job/job-1)',
    })
  })

  test('a role that may not be given, or is of another account', async () => {
    await fails(createJob({ RoleArn: 'arn:aws:iam::444455556666:role/other' }), {
      name: 'AccessDeniedException',
      message: 'Cross-account pass role is not allowed.',
    })
    sandbox.s3.deny({ action: 'iam:PassRole', resource: ROLE })
    await fails(createJob(), { name: 'AccessDeniedException', message: /not authorized to perform: iam:PassRole/ })
  })

  test('a caller who may not', async () => {
    const allow = sandbox.s3.deny({ action: 'sagemaker:CreateTrainingJob' })
    await fails(createJob(), { name: 'AccessDeniedException', message: /sagemaker:CreateTrainingJob/ })
    allow()
    await createJob()
  })

  test('a role that may not list', async () => {
    sandbox.s3.deny({ action: 's3:ListBucket', principal: ROLE })
    await fails(createJob(), { name: 'ValidationException', message: /No S3 objects found.*not authorized/ })
  })

  test('more instances than the quota has', async () => {
    sandbox.sagemaker.settings.quota = {
      'ml.p3.2xlarge for training job usage': 0,
      'ml.m5.xlarge for spot training job usage': 1,
    }
    const message =
      "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances, with current utilization of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota."
    await fails(
      createJob({ ResourceConfig: { InstanceType: 'ml.p3.2xlarge', InstanceCount: 1, VolumeSizeInGB: 10 } }),
      { name: 'ResourceLimitExceeded', message },
    )
    const spot = {
      EnableManagedSpotTraining: true,
      StoppingCondition: { MaxWaitTimeInSeconds: 3600, MaxRuntimeInSeconds: 3600 },
    }
    await createJob(spot)
    await fails(createJob({ ...spot, TrainingJobName: 'Job-2' }), {
      name: 'ResourceLimitExceeded',
      message: /current utilization of 1 Instances and a request delta of 1/,
    })
    await createJob({ TrainingJobName: 'Job-3' })
    await sandbox.sagemaker.settle()
    await createJob({ ...spot, TrainingJobName: 'Job-4' })
  })
})

describe('a training job', () => {
  test('is found, or not', async () => {
    const missing = { name: 'ValidationException', message: 'Requested resource not found.' }
    await fails(job('none'), missing)
    await fails(stop('none'), missing)
  })

  test('tells what was asked', async () => {
    const asked = trainingInput({
      Tags: [{ Key: 'prestage:run', Value: 'r1' }],
      EnableManagedSpotTraining: true,
      StoppingCondition: { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 3600 },
      VpcConfig: { SecurityGroupIds: ['sg-1'], Subnets: ['subnet-1'] },
      OutputDataConfig: { S3OutputPath: 's3://ws/run/model/', KmsKeyId: 'alias/ws' },
    })
    await createJob(asked)
    await sandbox.sagemaker.settle()
    const told = await job()
    const { Tags: _, ...rest } = asked
    for (const [name, value] of Object.entries(rest))
      assert.deepEqual(told[name as keyof sagemaker.DescribeTrainingJobCommandOutput], value, name)
    const { encryption } = sandbox.s3.head('ws', 'run/model/Job-1/output/model.tar.gz') ?? {}
    assert.equal(encryption?.keyId, 'arn:aws:kms:us-east-1:111122223333:alias/ws')
  })

  test('encrypts the model with the key of the account for S3, where none is named', async () => {
    await trained()
    const { encryption } = sandbox.s3.head('ws', 'run/model/Job-1/output/model.tar.gz') ?? {}
    assert.deepEqual(encryption, { algorithm: 'aws:kms', keyId: 'arn:aws:kms:us-east-1:111122223333:alias/aws/s3' })
  })

  test('gives the same model for the same pairs', async () => {
    await trained()
    await trained({ TrainingJobName: 'Job-2', InputDataConfig: [train] })
    const [one, two] = ['Job-1', 'Job-2'].map((name) => `run/model/${name}/output/model.tar.gz`)
    assert.equal(await sandbox.s3.sha256('ws', one ?? ''), await sandbox.s3.sha256('ws', two ?? ''))
    assert.equal((await job('Job-2')).FinalMetricDataList, undefined)
  })

  test('goes by itself, by polls, or waits where it is held', async () => {
    const { settings } = sandbox.sagemaker
    const until = async (name: string, ...states: string[]) => {
      for (;;) {
        const { SecondaryStatus = '' } = await job(name)
        if (states.includes(SecondaryStatus)) return SecondaryStatus
        await new Promise(setImmediate)
      }
    }
    settings.pace = 'instant'
    await createJob()
    await until('Job-1', 'Completed')
    settings.pace = 'poll'
    await createJob({ TrainingJobName: 'Job-2' })
    assert.equal((await job('Job-2')).SecondaryStatus, 'Starting')
    assert.equal((await job('Job-2')).SecondaryStatus, 'Downloading')
    await until('Job-2', 'Completed')
    settings.pace = 1
    settings.hold = { kind: 'training', stage: 'Training' }
    await createJob({ TrainingJobName: 'Job-3' })
    await until('Job-3', 'Training')
    await sandbox.sagemaker.settle()
    assert.equal((await job('Job-3')).SecondaryStatus, 'Training')
    sandbox.sagemaker.release()
    await until('Job-3', 'Completed')
  })

  test('is listed, latest first, in pages', async () => {
    for (const name of ['a-1', 'b-1', 'a-2']) await createJob({ TrainingJobName: name })
    await sandbox.sagemaker.settle('b-1')
    const list = async (input: sagemaker.ListTrainingJobsCommandInput) => {
      const { TrainingJobSummaries, NextToken } = await client.send(new sagemaker.ListTrainingJobsCommand(input))
      return [TrainingJobSummaries?.map(({ TrainingJobName }) => TrainingJobName), NextToken]
    }
    assert.deepEqual(await list({}), [['a-2', 'b-1', 'a-1'], undefined])
    assert.deepEqual(await list({ NameContains: 'A-', SortBy: 'Name' }), [['a-1', 'a-2'], undefined])
    assert.deepEqual(await list({ StatusEquals: 'Completed' }), [['b-1'], undefined])
    assert.deepEqual(await list({ CreationTimeAfter: new Date(Date.now() + 60_000) }), [[], undefined])
    const [page, NextToken] = await list({ MaxResults: 2, SortOrder: 'Ascending' })
    assert.deepEqual(page, ['a-1', 'b-1'])
    assert.deepEqual(await list({ MaxResults: 2, SortOrder: 'Ascending', NextToken: String(NextToken) }), [
      ['a-2'],
      undefined,
    ])
  })

  test('trains in any region with the image of the region', async () => {
    await start({ region: 'cn-north-1' })
    const image = '390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/ipinsights:1'
    await createJob({ AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' } })
    assert.equal((await job()).TrainingJobArn, 'arn:aws-cn:sagemaker:cn-north-1:111122223333:training-job/job-1')
  })
})
