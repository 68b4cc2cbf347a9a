import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { athenaSandbox, linesAt, linesIn, WORKSPACE } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
const WINDOW = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-04']

async function fixture() {
  const { sandbox, run } = await athenaSandbox()
  const logs = await fewObjects()
  await sandbox.s3.load('org-logs', logs)
  const labels = ['--labels', `${logs}/labels.csv`]
  const args = [...WINDOW, '--logs', 's3://org-logs', '--copy', 'direct', '--sagemaker-role', ROLE, ...labels]
  const pipeline = (more: readonly string[] = ['--yes'], options: RunOptions = {}) =>
    run('pipeline', [...args, ...more], options)
  return { sandbox, run, pipeline, logs, labels }
}

describe('the whole pipeline in AWS', () => {
  it('is one command that finds what the embedded one finds, and clean leaves nothing that costs', async () => {
    const { sandbox, run, pipeline, logs, labels } = await fixture()
    const there = await pipeline()
    assert.ok(there.result, there.stderr)

    const local = tempFolder()
    const args = [...WINDOW, '--logs', logs, '--workspace', local, '--output', 'json', ...labels]
    const here = JSON.parse((await runScript('pipeline', args)).stdout)
    for (const part of ['pairs/train/', 'pairs/holdout/'])
      assert.deepEqual(
        await linesAt(sandbox, there.result.run, part),
        linesIn(`${local}/runs/${here.run}/${part}`),
        part,
      )
    const [score, expected] = [there.result.steps.score, here.steps.score]
    for (const field of ['scored', 'unseen', 'sparse']) assert.equal(score[field], expected[field], field)
    assert.equal(score.flagged, expected.flagged)
    // On AWS the holdout is scored through the endpoint, where nothing is trained by chance alike.
    assert.ok(Math.abs(there.result.steps.deploy.auc - here.steps.train.auc) < 0.01)
    assert.equal(there.result.report, `${WORKSPACE}/runs/${there.result.run}/report.html`)

    const again = await pipeline([])
    assert.equal(again.code, 0, again.stderr)
    assert.equal(sandbox.requests.of('CreateTrainingJob'), 1)

    const cleaned = await run('clean', ['--run', there.result.run, '--yes'])
    assert.equal(cleaned.code, 0, cleaned.stderr)
    const { endpoints, configs, models } = sandbox.sagemaker.names()
    assert.deepEqual([endpoints, configs, models], [[], [], []])
    assert.deepEqual(sandbox.s3.keys('org-staging', `prestage/bulk/${there.result.run}/staged/`), [])
    assert.deepEqual(sandbox.violations, [])
  })

  it('spends nothing unasked, and no more than is allowed for all steps together', async () => {
    const { sandbox, pipeline } = await fixture()
    const unasked = await pipeline([])
    assert.equal(unasked.code, 3)
    assert.equal(sandbox.requests.of('CopyObject'), 0)
    const little = await pipeline(['--max-cost', '0.005'])
    assert.equal(little.code, 3, little.stderr)
    assert.match(little.stderr, /earlier steps have used .* of --max-cost 0\.005|more than --max-cost 0\.005/)
    assert.deepEqual(sandbox.sagemaker.names().trainingJobs, [])
  })
})
