import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import type { BucketSettings } from '../sandbox/s3/state.ts'
import { s3Sandbox } from '../support/s3-run.ts'

const ARGS = ['--yes', '--epochs', '8', '--vector-dim', '8', '--mini-batch-size', '100']

async function fixture(change: Parameters<typeof s3Sandbox>[0] = {}) {
  const made = await s3Sandbox(change)
  return { ...made, train: made.step('train') }
}

test('a run in S3 is trained in SageMaker: once, with what the plan says', async () => {
  const { sandbox, run, train, ledger } = await fixture()
  const { code, stderr, result } = await train(ARGS)
  assert.equal(code, 0, stderr)
  const [name = ''] = sandbox.sagemaker.names().trainingJobs
  assert.match(name, /^prestage-waf-20261120T0000Z-20261121T0000Z-[0-9a-f]{6}-[0-9a-f]{6}$/)
  assert.equal(result.model, `s3://org-staging/prestage/runs/${run.id}/model/${name}/output/model.tar.gz`)
  assert.ok(Number(result.auc) > 0.9, String(result.auc))
  assert.deepEqual([result.entities, result.pairs, result.epochs, result.job], [12, 1800, 8, name])
  assert.equal((await ledger()).steps.train.result.model, result.model)
  const job = sandbox.sagemaker.trainingJobs.all.get(name)
  assert.ok(job)
  const { HyperParameters, InputDataConfig, ResourceConfig, StoppingCondition } = job.request
  assert.equal(HyperParameters?.num_entity_vectors, '1000')
  assert.equal(HyperParameters?.epochs, '8')
  // As AWS documents it; the trainer on this machine has another default.
  assert.equal(HyperParameters?.weight_decay, '0.00001')
  assert.deepEqual(
    InputDataConfig?.map(({ ChannelName, ContentType, CompressionType, DataSource }) => [
      ChannelName,
      ContentType,
      CompressionType,
      DataSource?.S3DataSource?.S3Uri,
      DataSource?.S3DataSource?.S3DataDistributionType,
    ]),
    [
      ['train', 'text/csv', undefined, `s3://org-staging/prestage/bulk/${run.id}/pairs/train/`, 'FullyReplicated'],
      [
        'validation',
        'text/csv',
        undefined,
        `s3://org-staging/prestage/bulk/${run.id}/pairs/holdout/`,
        'FullyReplicated',
      ],
    ],
  )
  assert.deepEqual(ResourceConfig, { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 6 })
  assert.deepEqual(StoppingCondition, { MaxRuntimeInSeconds: 3600 })
  assert.deepEqual(sandbox.sagemaker.shared.tags.of(job.arn), {
    'prestage:run': run.id,
    'prestage:workspace': 's3://org-staging/prestage',
  })
  const again = await train(ARGS)
  assert.equal(again.result.repeated, true)
  const other = await train(['--yes', '--vector-dim', '16'])
  assert.equal(other.code, 2)
  assert.match(other.stderr, /train was done with other options: --vector-dim 8/)
  assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)
  const overwritten = await train([...ARGS, '--overwrite'])
  assert.equal(overwritten.result.job, `${name}-2`)
  assert.deepEqual(sandbox.violations, [])
})

test('spot, VPC, key, tags and limits reach the job', async () => {
  const { sandbox, train } = await fixture()
  const key = 'arn:aws:kms:us-east-1:111122223333:key/1234'
  const more = ['--spot', '--subnet', 'subnet-1,subnet-2', '--security-group', 'sg-1', '--kms-key', key]
  const { code, stderr } = await train([
    ...ARGS,
    ...more,
    '--max-runtime',
    '30m',
    '--tag',
    'team=a=b',
    '--instance-type',
    'ml.c5.xlarge',
  ])
  assert.equal(code, 0, stderr)
  const [job] = sandbox.sagemaker.trainingJobs.all.values()
  assert.ok(job)
  assert.deepEqual(job.request.VpcConfig, { Subnets: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] })
  assert.equal(job.request.EnableManagedSpotTraining, true)
  assert.deepEqual(job.request.StoppingCondition, { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 3600 })
  assert.equal(job.request.OutputDataConfig?.KmsKeyId, key)
  assert.equal(job.request.ResourceConfig?.VolumeKmsKeyId, key)
  assert.equal(job.request.ResourceConfig?.InstanceType, 'ml.c5.xlarge')
  assert.equal(sandbox.sagemaker.shared.tags.of(job.arn).team, 'a=b')
  assert.deepEqual(sandbox.violations, [])
})

test('a job that was just created may not be seen at once: it is looked for again', async () => {
  const { sandbox, train } = await fixture({ sandbox: { sagemaker: { unseenFor: 2 } } })
  const { code, stderr } = await train(ARGS)
  assert.equal(code, 0, stderr)
  assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)
  assert.deepEqual(sandbox.violations, [])
})

