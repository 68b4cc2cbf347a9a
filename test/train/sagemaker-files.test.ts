import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSandbox } from '../sandbox/start.ts'
import { runScript } from '../support/run-script.ts'
import { accesses, ROLE } from '../support/s3-run.ts'
import { tempFolder } from '../support/temp.ts'

const SMALL = ['--epochs', '4', '--vector-dim', '8', '--mini-batch-size', '100', '--output', 'json', '--yes']

test('files of this machine are trained in SageMaker, once; pairs in S3 on this machine', async (t) => {
  const sandbox = await startSandbox({ buckets: { models: {} } })
  t.after(() => sandbox.close())
  const folder = tempFolder()
  const [train, holdout] = [join(folder, 'train.csv'), join(folder, 'holdout.csv')]
  writeFileSync(train, accesses(1, 1800))
  writeFileSync(holdout, accesses(2, 600))
  const run = (args: string[]) => runScript('train', [...SMALL, ...args], { env: sandbox.env, cwd: folder })
  const args = ['--pairs', train, '--holdout', holdout, '--model', 's3://models/mine', '--sagemaker-role', ROLE]
  const first = await run(args)
  assert.equal(first.code, 0, first.stderr)
  const { model, auc, pairs, holdoutPairs, run: id } = JSON.parse(first.stdout)
  assert.match(
    model,
    /^s3:\/\/models\/mine\/runs\/pairs-[0-9a-f]{12}\/model\/prestage-pairs-[0-9a-f]{12}-[0-9a-f]{6}\/output\/model\.tar\.gz$/,
  )
  assert.ok(sandbox.s3.head('models', model.slice('s3://models/'.length)))
  assert.deepEqual([pairs, holdoutPairs, typeof auc], [1800, 600, 'number'])
  const again = await run(args)
  assert.equal(JSON.parse(again.stdout).model, model, again.stderr)
  assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)

  // What expires is put back by the same command, which nobody has to allow: the model is there.
  for (const key of sandbox.s3.keys('models', `mine/bulk/${id}/`)) sandbox.s3.delete('models', key)
  const unasked = await runScript('train', [...SMALL.filter((flag) => flag !== '--yes'), ...args], {
    env: sandbox.env,
    cwd: folder,
  })
  assert.equal(JSON.parse(unasked.stdout).model, model, unasked.stderr)
  assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)

  const staged = `s3://models/mine/bulk/${id}/pairs`
  const here = await run([
    '--pairs',
    `${staged}/train/`,
    '--holdout',
    `${staged}/holdout/part-00000.csv`,
    '--model',
    'out',
  ])
  assert.equal(here.code, 0, here.stderr)
  assert.equal(JSON.parse(here.stdout).pairs, 1800)
  assert.ok(existsSync(join(folder, 'out/model.tar.gz')) && existsSync(join(folder, 'out/calibration.json')))
  const nowhere = await run(['--pairs', 's3://models/none.csv', '--model', 'out'])
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.stderr, /s3:\/\/models\/none\.csv: nothing is there/)
  assert.deepEqual(sandbox.violations, [])
})
