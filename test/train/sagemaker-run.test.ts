import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import type { Failure } from '../aws/sagemaker/settings.ts'
import { s3World } from '../support/s3-run.ts'

const ARGS = ['--yes', '--epochs', '8', '--vector-dim', '8', '--mini-batch-size', '100']

async function world(change: Parameters<typeof s3World>[0] = {}) {
  const made = await s3World(change)
  return { ...made, train: made.step('train') }
}

test('a run in S3 is trained in SageMaker: once, with what the plan says', async () => {
  const { sandbox, run, train, ledger } = await world()
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
  assert.deepEqual(
    InputDataConfig?.map(({ ChannelName, ContentType, CompressionType, DataSource }) => [
      ChannelName,
      ContentType,
      CompressionType,
      DataSource?.S3DataSource?.S3Uri,
      DataSource?.S3DataSource?.S3DataDistributionType,
    ]),
    [
      ['train', 'text/csv', undefined, `s3://org-staging/prestage/runs/${run.id}/pairs/train/`, 'FullyReplicated'],
      [
        'validation',
        'text/csv',
        undefined,
        `s3://org-staging/prestage/runs/${run.id}/pairs/holdout/`,
        'FullyReplicated',
      ],
    ],
  )
  assert.deepEqual(ResourceConfig, { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 6 })
  assert.deepEqual(StoppingCondition, { MaxRuntimeInSeconds: 3600 })
  assert.deepEqual(sandbox.sagemaker.world.tags.of(job.arn), {
    'prestage:run': run.id,
    'prestage:workspace': 's3://org-staging/prestage',
  })
  const again = await train(ARGS)
  assert.equal(again.result.repeated, true)
  const other = await train(['--yes', '--vector-dim', '16'])
  assert.equal(other.code, 2)
  assert.match(other.stderr, /train was done with other settings/)
  assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)
  const overwritten = await train([...ARGS, '--overwrite'])
  assert.equal(overwritten.result.job, `${name}-2`)
  assert.deepEqual(sandbox.violations, [])
})

test('spot, VPC, key, tags and limits reach the job', async () => {
  const { sandbox, train } = await world()
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
  assert.equal(sandbox.sagemaker.world.tags.of(job.arn).team, 'a=b')
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
    ['an instance of EC2', ['--yes', '--instance-type', 'm5.large'], 2, /"m5\.large" is no SageMaker instance/],
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
      const { sandbox, train } = await world()
      const ended = await train(args)
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, message)
      assert.deepEqual([sandbox.requests.of('CreateTrainingJob'), sandbox.violations], [0, []])
    })

  it('dry run: the plan with its cost, and nothing is written', async () => {
    const { sandbox, train, ledger } = await world()
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

  it('a region without the algorithm', async () => {
    const { train, sandbox } = await world({ sandbox: { region: 'ap-southeast-7' } })
    const { code, stderr } = await train(['--yes'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /SageMaker has no IP Insights in ap-southeast-7\n.*nearest region that has it is ap-southeast-1/,
    )
    assert.deepEqual(sandbox.violations, [])
  })
})

describe('a job that fails', () => {
  const failures: [what: string, failure: Omit<Failure, 'kind'>, message: RegExp, again: 'another' | 'same'][] = [
    [
      'for want of capacity',
      { stage: 'Starting', reason: 'CapacityError: Unable to provision requested ML compute capacity.' },
      /no such instance free[\s\S]*repeat this later/,
      'another',
    ],
    [
      'inside AWS',
      { stage: 'Training', reason: 'InternalServerError: We encountered an internal error.' },
      /SageMaker itself failed[\s\S]*another attempt/,
      'another',
    ],
    [
      'by its role',
      { stage: 'Downloading', reason: 'ClientError: Data download failed: AccessDenied (403): no' },
      /the role of --sagemaker-role may not[\s\S]*s3:GetObject/,
      'another',
    ],
    [
      'for want of memory',
      { stage: 'Training', reason: 'AlgorithmError: out of memory, exit code: 137' },
      /ran out of memory[\s\S]*larger --instance-type/,
      'same',
    ],
    [
      'without a word',
      { stage: 'Training', reason: '' },
      /does not say why[\s\S]*aws logs tail \/aws\/sagemaker\/TrainingJobs/,
      'same',
    ],
    ['by time', { stage: 'Training', reason: '', into: 'MaxRuntimeExceeded' }, /longer than --max-runtime/, 'same'],
    [
      'by a lost spot instance',
      { stage: 'Training', reason: '', into: 'Interrupted' },
      /spot instance was taken away/,
      'another',
    ],
    [
      'by the wait for one',
      { stage: 'Starting', reason: '', into: 'MaxWaitTimeExceeded' },
      /within --max-wait/,
      'another',
    ],
  ]
  for (const [what, failure, message, again] of failures)
    it(`${what}; then ${again === 'another' ? 'another one is made' : 'it is only explained again'}`, async () => {
      const { sandbox, train } = await world({
        sandbox: { sagemaker: { failures: [{ kind: 'training', times: 1, ...failure }] } },
      })
      const failed = await train(ARGS)
      assert.equal(failed.code, 1, failed.stderr)
      assert.match(failed.stderr, message)
      const second = await train(ARGS)
      assert.equal(second.code, again === 'another' ? 0 : 1, second.stderr)
      if (again === 'same') assert.match(second.stderr, /the same job would fail again/)
      assert.equal(sandbox.sagemaker.trainingJobs.all.size, again === 'another' ? 2 : 1)
      if (again === 'same') assert.equal((await train([...ARGS, '--overwrite'])).code, 0)
      assert.deepEqual(sandbox.violations, [])
    })

  it('for dots in entities', async () => {
    const { sandbox, train } = await world({ train: 'john.doe,1.2.3.4\n'.repeat(50) })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /splits rows at dots[\s\S]*Expected 4 fields in line 1, saw 5[\s\S]*extract again with --overwrite/,
    )
    assert.deepEqual(sandbox.violations, [])
  })

  it('at once, over a quota', async () => {
    const quota = { 'ml.m5.large for training job usage': 0 }
    const { sandbox, train } = await world({ sandbox: { sagemaker: { quota } } })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /over a quota of the account: "ml\.m5\.large for training job usage" is 0[\s\S]*Service Quotas/,
    )
    const other = await train([...ARGS, '--instance-type', 'ml.m5.xlarge'])
    assert.equal(other.code, 0, other.stderr)
    assert.deepEqual(sandbox.violations, [])
  })

  it('at once, for want of the right to pass the role', async () => {
    const { sandbox, train } = await world()
    sandbox.s3.deny({ action: 'iam:PassRole' })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /you may not give SageMaker this role[\s\S]*ask for iam:PassRole/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('at once, without the right to train', async () => {
    const { sandbox, train } = await world()
    sandbox.s3.deny({ action: 'sagemaker:CreateTrainingJob' })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /training job prestage-waf-.*lacks sagemaker:CreateTrainingJob/)
    assert.deepEqual(sandbox.violations, [])
  })
})

