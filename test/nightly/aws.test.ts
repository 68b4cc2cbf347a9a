import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sandbox } from '../sandbox/start.ts'
import { athenaSandbox } from '../support/athena-sandbox.ts'
import { plainJson } from '../support/changes.ts'
import { loadFewObjects } from '../support/few-objects.ts'
import { killedAfterEachChange } from '../support/kill-chain.ts'
import type { RunOptions } from '../support/run-script.ts'

const LOGS = { users: 12, accounts: 1, events: 2400, from: '2026-03-01', to: '2026-03-05' }
const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
const BUCKET = 'org-staging'
const TOPIC = 'arn:aws:sns:us-east-1:111122223333:nights'

async function place() {
  const { sandbox, run } = await athenaSandbox()
  await loadFewObjects(sandbox, 'org-logs', LOGS)
  const args = ['--source', 'cloudtrail', '--logs', 's3://org-logs', '--copy', 'direct', '--sagemaker-role', ROLE]
  const spans = ['--history', '2d', '--retrain', '1d', '--alerts-per-day', '5']
  const night = (day: string, more: readonly string[] = [], options: RunOptions = {}) =>
    run('nightly', [...args, ...spans, '--day', day, ...more], options)
  const rollBack = () => run('nightly', ['--source', 'cloudtrail', '--rollback', '--yes'])
  return { sandbox, night, rollBack }
}

const json = async (sandbox: Sandbox, key: string) =>
  JSON.parse(String(await sandbox.s3.get(BUCKET, `prestage/${key}`)))

describe('nights in AWS', () => {
  it('train, replace the model at one serverless endpoint when that is due, and roll back', async () => {
    const { sandbox, night, rollBack } = await place()
    const refused = await night('2026-03-03')
    assert.equal(refused.code, 3, refused.stderr)
    const first = await night('2026-03-03', ['--max-cost', '2'])
    assert.equal(first.code, 0, first.stderr)
    const model = () => json(sandbox, 'models/cloudtrail.json')
    const before = await model()
    assert.equal(before.why, 'none')
    const second = await night('2026-03-04', ['--yes'])
    assert.equal(second.code, 0, second.stderr)
    const [judged] = second.result.sources.cloudtrail.nights
    assert.equal(judged.judged.trained.why, 'age')
    const after = await model()
    assert.deepEqual(after.trained, [before.run, after.tried.run])
    assert.equal(after.run, judged.judged.trained.isBetter ? after.tried.run : before.run)
    const { endpoints } = sandbox.sagemaker.names()
    assert.deepEqual(endpoints, ['prestage-cloudtrail'])
    assert.ok(sandbox.s3.keys(BUCKET, 'prestage/reports/cloudtrail.html').length === 1)
    assert.deepEqual(sandbox.violations, [])
    if (after.run === before.run) return
    const back = await rollBack()
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual([(await model()).run, (await model()).why], [before.run, 'rollback'])
  })

  it('killed after each change of the notes and started again, they end in the same', async () => {
    const plain = await place()
    assert.equal((await plain.night('2026-03-03', ['--yes'])).code, 0)
    const { sandbox, night } = await place()
    const isNote = (change: string) => /prestage\/(models|nights|reports)\//.test(change)
    const { points, last } = await killedAfterEachChange(
      sandbox,
      (options) => night('2026-03-03', ['--yes', '--topic', TOPIC], options),
      { spares: (change) => process.env.PRESTAGE_TEST_ALL === undefined && !isNote(change) },
    )
    assert.equal(last.code, 0, last.stderr)
    assert.ok(points.filter(isNote).length >= 4, points.join('; '))
    for (const key of ['models/cloudtrail.json', 'nights/cloudtrail/2026-03-03.json'])
      assert.equal(await timeless(sandbox, key), await timeless(plain.sandbox, key))
    assert.deepEqual(sandbox.s3.keys(BUCKET, 'prestage/nights/').length, 1)
    // Once more than it would be, when it was killed between the message and its note.
    const subjects = new Set(sandbox.codebuild.messages.map(({ subject }) => subject))
    assert.match([...subjects].join(), /^prestage: \d+ new alerts?$/)
    assert.ok(sandbox.codebuild.messages.length <= 2)
    assert.deepEqual(sandbox.violations, [])
  })
})

const timeless = async (sandbox: Sandbox, key: string): Promise<string> =>
  plainJson(await json(sandbox, key)).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
