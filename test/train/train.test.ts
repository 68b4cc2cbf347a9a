import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseCalibration } from '../../scripts/lib/insights/calibration.ts'
import { digestOf, loadModel } from '../../scripts/lib/insights/model.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { extractedRun, simulatedRows, writeFiles } from './runs.ts'

const folder = tempFolder()
const { train, holdout } = simulatedRows(60)
writeFiles(folder, { 'train.csv': train, 'holdout.csv': holdout, 'empty.csv': '', 'bad.csv': 'john.doe,1.2.3.4\n' })
const at = (name: string) => join(folder, name)
const lines = (text: string) => text.split('\n').length - 1

const trainFiles = (model: string, ...args: string[]) =>
  runScript('train', [
    '--pairs',
    at('train.csv'),
    '--holdout',
    at('holdout.csv'),
    '--model',
    at(model),
    '-o',
    'json',
    ...args,
  ])

describe('train --pairs', () => {
  it('writes a model that beats the /16 rule, and its calibration', async () => {
    const { stdout, stderr, code } = await trainFiles('plain', '--holdout-days', '3', '--alerts-per-day', '2')
    assert.equal(code, 0, stderr)
    const result = JSON.parse(stdout)
    const bytes = readFileSync(at('plain/model.tar.gz'))
    const calibration = parseCalibration(readFileSync(at('plain/calibration.json'), 'utf8'))
    assert.equal(result.model, at('plain/model.tar.gz'))
    assert.equal(result.pairs, lines(train))
    assert.equal(result.holdoutPairs, lines(holdout))
    assert.equal(result.entities, 60)
    assert.equal(result.numEntityVectors, 120)
    assert.equal(result.digest, digestOf(bytes))
    assert.equal(calibration.model, result.digest)
    assert.equal(calibration.days, 3)
    assert.equal(result.threshold, calibration.tail[6])
    assert.ok(result.auc > result.baselines.net16 && result.auc > 0.97, stdout)
    assert.doesNotMatch(stderr, /warning/)
    assert.match(stderr, /epoch 3 of 3: loss 0\.\d+, AUC on the holdout 0\.9\d+/)
    const model = await loadModel(result.model)
    assert.equal(model.events('user_0'), train.split('\n').filter((row) => row.startsWith('user_0,')).length)
  })

  it('has the same bytes for the same seed, and others for another', async () => {
    const results = await Promise.all([
      trainFiles('again', '--holdout-days', '3', '--alerts-per-day', '2'),
      trainFiles('other', '--seed', '2'),
    ])
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0],
    )
    const [plain, again, other] = ['plain', 'again', 'other'].map((name) => readFileSync(at(`${name}/model.tar.gz`)))
    assert.deepEqual(again, plain)
    assert.notDeepEqual(other, plain)
    assert.equal(readFileSync(at('again/calibration.json'), 'utf8'), readFileSync(at('plain/calibration.json'), 'utf8'))
  })

  it('shows what it would do, and writes nothing', async () => {
    const { stdout, code } = await trainFiles('preview', '--dry-run', '--vector-dim', '16', '--mini-batch-size', '500')
    assert.equal(code, 0)
    const plan = JSON.parse(stdout)
    assert.equal(plan.steps, 3 * Math.ceil(lines(train) / 500))
    assert.equal(plan.hyperparameters.weight_decay, 0)
    assert.equal(plan.hyperparameters.vector_dim, 16)
    assert.equal(plan.dryRun, true)
    assert.equal(existsSync(at('preview')), false)
  })

  it('goes without a holdout, and says what that means', async () => {
    const args = ['--pairs', at('train.csv'), '--model', at('plain'), '--epochs', '1', '-o', 'json']
    const { stdout, stderr, code } = await runScript('train', args)
    assert.equal(code, 0)
    assert.match(stderr, /warning: no holdout/)
    const { auc, threshold, calibration, baselines } = JSON.parse(stdout)
    assert.deepEqual([auc, threshold, calibration, baselines], [null, null, null, {}])
    assert.equal(existsSync(at('plain/calibration.json')), false, 'the calibration of the model before is gone')
  })

  it('warns where the set is tiny, vectors are shared, or the holdout is of others', async () => {
    writeFiles(folder, { 'few.csv': 'a,1.2.3.4\nb,1.2.3.4\n', 'others.csv': 'c,1.2.3.4\n' })
    const args = [
      '--pairs',
      at('few.csv'),
      '--holdout',
      at('others.csv'),
      '--model',
      at('few'),
      '--num-entity-vectors',
      '1',
    ]
    const { stdout, stderr, code } = await runScript('train', args)
    assert.equal(code, 0, stderr)
    assert.match(stderr, /2 pairs of 2 entities are little/)
    assert.match(stderr, /100\.0 % of the entities share.*--num-entity-vectors to 20/)
    assert.match(stderr, /not calibrated/)
    assert.match(stdout, /threshold +none/)
  })

  it('warns where the /16 rule is not beaten', async () => {
    const { stderr } = await trainFiles('bad', '--epochs', '1', '--weight-decay', '10')
    assert.match(stderr, /does not beat the rule "\/16 seen before"/)
  })

  const wrong: [args: string[], code: number, message: RegExp][] = [
    [['--pairs', at('empty.csv'), '--model', at('x')], 1, /nothing to train on: no pair in .*empty\.csv/],
    [
      ['--pairs', at('train.csv'), '--model', at('x'), '--learning-rate', '10', '--num-ip-encoder-layers', '60'],
      1,
      /training does not converge: in epoch \d[\s\S]*lower --learning-rate/,
    ],
    [['--pairs', at('bad.csv'), '--model', at('x')], 1, /bad\.csv:1: .*not encoded[\s\S]*john%2Edoe/],
    [['--pairs', at('none.csv'), '--model', at('x')], 1, /no such file/],
    [['--pairs', at('train.csv')], 2, /--pairs needs --model/],
    [['--pairs', at('train.csv'), '--model', at('x'), '--epoch', '3'], 2, /did you mean --epochs\?/],
    [['--pairs', at('train.csv'), '--model', at('x'), '--vector-dim', '3'], 2, /from 4 to 4096/],
    [
      [
        '--pairs',
        at('train.csv'),
        '--model',
        at('x'),
        '--random-negative-sampling-rate=0',
        '--shuffled-negative-sampling-rate=0',
      ],
      2,
      /together must be 1 to 500/,
    ],
    [['--model', at('x')], 2, /--model belongs to --pairs/],
    [['--holdout', at('holdout.csv')], 2, /--holdout belongs to --pairs/],
  ]
  for (const [args, code, message] of wrong)
    it(`refuses ${args.join(' ').replaceAll(`${folder}/`, '')}`, async () => {
      const ended = await runScript('train', args)
      assert.equal(ended.stdout, '')
      assert.match(ended.stderr, message)
      assert.equal(ended.code, code)
      assert.equal(existsSync(at('x')), false)
    })

  it('stops on Ctrl-C and leaves nothing behind', async () => {
    const { code, stderr } = await runScript(
      'train',
      ['--pairs', at('train.csv'), '--model', at('stopped'), '--epochs', '100000'],
      {
        onStderr: (text, kill) =>
          text.includes('epoch 2 of') && !text.includes('stopping') ? kill('SIGINT') : undefined,
      },
    )
    assert.equal(code, 130, stderr)
    assert.equal(existsSync(at('stopped')), false)
  })
})