describe('before anything is sent', () => {
  const refused: [what: string, args: string[], code: number, message: RegExp][] = [
    ['a hyperparameter out of range', ['--yes', '--vector-dim', '3'], 2, /vector-dim.*from 4 to 4096/],
    [
      'no negatives',
      ['--yes', '--random-negative-sampling-rate', '0', '--shuffled-negative-sampling-rate', '0'],
      2,
      /together must be 1 to 500/,
    ],
    ['a model over 8 GB', ['--yes', '--num-entity-vectors', '9000000', '--vector-dim', '256'], 2, /more than 8 GB/],
    ['nobody agrees', [], 3, /needs a confirmation[\s\S]*--max-cost/],
    ['too dear', ['--max-cost', '0.0001'], 3, /would cost about \$0\.0\d+, more than --max-cost/],
    [
      'an instance without a price and no yes',
      ['--max-cost', '5', '--instance-type', 'ml.zz9.large'],
      3,
      /needs a confirmation/,
    ],
    ['an instance of EC2', ['--yes', '--instance-type', 'm5.large'], 2, /"m5\.large" is not a SageMaker instance type/],
    ['a role that is none', ['--yes', '--sagemaker-role', 'me'], 2, /"me" is not the ARN of a role/],
    ['half a VPC', ['--yes', '--subnet', 'subnet-1'], 2, /--subnet and --security-group belong together/],
    ['a long wait for spot', ['--yes', '--spot', '--max-wait', '2h'], 2, /one hour at most/],
    ['a long run on spot', ['--yes', '--spot', '--max-runtime', '2h'], 2, /--max-runtime is longer than --max-wait/],
    ['a wait without spot', ['--yes', '--max-wait', '1h'], 2, /--max-wait belongs to --spot/],
    ['a tag of AWS', ['--yes', '--tag', 'aws:x=y'], 2, /are taken/],
    ['holdout of files', ['--yes', '--holdout', 'x.csv'], 2, /--holdout belongs to --pairs/],
  ]
  for (const [what, args, code, message] of refused)
    it(what, async () => {
      const { sandbox, train } = await fixture()
      const ended = await train(args)
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, message)
      assert.deepEqual([sandbox.requests.of('CreateTrainingJob'), sandbox.violations], [0, []])
    })

  it('dry run: the plan with its cost, and nothing is written', async () => {
    const { sandbox, train, ledger } = await fixture()
    const before = await ledger()
    const { code, stderr, result } = await train([...ARGS, '--dry-run'])
    assert.equal(code, 0, stderr)
    assert.equal(result.image, '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1')
    assert.ok(Number(result.estimatedUsd) > 0 && Number(result.mostUsd) > Number(result.estimatedUsd))
    assert.ok(Math.abs(Number(result.sharingShare) - (1 - Math.exp(-12 / 1000))) < 1e-9)
    const text = await train([...ARGS, '--dry-run', '--output', 'text'])
    assert.match(text.stdout, /vectors +1,000 for 12 entities: about 1\.2 % share theirs/)
    assert.match(
      text.stdout,
      /cost +about \$0\.0\d+ for \d min .*guess.*at most \$0\.\d+ by --max-runtime.*prices of us-east-1 as of 2026/,
    )
    assert.deepEqual(await ledger(), before)
    assert.deepEqual([sandbox.requests.of('CreateTrainingJob'), sandbox.requests.of('PutObject')], [0, 0])
  })

  it('a run whose pairs are all in the holdout', async () => {
    const { sandbox, train } = await fixture({ train: '' })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 1)
    assert.match(stderr, /has no pairs to train on: all of its 600 pairs are in the holdout/)
    assert.deepEqual([sandbox.requests.of('CreateTrainingJob'), sandbox.violations], [0, []])
  })

  it('a region without the algorithm', async () => {
    const { train, sandbox } = await fixture({ sandbox: { region: 'ap-southeast-7' } })
    const { code, stderr } = await train(['--yes'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /SageMaker has no IP Insights in ap-southeast-7\n.*nearest region that has it is ap-southeast-1/,
    )
    assert.deepEqual(sandbox.violations, [])
  })
})

describe('in a bucket that encrypts', () => {
  const KEY = 'arn:aws:kms:us-east-1:111122223333:key/5678'
  const OF_ACCOUNT = 'arn:aws:kms:us-east-1:111122223333:alias/aws/s3'
  const buckets: [what: string, bucket: BucketSettings, key: string | undefined, plan: RegExp][] = [
    [
      'with a key of its own',
      { encryption: { algorithm: 'aws:kms', keyId: KEY } },
      KEY,
      /5678, the key of the bucket$/m,
    ],
    ['with the key of the account', { encryption: { algorithm: 'aws:kms', keyId: OF_ACCOUNT } }, undefined, /aws\/s3/],
  ]
  for (const [what, bucket, key, plan] of buckets)
    it(`${what}: SageMaker is told, for it does not look`, async () => {
      const { sandbox, train } = await fixture({ sandbox: { buckets: { 'org-staging': bucket } } })
      assert.match((await train(['--dry-run', '--output', 'text'])).stdout, plan)
      const { code, stderr, result } = await train(ARGS)
      assert.equal(code, 0, stderr)
      const [job] = sandbox.sagemaker.trainingJobs.all.values()
      assert.equal(job?.request.OutputDataConfig?.KmsKeyId, key)
      assert.equal(job?.request.ResourceConfig?.VolumeKmsKeyId, undefined)
      const { encryption } =
        sandbox.s3.head('org-staging', String(result.model).slice('s3://org-staging/'.length)) ?? {}
      assert.equal(encryption?.keyId, key ?? OF_ACCOUNT)
    })

  it('whoever may not look at that trains all the same', async () => {
    const { sandbox, train } = await fixture({ sandbox: { buckets: { 'org-staging': buckets[0]?.[1] ?? {} } } })
    sandbox.s3.deny({ action: 's3:GetEncryptionConfiguration', resource: 'org-staging' })
    assert.match((await train(['--dry-run', '--output', 'text'])).stdout, /aws\/s3: SageMaker's default/)
  })
})
