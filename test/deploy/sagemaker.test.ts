import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { parseCalibration } from '../../scripts/lib/insights/calibration.ts'
import { accesses, artifactOf, putRun, s3Sandbox } from '../support/s3-run.ts'

const good = artifactOf(accesses(1, 1800))
/** One that knows nothing of who comes from where. */
const bad = artifactOf(accesses(1, 1800).replace(/user_(\d+)/g, (_, n) => `user_${(Number(n) * 5 + 3) % 12}`))

async function fixture(change: Parameters<typeof s3Sandbox>[0] = {}) {
  const made = await s3Sandbox({ artifact: await good, ...change })
  const file = (run: { id: string }, key: string) =>
    made.sandbox.s3.get('org-staging', `prestage/runs/${run.id}/${key}`)
  return { ...made, deploy: made.step('deploy'), file }
}

const NEXT = '2026-11-22T00:00:00.000Z'

test('a model comes into service, serverless, tested and calibrated; done again nothing happens', async () => {
  const { sandbox, run, deploy, file } = await fixture()
  const { code, stderr, result } = await deploy(['--yes'])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /cost +nothing while idle; \$0\.22 for an hour of answering .*prices of us-east-1/)
  assert.deepEqual([result.endpoint, result.status, result.previous], ['prestage-waf', 'InService', null])
  const calibration = parseCalibration(String(await file(run, 'model/calibration.json')))
  assert.deepEqual([calibration.threshold, calibration.alertsPerDay, calibration.days], [result.threshold, 10, 0.25])
  assert.ok(calibration.auc > 0.9, String(calibration.auc))
  const note = JSON.parse(String(await file(run, 'endpoint/endpoint.json')))
  assert.deepEqual(note, {
    sagemaker: 'prestage-waf',
    region: 'us-east-1',
    config: result.config,
    model: calibration.model,
  })
  const { endpoints, configs, models } = sandbox.sagemaker.names()
  assert.deepEqual([endpoints, configs, models.length], [['prestage-waf'], [result.config], 1])
  const endpoint = sandbox.sagemaker.endpoints.all.get('prestage-waf')
  assert.deepEqual(endpoint?.config.variant.ServerlessConfig, { MemorySizeInMB: 3072, MaxConcurrency: 2 })
  const tags = { 'prestage:run': run.id, 'prestage:workspace': 's3://org-staging/prestage' }
  assert.deepEqual(sandbox.sagemaker.shared.tags.of(endpoint?.arn ?? ''), tags)
  const again = await deploy([])
  assert.equal(again.result.repeated, true, again.stderr)
  assert.equal(sandbox.requests.of('CreateEndpoint'), 1)
  // Only for a plan.
  assert.equal(sandbox.requests.of('ListServiceQuotas'), 1)
  assert.deepEqual(sandbox.violations, [])
})

test('what was just made may not be seen at once: it is looked for again, also by what rests on it', async () => {
  const { sandbox, run, deploy } = await fixture({ sandbox: { sagemaker: { unseenFor: 2 } } })
  const { code, stderr } = await deploy(['--yes', '--run', run.id])
  assert.equal(code, 0, stderr)
  const next = await putRun(sandbox, { artifact: await good, to: NEXT })
  const replaced = await deploy(['--yes', '--run', next.id])
  assert.equal(replaced.code, 0, replaced.stderr)
  assert.deepEqual(sandbox.sagemaker.names().endpoints, ['prestage-waf'])
  assert.deepEqual(sandbox.violations, [])
})

test('a key is for the disks of instances that have none of their own', async () => {
  const key = 'arn:aws:kms:us-east-1:111122223333:key/1234'
  for (const [type, used] of [
    ['ml.m5.large', key],
    ['ml.g5.xlarge', undefined],
  ] as const) {
    const { sandbox, deploy } = await fixture()
    const { code, stderr } = await deploy(['--yes', '--kms-key', key, '--instance-type', type])
    assert.equal(code, 0, stderr)
    const [config] = sandbox.sagemaker.configs.all.values()
    assert.equal(config?.request.KmsKeyId, used, type)
    assert.deepEqual(sandbox.violations, [])
  }
})

