import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Sandbox } from '../sandbox/start.ts'
import { athenaSandbox, linesAt } from '../support/athena-sandbox.ts'
import { plain, plainJson } from '../support/changes.ts'
import { loadFewObjects } from '../support/few-objects.ts'
import { assertDoneOnce, killedAfter, killedAfterEachChange, killedAfterMoreAndMore } from '../support/kill-chain.ts'
import { placeInS3 } from '../support/run-places.ts'
import type { RunOptions } from '../support/run-script.ts'

const LOGS = { users: 12, accounts: 1, events: 1200, to: '2026-03-03' }
const WINDOW = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03', '--logs', 's3://org-logs']
const ROLE = 'arn:aws:iam::111122223333:role/prestage'
const ROLES = ['--sagemaker-role', `${ROLE}-sagemaker`, '--batch-role', `${ROLE}-batch`]
const BUCKET = 'org-staging'

type Copier = 'direct' | 'batch'

async function fixture(copier: Copier) {
  const { sandbox, run } = await athenaSandbox()
  await loadFewObjects(sandbox, 'org-logs', LOGS)
  // Jobs and endpoints take their time, so that who comes back finds them under way.
  sandbox.sagemaker.settings.pace = 'poll'
  const args = [...WINDOW, ...ROLES, '--copy', copier, '--poll', '0.05']
  const pipeline = (options: RunOptions = {}) => run('pipeline', [...args, '--yes'], options)
  /** With nobody there who could say yes. */
  const unasked = () => run('pipeline', args)
  const clean = (id: string, options: RunOptions = {}) => run('clean', ['--run', id, '--yes'], options)
  return { sandbox, pipeline, unasked, clean }
}

/** Texts without times, and without what is drawn by lot or hangs on it. */
const timeless = (text: string): string =>
  plain(text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replace(/\d{8}_\d{6}_\d{5}_\w{5}/g, 'QUERY'))

/** All that a pipeline leaves, as far as it is the same in every sandbox. */
async function leftBy(sandbox: Sandbox, id: string) {
  const at = (key: string) => `prestage/${placeInS3(id, key)}`
  const text = async (key: string) => String(await sandbox.s3.get(BUCKET, at(key)))
  const { steps } = JSON.parse(await text('run.json'))
  // Who comes back finds copies that are there: the sum is the same.
  steps.stage.result.copied += steps.stage.result.skipped
  delete steps.stage.result.skipped
  for (const time of ['trainSeconds', 'billedSeconds', 'usd']) delete steps.train.result[time]
  // Who finds the table does not ask for the query that makes it.
  delete steps.extract.checkpoint.queries.table
  return {
    objects: sandbox.s3.keys(BUCKET).map(timeless).sort(),
    staged: sandbox.s3.list(BUCKET, at('staged/')).map(({ key, etag }) => `${key} ${etag}`),
    ledger: JSON.parse(plainJson(steps, timeless)),
    train: await linesAt(sandbox, id, 'pairs/train/'),
    holdout: await linesAt(sandbox, id, 'pairs/holdout/'),
    entities: await text('entities.csv'),
    manifest: await text('manifest.csv'),
    calibration: JSON.parse(plainJson(JSON.parse(await text('model/calibration.json')))),
    verdicts: (await text('scores/holdout/verdicts.ndjson')).split('\n'),
    tables: sandbox.athena.catalog.names(),
    inSagemaker: JSON.parse(plainJson(sandbox.sagemaker.names())),
    jobs: sandbox.control.jobs().map(({ status }) => status),
    uploads: sandbox.s3.unfinished(BUCKET),
  }
}

/** What was asked for and done, by what it is of: each of them may be there once. */
function assertNothingTwice(sandbox: Sandbox): void {
  const { endpoints, configs, models, trainingJobs } = sandbox.sagemaker.names()
  for (const names of [endpoints, configs, models, trainingJobs]) assert.ok(names.length <= 1, names.join())
  assert.ok(sandbox.control.jobs().length <= 1)
  const texts = sandbox.athena.queries.all.map(({ text }) => text)
  assert.deepEqual(texts, [...new Set(texts)])
  assertDoneOnce(sandbox)
}

const isOf =
  (...steps: string[]) =>
  (change: string): boolean =>
    steps.some((step) => change.startsWith(`${step}: `))

