import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'
import { accesses, ROLE } from '../support/s3-run.ts'
import { tempFolder } from '../support/temp.ts'

const MODEL = 's3://models/mine'
const SMALL = ['--epochs', '10', '--vector-dim', '8', '--mini-batch-size', '100', '--learning-rate', '0.02']
const PAID = ['--sagemaker-role', ROLE, '--yes']

/** Accesses of the same entities from anywhere: nothing can be learned from them. */
function noise(rows: number): string {
  const random = new Random(7)
  const row = (_: unknown, i: number) => `user_${i % 12},${formatIpv4((20 + random.below(150)) * 2 ** 24 + i)}\n`
  return Array.from({ length: rows }, row).join('')
}

/** A sandbox, a folder with files of pairs, and scripts that are run there. */
async function fixture() {
  const sandbox = await startSandbox({ buckets: { models: {} } })
  after(() => sandbox.close())
  const folder = tempFolder()
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
  put('train.csv', accesses(1, 1800))
  put('holdout.csv', accesses(2, 600))
  put('noise.csv', noise(1800))
  const script = async (name: string, args: readonly string[], options: RunOptions = {}) => {
    const ended = await runScript(name, [...args, '--output', 'json'], { env: sandbox.env, cwd: folder, ...options })
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    return { ...ended, result: ended.code === 0 && ended.stdout !== '' ? JSON.parse(ended.stdout) : undefined }
  }
  const done = async (name: string, ...args: readonly string[]) => {
    const { result, stderr } = await script(name, args)
    assert.ok(result, stderr)
    return result
  }
  const train = (pairs = 'train.csv') =>
    done('train', '--pairs', pairs, '--holdout', 'holdout.csv', '--model', MODEL, ...SMALL, ...PAID)
  const verdicts = (scores: string) => readFileSync(join(folder, scores, 'verdicts.ndjson'), 'utf8')
  return { sandbox, folder, script, done, train, verdicts }
}

const served = ({ sagemaker }: Sandbox, name = 'prestage-files') => sagemaker.endpoints.all.get(name)

describe('a model of files that SageMaker has trained', () => {
  it('is deployed, calibrated and scored with like that of a run', async () => {
    const { sandbox, script, done, train, verdicts } = await fixture()
    const { run, model } = await train()
    const plan = await done('deploy', '--model', MODEL, '--dry-run', '--sagemaker-role', ROLE)
    assert.deepEqual([plan.run, plan.endpoint, plan.model], [run, 'prestage-files', model])
    const unasked = await script('deploy', ['--model', MODEL, '--sagemaker-role', ROLE])
    assert.equal(unasked.code, 3)
    const deployed = await done('deploy', '--model', model, ...PAID)
    assert.deepEqual([deployed.run, deployed.endpoint, deployed.status], [run, 'prestage-files', 'InService'])
    assert.equal(typeof deployed.threshold, 'number')
    assert.ok(deployed.auc > 0.9, `AUC ${deployed.auc}`)
    assert.ok(sandbox.s3.head('models', `mine/runs/${run}/model/calibration.json`))
    assert.equal((await done('deploy', '--model', MODEL, ...PAID)).repeated, true)

    const region = ['--aws-region', 'us-east-1']
    const byName = await done(
      'score',
      '--pairs',
      'holdout.csv',
      '--endpoint',
      'prestage-files',
      ...region,
      '--scores',
      'a',
    )
    assert.deepEqual([byName.run, byName.rank, byName.unseen], [run, 'evidence', 0])
    const byScore = await done('score', '--pairs', 'holdout.csv', '--model', MODEL, '--rank', 'score', '--scores', 'd')
    assert.equal(byScore.threshold, deployed.threshold)
    const byModel = await done('score', '--pairs', 'holdout.csv', '--model', MODEL, '--scores', 'b')
    assert.equal(byModel.scored, byName.scored)
    assert.equal(verdicts('b'), verdicts('a'))
    const transform = ['--via', 'transform', '--sagemaker-role', ROLE, '--scores', 'c']
    const unpaid = await script('score', ['--pairs', 'holdout.csv', '--model', MODEL, ...transform])
    assert.equal(unpaid.code, 3, unpaid.stderr)
    await done('score', '--pairs', 'holdout.csv', '--model', MODEL, ...transform, '--yes')
    assert.equal(verdicts('c'), verdicts('a'))
    const holdout = await done('score', '--workspace', MODEL)
    assert.deepEqual([holdout.run, holdout.scored], [run, byName.scored])
    const measured = await done('evaluate', '--workspace', MODEL, '--attacks', '100')
    assert.deepEqual([measured.run, measured.pairs, measured.lines.length], [run, byName.scored, 4 * 2 * 10])
    assert.deepEqual(sandbox.violations, [])
  })

  it('has to be as good as the one in service; what it replaced comes back, and clean takes all away', async () => {
    const { sandbox, script, done, train } = await fixture()
    const good = await train()
    const first = await done('deploy', '--model', good.model, ...PAID)
    const bad = await train('noise.csv')
    assert.notEqual(bad.run, good.run)
    const refused = await script('deploy', ['--model', bad.model, ...PAID])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /the new model is worse than the one in service/)
    assert.equal(served(sandbox)?.config.name, first.config)
    const forced = await done('deploy', '--model', bad.model, '--force', ...PAID)
    assert.equal(forced.previous, first.config)
    const other = await script('score', ['--pairs', 'holdout.csv', '--model', good.model])
    assert.equal(other.code, 1)
    assert.match(other.stderr, /endpoint prestage-files serves another model/)
    await done('deploy', '--model', bad.model, '--rollback')
    assert.equal(served(sandbox)?.config.name, first.config)
    const { run } = await done(
      'score',
      '--pairs',
      'holdout.csv',
      '--endpoint',
      'prestage-files',
      '--aws-region',
      'us-east-1',
    )
    assert.equal(run, good.run)
    for (const each of [bad.run, good.run]) await done('clean', '--workspace', MODEL, '--run', each, '--yes')
    const { endpoints, configs, models } = sandbox.sagemaker.names()
    assert.deepEqual([endpoints, configs, models], [[], [], []])
    assert.deepEqual(sandbox.violations, [])
  })

  it('is deleted after a while when that is wanted', async () => {
    const { sandbox, script, train } = await fixture()
    const { model } = await train()
    // Ctrl-C ends the waiting, a second one everything.
    let stopped = false
    const { code, stderr } = await script('deploy', ['--model', model, '--delete-after', '1h', ...PAID], {
      onStderr: (soFar, kill) => {
        if (/is deleted at/.test(soFar) && !stopped) kill('SIGINT')
        stopped ||= /is deleted at/.test(soFar)
      },
    })
    assert.equal(code, 130)
    assert.match(stderr, /endpoint prestage-files is deleted$/m)
    assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
  })
})