describe('a region without serverless endpoints', () => {
  const there = { sandbox: { region: 'eu-south-2' } }

  it('says to name an instance', async () => {
    const { deploy } = await fixture(there)
    const { code, stderr } = await deploy(['--yes'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /Serverless inference is not supported[\s\S]*other regions than eu-south-2: name an --instance-type/,
    )
  })

  it('tries a new model on an instance, too', async () => {
    const { sandbox, run, deploy } = await fixture(there)
    const args = ['--yes', '--instance-type', 'ml.m5.large']
    assert.equal((await deploy([...args, '--run', run.id])).code, 0)
    const next = await putRun(sandbox, { artifact: await good, to: NEXT })
    const { code, stderr } = await deploy([...args, '--run', next.id])
    assert.equal(code, 0, stderr)
    assert.deepEqual(sandbox.sagemaker.names().endpoints, ['prestage-waf'])
    assert.deepEqual(sandbox.violations, [])
  })
})

describe('another model', () => {
  it('that is as good takes the place, which is kept and can be taken back', async () => {
    const { sandbox, run, deploy, file } = await fixture()
    const first = await deploy(['--yes', '--run', run.id])
    const next = await putRun(sandbox, { artifact: await good, to: NEXT })
    const { code, stderr, result } = await deploy(['--yes', '--run', next.id])
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      /compared on the same holdout: new: AUC [01]\.\d+, flags .* of attacks and .*; in service: AUC/,
    )
    assert.equal(result.previous, first.result.config)
    assert.deepEqual(sandbox.sagemaker.names().endpoints, ['prestage-waf'])
    assert.deepEqual(sandbox.sagemaker.names().configs, [first.result.config, result.config])
    const endpoint = sandbox.sagemaker.endpoints.all.get('prestage-waf')
    const owner = () => sandbox.sagemaker.shared.tags.of(endpoint?.arn ?? '')['prestage:run']
    assert.deepEqual([endpoint?.config.name, owner()], [result.config, next.id])
    const wanted = await deploy(['--run', next.id, '--rollback', '--dry-run'])
    assert.deepEqual([wanted.code, endpoint?.config.name], [0, result.config])
    const back = await deploy(['--run', next.id, '--rollback'])
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual([endpoint?.config.name, owner()], [first.result.config, run.id])
    await assert.rejects(file(next, 'endpoint/endpoint.json'))
    assert.equal((await deploy(['--run', next.id, '--rollback'])).code, 0)
    const nothing = await deploy(['--run', run.id, '--rollback'])
    assert.equal(nothing.code, 1)
    assert.match(nothing.stderr, /nothing was in service at prestage-waf before it/)
    assert.ok(endpoint)
    endpoint.config = { ...endpoint.config, name: 'another' }
    const late = await deploy(['--run', next.id, '--rollback'])
    assert.match(late.stderr, /prestage-waf serves another, which another run brought into service/)
    assert.deepEqual([late.code, endpoint.config.name], [1, 'another'])
    assert.deepEqual(sandbox.violations, [])
  })

  it('that is worse is refused, and its trial leaves nothing; --force deploys it', async () => {
    const { sandbox, run, deploy } = await fixture()
    const first = await deploy(['--yes', '--run', run.id])
    const next = await putRun(sandbox, { artifact: await bad, to: NEXT })
    const refused = await deploy(['--yes', '--run', next.id])
    assert.equal(refused.code, 1, refused.stderr)
    assert.match(
      refused.stderr,
      /the new model is worse than the one in service on the same holdout: new: AUC 0\.[0-8]/,
    )
    assert.match(refused.stderr, /prestage-waf serves the same model as before\n.*--force deploys it anyway/)
    const { endpoints, configs } = sandbox.sagemaker.names()
    assert.deepEqual(configs, [first.result.config])
    const inService = () => sandbox.sagemaker.endpoints.all.get('prestage-waf')?.config.name
    assert.deepEqual([endpoints, inService()], [['prestage-waf'], first.result.config])
    const forced = await deploy(['--yes', '--run', next.id, '--force'])
    assert.equal(forced.code, 0, forced.stderr)
    assert.match(forced.stderr, /warning: the new model is worse/)
    assert.equal(inService(), forced.result.config)
    assert.deepEqual(sandbox.violations, [])
  })

  it('whose update SageMaker takes back without a word is reported', async () => {
    const { sandbox, run, deploy } = await fixture({
      sandbox: { sagemaker: { failures: [{ kind: 'endpoint', stage: 'Updating', reason: '', name: 'prestage-waf' }] } },
    })
    const first = await deploy(['--yes', '--run', run.id])
    const next = await putRun(sandbox, { artifact: await good, to: NEXT })
    const { code, stderr } = await deploy(['--yes', '--run', next.id])
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(`the update failed: SageMaker does not say why; SageMaker went back to ${first.result.config}`),
    )
    assert.deepEqual(sandbox.violations, [])
  })
})

