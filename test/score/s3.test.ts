import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parseCalibration } from '../../scripts/lib/insights/calibration.ts'
import { BUCKET, ROLE } from '../support/run-in-s3.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { fixture } from './s3-sandbox.ts'

const keyOf = (uri: string): string => uri.replace(`s3://${BUCKET}/`, '')
const FAST = { sagemaker: { pace: 'instant' } } as const

/** Scores in this process, of the twin on this machine. */
async function scoredHere(workspace: string) {
  const { code, stdout, stderr } = await runScript('score', ['--workspace', workspace, '--output', 'json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

describe('a run in S3, through its endpoint', () => {
  test('the same verdicts as on this machine, byte for byte; only known entities are sent', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    const result = await aws.done('score')
    const here = await scoredHere(aws.workspace)
    assert.equal(result.digest, here.digest)
    assert.deepEqual([result.unseen, result.sparse, result.flagged], [here.unseen, here.sparse, here.flagged])
    assert.deepEqual(result.by, { via: 'endpoint', endpoint: 'prestage-endpoint', region: 'us-east-1' })
    assert.equal(result.output, `s3://${BUCKET}/${aws.at('scores/holdout/verdicts.ndjson')}`)
    assert.equal(await aws.text('scores/holdout/verdicts.ndjson'), readFileSync(String(here.output), 'utf8'))
    assert.equal(await aws.text('scores/holdout/anomalies.csv'), readFileSync(String(here.anomalies), 'utf8'))
    assert.equal(aws.sandbox.requests.of('InvokeEndpoint'), 1)
    assert.equal((await aws.done('score')).repeated, true)
    assert.equal(aws.sandbox.requests.of('InvokeEndpoint'), 1)
  })

  test('entities.csv decides who is known', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    const known = ((await aws.text('entities.csv')) ?? '')
      .replace(/^agent-5,\d+/m, 'agent-5,3')
      .replace(/^agent-6,.*\n/m, '')
    aws.sandbox.s3.put(BUCKET, aws.at('entities.csv'), known)
    await aws.done('score')
    const verdicts = await aws.verdicts()
    const kinds = (entity: string) => new Set(verdicts.filter((v) => v.entity === entity).map(({ verdict }) => verdict))
    assert.deepEqual([...kinds('agent-5'), ...kinds('agent-6')], ['sparse-entity', 'unseen-entity'])
    aws.sandbox.s3.put(BUCKET, aws.at('entities.csv'), 'a,3,1\nagent\n')
    const { stderr, code } = await aws.script('score', ['--overwrite'])
    assert.equal(code, 1)
    assert.match(stderr, /entities\.csv:2 is no entity: "agent"/)
  })

  test('without a calibration one is made through the endpoint, and kept', async () => {
    const aws = await fixture(FAST)
    await aws.deploy()
    const result = await aws.done('score')
    const made = parseCalibration((await aws.text('model/calibration.json')) ?? '')
    const here = parseCalibration(readFileSync(aws.local.path('model/calibration.json'), 'utf8'))
    assert.deepEqual(made, here)
    assert.equal(result.digest, (await scoredHere(aws.workspace)).digest)
  })

  test('an endpoint that now has another model is refused; by name, too', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const other = `s3://${BUCKET}/${aws.at('model/other/model.tar.gz')}`
    aws.sandbox.s3.put(BUCKET, aws.at('model/other/model.tar.gz'), await aws.sandbox.s3.get(BUCKET, keyOf(aws.model)))
    await aws.deploy({ name: 'taken', model: other, noted: false })
    await aws.deploy({ name: 'mine', noted: false })
    const { stderr, code } = await aws.script('score', ['--endpoint', 'taken'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /endpoint taken serves another model \(s3:\/\/\S+other\/model\.tar\.gz\) than the one of this run/,
    )
    assert.match(stderr, /a threshold does not carry over/)
    assert.equal(aws.sandbox.requests.of('InvokeEndpoint'), 0)
    const result = await aws.done('score', ['--endpoint', 'mine'])
    assert.deepEqual(result.by, { via: 'endpoint', endpoint: 'mine', region: 'us-east-1' })
  })

  test('no endpoint: what to do', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const missing = await aws.script('score')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /run \S+ has no endpoint/)
    assert.match(
      missing.stderr,
      /deploy\.mjs --run \S+ --workspace s3:\/\/org-staging\/prestage; or score without one: --via transform/,
    )
    await aws.deploy()
    aws.sandbox.sagemaker.endpoints.all.delete('prestage-endpoint')
    const gone = await aws.script('score')
    assert.match(gone.stderr, /there is no endpoint prestage-endpoint in us-east-1/)
  })

  test('who may only invoke is told that nobody has looked', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    aws.sandbox.s3.deny({ action: 'sagemaker:DescribeEndpoint' })
    const { stderr, code } = await aws.script('score')
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      /sagemaker:DescribeEndpoint is not allowed: assuming that endpoint prestage-endpoint has the model/,
    )
  })

  test('a cold start and throttling are told and waited for', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    aws.sandbox.sagemaker.settings.coldStart = { invocations: 1, error: 'ModelNotReadyException' }
    aws.sandbox.faults.add({
      operation: 'InvokeEndpoint',
      times: 1,
      error: { code: 'ThrottlingException', status: 429 },
    })
    const { stderr, code } = await aws.script('score')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /ThrottlingException.*; asking again/)
    assert.match(stderr, /the model is being loaded \(ModelNotReadyException\); asking again/)
  })

  test('a dry run says how, and writes nothing', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    const before = aws.sandbox.s3.keys(BUCKET)
    const result = await aws.done('score', ['--dry-run'])
    assert.equal(result.backend, 'through endpoint prestage-endpoint in us-east-1')
    assert.deepEqual(aws.sandbox.s3.keys(BUCKET), before)
    assert.equal(aws.sandbox.requests.of('InvokeEndpoint'), 0)
  })
})