describe('interrupted', () => {
  for (const stage of ['Starting', 'Downloading', 'Training', 'Uploading'])
    it(`by Ctrl-C in ${stage}: says how to stop the job, and takes it up again`, async () => {
      const { sandbox, train } = await world({ sandbox: { sagemaker: { hold: { kind: 'training', stage } } } })
      const stopped = await train(ARGS, {
        env: sandbox.env,
        onStderr: (soFar, kill) => {
          if (new RegExp(` ${stage}: `).test(soFar)) kill('SIGINT')
        },
      })
      assert.equal(stopped.code, 130, stopped.stderr)
      const [name = ''] = sandbox.sagemaker.names().trainingJobs
      assert.match(stopped.stderr, new RegExp(`training job ${name} goes on in AWS, and costs money`))
      assert.match(
        stopped.stderr,
        new RegExp(`aws sagemaker stop-training-job --training-job-name ${name} --region us-east-1`),
      )
      sandbox.sagemaker.release()
      const resumed = await train(ARGS.filter((arg) => arg !== '--yes'))
      assert.equal(resumed.code, 0, resumed.stderr)
      assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)
      assert.deepEqual(sandbox.violations, [])
    })

  it('killed after any request, it ends in one job and one model', async () => {
    const { sandbox, train } = await world()
    await train(ARGS)
    const total = sandbox.requests.log().length
    for (let n = 1; n < total; n += 2) {
      const { sandbox, train } = await world({ sandbox: { sagemaker: { pace: 'poll' } } })
      await train(ARGS, { env: sandbox.env, killWhen: () => sandbox.requests.log().length >= n })
      const { code, stderr } = await train(ARGS)
      assert.equal(code, 0, stderr)
      assert.equal(sandbox.sagemaker.trainingJobs.all.size, 1, `killed after ${n} requests`)
      assert.deepEqual(sandbox.violations, [])
    }
  })

  it('a job whose creation was answered into the void is not made twice', async () => {
    const { sandbox, train } = await world()
    sandbox.faults.add({ operation: 'CreateTrainingJob', cut: 'after', times: 1 })
    const { code, stderr } = await train(ARGS)
    assert.equal(code, 0, stderr)
    assert.equal(sandbox.sagemaker.trainingJobs.all.size, 1)
    assert.deepEqual(sandbox.violations, [])
  })
})