test('on instances, scaled; --delete-after deletes it at Ctrl-C', async () => {
  const { sandbox, run, deploy, file } = await fixture()
  const args = [
    '--yes',
    '--instance-type',
    'ml.m5.large',
    '--autoscale',
    '1:3',
    '--delete-after',
    '8h',
    '--endpoint',
    'mine',
  ]
  let note: Record<string, unknown> = {}
  let ranges: unknown[] = []
  const { code, stderr } = await deploy(args, {
    env: sandbox.env,
    onStderr: (soFar, kill) => {
      if (!soFar.includes('is deleted at') || note.until !== undefined) return
      note = { until: 'asked' }
      ranges = [...sandbox.sagemaker.scaling.targets.values()].map((target) => [target.MinCapacity, target.MaxCapacity])
      file(run, 'endpoint/endpoint.json').then((text) => {
        note = JSON.parse(String(text))
        kill('SIGINT')
      }, assert.ifError)
    },
  })
  assert.equal(code, 130, stderr)
  assert.match(stderr, /stays +8 h 0 min, then it is deleted/)
  assert.match(stderr, /cost +\$0\.12 an hour, \$88\.35 a month, used or not/)
  assert.match(String(note.until), /^20\d\d-/)
  assert.match(stderr, /endpoint mine is deleted at .*in 8 h 0 min, or at once on Ctrl-C/)
  assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
  assert.equal(sandbox.requests.of('RegisterScalableTarget'), 1)
  assert.deepEqual(ranges, [[1, 3]])
  assert.equal(sandbox.sagemaker.scaling.targets.size, 0)
  assert.match(JSON.parse(String(await file(run, 'endpoint/endpoint.json'))).ended, /^20\d\d-/)

  // What had its time is not made again, unless that is asked for.
  const again = await deploy(args.slice(1))
  assert.equal(again.code, 0, again.stderr)
  assert.match(again.stderr, /endpoint mine was deleted after its time, .* UTC: --overwrite deploys it again/)
  assert.deepEqual([again.result.status, again.result.repeated], ['Deleted', true])
  assert.equal(sandbox.requests.of('CreateEndpoint'), 1)
  const larger = args.slice(1).map((arg) => (arg === '1:3' ? '2:3' : arg))
  for (const anything of [[...args.slice(1), '--overwrite'], larger]) {
    const anew = await deploy(anything)
    assert.equal(anew.code, 3, anew.stderr)
    assert.match(anew.stderr, /deploy to mine needs a confirmation/)
  }
  const kept = await deploy(args.slice(1).filter((arg) => arg !== '--delete-after' && arg !== '8h'))
  assert.equal(kept.code, 3, kept.stderr)
  assert.deepEqual(sandbox.violations, [])
})

describe('before anything is made', () => {
  const refused: [what: string, args: string[], code: number, message: RegExp][] = [
    ['nobody agrees', [], 3, /deploy to prestage-waf needs a confirmation/],
    [
      'two kinds of hardware',
      ['--yes', '--memory', '2048', '--instance-type', 'ml.m5.large'],
      2,
      /--memory is for serverless/,
    ],
    [
      'requests at once of instances',
      ['--yes', '--max-concurrency', '2', '--instance-type', 'ml.m5.large'],
      2,
      /--max-concurrency is for serverless/,
    ],
    ['memory that no endpoint has', ['--yes', '--memory', '1500'], 2, /--memory 1500: .* 1024, 2048, 3072/],
    ['scaling without instances', ['--yes', '--autoscale', '1:2'], 2, /need --instance-type/],
    ['a range upside down', ['--yes', '--autoscale', '3:2'], 2, /must be MIN:MAX/],
    ['a VPC without instances', ['--yes', '--subnet', 'subnet-1', '--security-group', 'sg-1'], 2, /cannot be in a VPC/],
    ['a name that is none', ['--yes', '--endpoint', 'a_b'], 2, /"a_b" cannot be a name/],
    ['a rollback of nothing', ['--rollback'], 1, /has no finished deploy/],
  ]
  for (const [what, args, code, message] of refused)
    it(what, async () => {
      const { sandbox, deploy } = await fixture()
      const ended = await deploy(args)
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, message)
      assert.deepEqual([sandbox.sagemaker.names().configs, sandbox.violations], [[], []])
    })

  it('dry run', async () => {
    const { sandbox, deploy } = await fixture()
    const { code, stderr, result } = await deploy(['--dry-run', '--instance-type', 'ml.m5.large'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      [result.hourlyUsd, result.inService, result.instanceType],
      [0.115 + 30 * (0.14 / 730), null, 'ml.m5.large'],
    )
    const many = await deploy(['--dry-run', '--max-concurrency', '12'])
    assert.match(many.stderr, /warning: 12 requests at once are more than the 10/)
    assert.deepEqual([sandbox.sagemaker.names().models, sandbox.requests.of('PutObject')], [[], 0])
  })
})
