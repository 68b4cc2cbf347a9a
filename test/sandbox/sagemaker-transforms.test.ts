import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { unhealthy } from './sagemaker/failures.ts'
import {
  client,
  createConfig,
  createEndpoint,
  createModel,
  fails,
  home,
  invoke,
  ROLE,
  sandbox,
  trained,
} from './sagemaker-client.ts'

type Change = Partial<Omit<sagemaker.CreateTransformJobCommandInput, 'TransformInput' | 'TransformOutput'>> & {
  readonly from?: string
  readonly input?: Partial<sagemaker.TransformInput>
  readonly output?: Partial<sagemaker.TransformOutput>
}

const create = ({ from = 's3://ws/run/score/', input, output, ...change }: Change = {}) =>
  client.send(
    new sagemaker.CreateTransformJobCommand({
      TransformJobName: 'Transform-1',
      ModelName: 'model-1',
      TransformInput: {
        ContentType: 'text/csv',
        SplitType: 'Line',
        DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: from } },
        ...input,
      },
      TransformOutput: { S3OutputPath: 's3://ws/run/scores/', AssembleWith: 'Line', ...output },
      TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
      ...change,
    }),
  )
const job = (TransformJobName = 'Transform-1') =>
  client.send(new sagemaker.DescribeTransformJobCommand({ TransformJobName }))
const stop = (TransformJobName = 'Transform-1') =>
  client.send(new sagemaker.StopTransformJobCommand({ TransformJobName }))

async function endsAs(status: sagemaker.TransformJobStatus, change: Change = {}): Promise<string> {
  await create(change)
  await sandbox.sagemaker.settle()
  const { TransformJobStatus, FailureReason = '' } = await job(change.TransformJobName)
  assert.equal(TransformJobStatus, status, FailureReason)
  return FailureReason
}

const rows = Array.from({ length: 30 }, (_, i) => `user_${i % 12},${formatIpv4(home((i * 7) % 12) + i)}`)
const scores = async (key: string): Promise<number[]> =>
  (await sandbox.s3.get('ws', key))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { dot_product: number }).dot_product)

beforeEach(async () => {
  await createModel(await trained())
  sandbox.s3.put('ws', 'run/score/a.csv', `${rows.slice(0, 20).join('\n')}\n`)
  sandbox.s3.put('ws', 'run/score/sub/b.csv', rows.slice(20).join('\n'))
})