describe('training files in SageMaker', () => {
  const given = ['--pairs', 'train.csv', '--holdout', 'holdout.csv', '--model', MODEL, ...SMALL]

  it('writes nothing unasked, and asks only once', async () => {
    const { sandbox, script, done } = await fixture()
    const dry = await done('train', ...given, '--dry-run')
    assert.deepEqual([dry.pairs, dry.holdoutPairs, dry.entities], [1800, 600, 12])
    const unasked = await script('train', [...given, '--sagemaker-role', ROLE])
    assert.equal(unasked.code, 3)
    assert.deepEqual(sandbox.s3.keys('models'), [])
    await done('train', ...given, ...PAID)
    const again = await done('train', ...given)
    assert.equal(again.repeated, true)
    const entities = (await sandbox.s3.get('models', `mine/runs/${dry.run}/entities.csv`)).toString()
    assert.equal(entities.split('\n').length, 13)
    assert.match(entities, /^user_0,150,\d+$/m)
  })

  for (const operation of ['PutObject', 'CreateTrainingJob'])
    it(`killed after ${operation}, it goes on, and pays once`, async () => {
      const { sandbox, script, done } = await fixture()
      const nth = operation === 'PutObject' ? 4 : 1
      const fault = sandbox.faults.add({ operation, nth, times: 1, cut: 'after' })
      const died = await script('train', [...given, ...PAID], { killWhen: () => fault.struck() > 0 })
      assert.equal(died.signal, 'SIGKILL')
      await done('train', ...given, ...PAID)
      assert.equal(sandbox.sagemaker.names().trainingJobs.length, 1)
      assert.deepEqual(sandbox.violations, [])
    })
})

describe('refused, with what to do', () => {
  const cases: [script: string, args: string[], code: number, message: RegExp][] = [
    ['deploy', ['--model', './model'], 2, /on this machine deploy serves the model of a run/],
    ['deploy', ['--model', 's3://models/none'], 1, /s3:\/\/models\/none: train has left no model there/],
    ['score', ['--pairs', 'holdout.csv', '--endpoint', 'http://127.0.0.1:9'], 2, /--pairs and --model belong together/],
    [
      'score',
      ['--pairs', 'holdout.csv', '--endpoint', 'none', '--aws-region', 'us-east-1'],
      1,
      /there is no endpoint none/,
    ],
    ['score', ['--pairs', 'holdout.csv', '--endpoint', 'none'], 2, /in which region is the endpoint/],
    ['extract', ['--workspace', MODEL, '--yes'], 1, /made of files of pairs: it has no logs/],
    ['query', ['denied-calls', '--workspace', MODEL], 1, /made of files of pairs: it has no logs/],
    ['report', ['--workspace', MODEL], 1, /no finished stage/],
    ['score', ['--workspace', MODEL, '--findings', 'csv'], 2, /--findings needs logs/],
  ]
  it('each of them', async () => {
    const { sandbox, script, train } = await fixture()
    await train()
    for (const [name, args, code, message] of cases) {
      const env = { ...sandbox.env }
      if (/which region/.test(String(message))) for (const key of ['AWS_REGION', 'AWS_DEFAULT_REGION']) delete env[key]
      const ended = await script(name, args, { env })
      assert.match(ended.stderr, message, `${name} ${args.join(' ')}`)
      assert.equal(ended.code, code, ended.stderr)
    }
  })

  it('an endpoint that somebody else has made', async () => {
    const { sandbox, script, done, train } = await fixture()
    await done('deploy', '--model', (await train()).model, ...PAID)
    const { tags } = sandbox.sagemaker.shared
    const arn = served(sandbox)?.arn
    tags.delete({ ResourceArn: arn, TagKeys: ['prestage:run'] })
    const args = ['--pairs', 'holdout.csv', '--endpoint', 'prestage-files', '--aws-region', 'us-east-1']
    const { code, stderr } = await script('score', args)
    assert.equal(code, 1)
    assert.match(stderr, /endpoint prestage-files was not made by prestage/)
  })
})