describe('train --run', () => {
  const workspace = tempFolder()
  const trainRun = (...args: string[]) => runScript('train', ['--workspace', workspace, '-o', 'json', ...args])

  it('trains once, asks before it changes, and trains again where files are gone', async () => {
    const run = await extractedRun(workspace, train, holdout)
    const first = await trainRun('--epochs', '2')
    assert.equal(first.code, 0, first.stderr)
    const result = JSON.parse(first.stdout)
    assert.equal(result.run, run.id)
    assert.equal(result.repeated, false)
    assert.equal(result.pairs, lines(train))
    assert.equal(parseCalibration(readFileSync(run.path('model/calibration.json'), 'utf8')).days, 0.25)

    const again = JSON.parse((await trainRun('--epochs', '2')).stdout)
    assert.deepEqual(again, { ...result, repeated: true })

    const changed = await trainRun('--epochs', '3')
    assert.equal(changed.code, 2)
    assert.match(changed.stderr, /other options: --epochs 2\n[\s\S]*--overwrite/)

    const bytes = readFileSync(run.path('model/model.tar.gz'))
    rmSync(run.path('model/model.tar.gz'))
    const restored = JSON.parse((await trainRun('--epochs', '2')).stdout)
    assert.equal(restored.repeated, false)
    assert.deepEqual(readFileSync(run.path('model/model.tar.gz')), bytes)

    const over = JSON.parse((await trainRun('--epochs', '3', '--overwrite')).stdout)
    assert.equal(over.epochs, 3)
    assert.notEqual(over.digest, result.digest)
  })

  it('says what to do when every pair is in the holdout', async () => {
    const other = tempFolder()
    const { id } = await extractedRun(other, '', holdout)
    for (const more of [[], ['--dry-run']]) {
      const { stderr, code } = await runScript('train', ['--workspace', other, ...more])
      assert.equal(code, 1, stderr)
      assert.match(stderr, /has no pairs to train on: all of its [\d,]+ pairs are in the holdout, .* 2026-11-20T18/)
      assert.match(stderr, new RegExp(`extract.mjs --run ${id} .*--holdout 5%; .*--run TRAINED_RUN --from-run ${id} `))
    }
  })

  it('names the step that comes before', async () => {
    const other = tempFolder()
    const { stderr, code } = await runScript('train', ['--workspace', other])
    assert.match(stderr, /there is no run/)
    assert.equal(code, 2)
  })
})