describe('a transform', () => {
  test('answers every object line by line, as the endpoint does', async () => {
    await create()
    assert.equal((await job()).TransformJobStatus, 'InProgress')
    await sandbox.sagemaker.settle()
    const told = await job()
    assert.equal(told.TransformJobStatus, 'Completed')
    assert.equal(told.TransformJobArn, 'arn:aws:sagemaker:us-east-1:111122223333:transform-job/transform-1')
    assert.ok(told.TransformStartTime && told.TransformEndTime)
    assert.deepEqual(sandbox.s3.keys('ws', 'run/scores/'), ['run/scores/a.csv.out', 'run/scores/sub/b.csv.out'])
    const all = [...(await scores('run/scores/a.csv.out')), ...(await scores('run/scores/sub/b.csv.out'))]
    await createConfig()
    await createEndpoint()
    await sandbox.sagemaker.settle()
    const { predictions } = JSON.parse(await invoke(rows.join('\n'))) as { predictions: { dot_product: number }[] }
    assert.deepEqual(
      all,
      predictions.map(({ dot_product }) => dot_product),
    )
  })

  test('asks the container record by record, or by payload', async () => {
    await endsAs('Completed', { BatchStrategy: 'SingleRecord', MaxPayloadInMB: 1 })
    const single = await sandbox.s3.sha256('ws', 'run/scores/a.csv.out')
    await endsAs('Completed', { TransformJobName: 'Transform-2', BatchStrategy: 'MultiRecord' })
    assert.equal(await sandbox.s3.sha256('ws', 'run/scores/a.csv.out'), single)
    await endsAs('Completed', { TransformJobName: 'Transform-3', output: { Accept: 'application/json' } })
    const text = (await sandbox.s3.get('ws', 'run/scores/a.csv.out')).toString()
    assert.equal((JSON.parse(text) as { predictions: unknown[] }).predictions.length, 20)
    assert.ok(text.endsWith('}\n'))
  })

  const places: [from: string, keys: string[]][] = [
    ['s3://ws/run/score/a.csv', ['a.csv.out']],
    ['s3://ws/run/score', ['a.csv.out', 'sub/b.csv.out']],
    ['s3://ws/run/score/su', ['sub/b.csv.out']],
  ]
  for (const [from, keys] of places)
    test(`of ${from} writes ${keys.join(' and ')}`, async () => {
      await endsAs('Completed', { from, output: { S3OutputPath: 's3://ws/run/scores' } })
      assert.deepEqual(
        sandbox.s3.keys('ws', 'run/scores/'),
        keys.map((key) => `run/scores/${key}`),
      )
    })

  test('fails with a record that the container refuses; objects before it are done', async () => {
    sandbox.s3.put('ws', 'run/score/b.csv', 'user_1,1.2.3.4\nuser_1,2001:db8::1\n')
    const reason = await endsAs('Failed')
    assert.match(reason, /^ClientError: See job logs for more information \(run\/score\/b\.csv: 400: line 2: /)
    assert.deepEqual(sandbox.s3.keys('ws', 'run/scores/'), ['run/scores/a.csv.out'])
  })

  test('fails when the model does not start, for lack of rights, or by a failure', async () => {
    const { failures } = sandbox.sagemaker.settings
    failures.push({ ...unhealthy, times: 1 })
    assert.equal(await endsAs('Failed'), unhealthy.reason)
    failures.push({ kind: 'transform', stage: 'Transforming', reason: 'InternalServerError', times: 1 })
    assert.equal(await endsAs('Failed', { TransformJobName: 'Transform-2' }), 'InternalServerError')
    sandbox.s3.deny({ action: 's3:PutObject', principal: ROLE })
    assert.match(await endsAs('Failed', { TransformJobName: 'Transform-3' }), /^ClientError: AccessDenied \(403\): /)
  })

  test('fails with a record larger than a payload', async () => {
    sandbox.s3.put('ws', 'run/score/c.csv', `${'x'.repeat(2 ** 20 + 1)},1.2.3.4`)
    assert.match(await endsAs('Failed', { MaxPayloadInMB: 1 }), /larger than MaxPayloadInMB, 1/)
  })

  test('is stopped', async () => {
    await create()
    await sandbox.sagemaker.advance()
    await stop()
    await stop()
    assert.equal((await job()).TransformJobStatus, 'Stopping')
    await sandbox.sagemaker.settle()
    assert.equal((await job()).TransformJobStatus, 'Stopped')
    assert.deepEqual(sandbox.s3.keys('ws', 'run/scores/'), [])
    await fails(stop(), {
      name: 'ValidationException',
      message: 'The request was rejected because the transform job is in status Stopped.',
    })
  })

  const refused: [what: string, change: Change, name: string, message: RegExp][] = [
    ['of no model', { ModelName: 'none' }, 'ValidationException', /^Could not find model/],
    ['of nothing', { from: 's3://ws/run/none' }, 'ValidationException', /^No S3 objects found under S3 URL/],
    ['to nowhere', { output: { S3OutputPath: 's3://nowhere/x' } }, 'ValidationException', /bucket nowhere/],
    ['in chunks', { MaxPayloadInMB: 0 }, 'ValidationException', /not supported by built-in algorithms/],
    ['in large payloads', { MaxPayloadInMB: 101 }, 'ValidationException', /less than or equal to 100/],
    ['joined', { DataProcessing: { JoinSource: 'Input' } }, 'NotImplemented', /not in this sandbox/],
    [
      'over quota',
      { TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 2 } },
      'ResourceLimitExceeded',
      /'ml.m5.large for transform job usage' is 1/,
    ],
  ]
  for (const [what, change, name, message] of refused)
    test(`${what} is refused`, async () => {
      sandbox.sagemaker.settings.quota = { 'ml.m5.large for transform job usage': 1 }
      await fails(create(change), { name, message, status: name === 'NotImplemented' ? 501 : 400 })
    })

  test('has a name of its own, and is listed', async () => {
    await endsAs('Completed')
    await fails(create(), {
      name: 'ResourceInUse',
      message: /^Transform job names must be unique within an AWS account/,
    })
    await fails(job('none'), { name: 'ValidationException', message: 'Could not find requested job with name: none' })
    const { TransformJobSummaries } = await client.send(new sagemaker.ListTransformJobsCommand({ NameContains: 'Tr' }))
    assert.deepEqual(
      TransformJobSummaries?.map(({ TransformJobName, TransformJobStatus }) => [TransformJobName, TransformJobStatus]),
      [['Transform-1', 'Completed']],
    )
  })
})