describe('a pipeline in AWS that is killed after each change it makes', () => {
  /** What one leaves that nobody interrupts. */
  const expected = new Map<Copier, Awaited<ReturnType<typeof leftBy>>>()
  before(async () => {
    for (const copier of ['direct', 'batch'] as const) {
      const { sandbox, pipeline } = await fixture(copier)
      const { result, stderr } = await pipeline()
      assert.ok(result, stderr)
      assertNothingTwice(sandbox)
      expected.set(copier, await leftBy(sandbox, result.run))
    }
  })

  for (const [copier, kills, steps] of [
    ['batch', 60, ['', 'stage', 'extract']],
    ['direct', 40, ['', 'stage', 'train', 'deploy', 'score', 'report']],
  ] as const)
    it(`--copy ${copier}, in${steps.join(' ')}: ends as if it had never been, with nothing created twice; so does clean`, async () => {
      const { sandbox, pipeline, clean } = await fixture(copier)
      const { points, last } = await killedAfterEachChange(sandbox, pipeline, {
        spares: (change) => !isOf(...steps)(change),
        look: () => assertNothingTwice(sandbox),
      })
      assert.ok(last.result, last.stderr)
      assert.ok(points.length >= kills, `${points.length} kills: ${points.join('; ')}`)
      assertNothingTwice(sandbox)
      assert.deepEqual(await leftBy(sandbox, last.result.run), expected.get(copier))

      const { points: cleanings, last: cleaned } = await killedAfterEachChange(sandbox, (options) =>
        clean(last.result.run, options),
      )
      assert.equal(cleaned.code, 0, cleaned.stderr)
      assert.ok(cleanings.length >= 8, cleanings.join('; '))
      assertClean(sandbox, last.result.run)
    })
})

it('a pipeline that is killed after every 20, 40, 60 … requests ends in one of each', async () => {
  const { sandbox, pipeline } = await fixture('direct')
  const { kills, last } = await killedAfterMoreAndMore(sandbox, pipeline, 20)
  assert.ok(last.result, last.stderr)
  assert.ok(kills >= 5, String(kills))
  assertNothingTwice(sandbox)
})

describe('a pipeline that was killed asks only for what is still to be paid', () => {
  it('not for copies, a scan, a training or an endpoint that there are', async () => {
    const { sandbox, pipeline, unasked } = await fixture('batch')
    for (const [change, next] of [
      ['CreateJob', /scan 6 objects with Athena needs a confirmation/],
      ['.classified_', /train on ml\.m5\.large in SageMaker needs a confirmation/],
      ['CreateTrainingJob', /deploy to prestage-cloudtrail needs a confirmation/],
      [
        'CreateEndpoint ',
        /scan the logs once with Athena, to tell what alerts are about.*\n.*\n.*needs a confirmation/,
      ],
    ] as const) {
      await killedAfter(sandbox, pipeline, change)
      const { code, stderr } = await unasked()
      assert.equal(code, 3, stderr)
      assert.match(stderr, next)
    }
    await killedAfter(sandbox, pipeline, 'score: StartQueryExecution')
    const { result, stderr } = await unasked()
    assert.ok(result, stderr)
    assertNothingTwice(sandbox)
  })

  it('of copies those that are missing', async () => {
    const { sandbox, pipeline, unasked } = await fixture('direct')
    await killedAfter(sandbox, pipeline, 'CopyObject')
    const copied = sandbox.s3.keys(BUCKET).filter((key) => key.includes('/staged/')).length
    const { code, stderr } = await unasked()
    assert.equal(code, 3, stderr)
    assert.match(
      stderr,
      new RegExp(copied === 6 ? 'scan 6 objects' : `copy ${6 - copied} objects needs a confirmation`),
    )
  })
})

function assertClean(sandbox: Sandbox, id: string): void {
  const { endpoints, configs, models } = sandbox.sagemaker.names()
  assert.deepEqual([endpoints, configs, models, sandbox.s3.unfinished(BUCKET)], [[], [], [], []])
  for (const part of ['staged/', 'tmp/', 'endpoint/', 'run.lock'])
    assert.deepEqual(sandbox.s3.keys(BUCKET, `prestage/${placeInS3(id, part)}`), [])
  assert.deepEqual(sandbox.violations, [])
}