describe('interchange', () => {
  test('a model of this machine judges pairs in S3, and one in S3 those of this machine', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const holdout = `s3://${BUCKET}/${aws.at('pairs/holdout/')}`
    const folder = tempFolder()
    const score = async (...args: string[]) => {
      const options = { env: aws.sandbox.env }
      const { code, stdout, stderr } = await runScript(
        'score',
        ['--output', 'json', '--scores', folder, ...args],
        options,
      )
      assert.equal(code, 0, stderr)
      const { scored, unseen, sparse, flagged, digest } = JSON.parse(stdout) as Record<string, unknown>
      return { scored, unseen, sparse, flagged, digest }
    }
    const [model, pairs] = [aws.local.path('model'), aws.local.path('pairs/holdout/part-0.csv')]
    const here = await score('--pairs', pairs, '--model', model)
    assert.deepEqual(await score('--pairs', holdout, '--model', model), here)
    aws.sandbox.s3.put(BUCKET, 'm/model.tar.gz', readFileSync(`${model}/model.tar.gz`))
    aws.sandbox.s3.put(BUCKET, 'm/calibration.json', readFileSync(`${model}/calibration.json`))
    assert.deepEqual(await score('--pairs', pairs, '--model', `s3://${BUCKET}/m`), here)
    const mixed = await score('--pairs', `${holdout}holdout_ab12cd_1/20261201_part_z`, '--model', `s3://${BUCKET}/m`)
    assert.deepEqual(mixed, here)
  })

  test('a run in S3 in this process, where the model is one of this tool', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const { stderr, code } = await aws.script('score', ['--via', 'process'])
    assert.equal(code, 1)
    assert.match(stderr, /model\.tar\.gz is not a model of this tool: /)
    assert.match(stderr, /a model that SageMaker trained answers at an endpoint or with --via transform/)
    aws.sandbox.s3.put(BUCKET, keyOf(aws.model), readFileSync(aws.local.path('model/model.tar.gz')))
    const result = await aws.done('score', ['--via', 'process'])
    assert.equal(result.digest, (await scoredHere(aws.workspace)).digest)
    assert.equal(result.by, undefined)
  })

  test('findings of a run in S3 lie there', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    await aws.done('score', ['--findings', 'csv'])
    assert.match((await aws.text('findings/holdout/findings.csv')) ?? '', /^id,state,/)
  })

  test('pairs that are not there are named', async () => {
    const aws = await fixture(FAST)
    writeFileSync(`${tempFolder()}/x`, '')
    const args = ['--pairs', `s3://${BUCKET}/nothing/`, '--model', aws.local.path('model'), '--scores', tempFolder()]
    const { stderr, code } = await runScript('score', args, { env: aws.sandbox.env })
    assert.equal(code, 1)
    assert.match(stderr, /s3:\/\/org-staging\/nothing\/: nothing is there/)
  })
})

test('options that contradict each other', async () => {
  const aws = await fixture(FAST)
  const cases: [args: string[], says: RegExp][] = [
    [['--via', 'transform', '--endpoint', 'e'], /--via transform and --endpoint contradict each other/],
    [['--endpoint', 'no_name'], /--endpoint.*must be http:\/\/… or https:\/\/…, or the name of a SageMaker endpoint/],
  ]
  for (const [args, says] of cases) {
    const { stderr, code } = await aws.script('score', args)
    assert.deepEqual([code, says.test(stderr)], [2, true], stderr)
  }
  const here = await runScript('score', ['--workspace', aws.workspace, '--via', 'transform'])
  assert.match(here.stderr, /--via transform needs a run in S3/)
  assert.ok(ROLE.endsWith('prestage-sagemaker'))
})
