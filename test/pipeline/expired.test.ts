import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { Sandbox } from '../sandbox/start.ts'
import { athenaSandbox, linesAt, WORKSPACE } from '../support/athena-sandbox.ts'
import { loadFewObjects } from '../support/few-objects.ts'
import { placeInS3 } from '../support/run-places.ts'
import { tempFolder } from '../support/temp.ts'

const BUCKET = 'org-staging'
const ROLE = ['--sagemaker-role', 'arn:aws:iam::111122223333:role/prestage-sagemaker']
const LOGS = { users: 12, accounts: 1, events: 1200, to: '2026-03-04' }
const window = (from: string, to: string) => ['--source', 'cloudtrail', '--logs', 's3://org-logs', ...range(from, to)]
const range = (from: string, to: string) => ['--from', `2026-03-${from}`, '--to', `2026-03-${to}`]
const DIRECT = ['--copy', 'direct']

/** What the lifecycle rule of the stack does to a run. */
function expire(sandbox: Sandbox, run: string): void {
  const keys = sandbox.s3.keys(BUCKET, `prestage/bulk/${run}/`)
  assert.ok(keys.length > 0)
  for (const key of keys) sandbox.s3.delete(BUCKET, key)
}

/** Its steps build on each other: each `it` is the next thing that somebody does with the run. */
describe('a run whose bulk has expired', async () => {
  const all = await athenaSandbox()
  let [id, judged] = ['', '']
  let holdout: string[] = []
  const file = join(tempFolder(), 'pairs.csv')
  const STAGE = `npx zx scripts/stage.mjs --source cloudtrail --logs s3://org-logs --from 2026-03-02T00:00:00Z --to 2026-03-03T00:00:00Z --copy direct --workspace ${WORKSPACE}`
  const take = (script: string, ...args: readonly string[]) => all.run(script, ['--run', id, ...args])
  const done = async (script: string, ...args: readonly string[]) => {
    const ended = await take(script, ...args)
    assert.equal(ended.code, 0, ended.stderr)
    return ended
  }
  const refused = async (says: RegExp, script: string, ...args: readonly string[]) => {
    const { code, stderr } = await take(script, ...args)
    assert.equal(code, 1, stderr)
    assert.match(stderr, says)
    assert.ok(stderr.includes(STAGE), stderr)
  }

  before(async () => {
    await loadFewObjects(all.sandbox, 'org-logs', LOGS)
    const made = await all.run('pipeline', [...window('02', '03'), ...DIRECT, ...ROLE, '--yes'])
    assert.ok(made.result, made.stderr)
    id = made.result.run
    holdout = await linesAt(all.sandbox, id, 'pairs/holdout/')
    writeFileSync(file, holdout.map((line) => `${line}\n`).join(''))
    expire(all.sandbox, id)
  })

  it('keeps what must outlive: the ledger, the model that its endpoint needs, verdicts and report', () => {
    const kept = ['run.json', 'entities.csv', 'model/calibration.json', 'scores/holdout/verdicts.ndjson', 'report.html']
    for (const key of [...kept, 'endpoint/endpoint.json'])
      assert.ok(all.sandbox.s3.head(BUCKET, `prestage/${placeInS3(id, key)}`), key)
    const models = [...all.sandbox.sagemaker.models.all.values()]
    assert.ok(models.length > 0)
    for (const { request } of models) {
      const { ModelDataUrl = '' } = (request as { PrimaryContainer?: { ModelDataUrl?: string } }).PrimaryContainer ?? {}
      assert.ok(all.sandbox.s3.head(BUCKET, ModelDataUrl.slice(`s3://${BUCKET}/`.length)), ModelDataUrl)
    }
  })

  it('what is done stays done', async () => {
    for (const script of ['train', 'deploy', 'score', 'report']) {
      const { result, stderr } = await done(script, ...(script === 'deploy' || script === 'train' ? ROLE : []))
      assert.equal(result.repeated, true, `${script}: ${stderr}`)
    }
    assert.equal(all.sandbox.requests.of('CreateTrainingJob'), 1)
  })

  it('judges files through the endpoint, without what was seen before', async () => {
    const scores = tempFolder()
    const given = ['--pairs', file, '--model', WORKSPACE, '--scores', scores]
    const { result, stderr } = await done('score', ...given)
    assert.ok(result.scored > 0)
    assert.match(stderr, /the training pairs are gone: no verdict says what was seen before/)
    assert.ok(stderr.includes(STAGE), stderr)
  })

  it('judges a younger run', async () => {
    const staged = await all.run('stage', [...window('03', '04'), ...DIRECT, '--yes'])
    judged = staged.result.run
    const extracted = await all.run('extract', ['--run', judged, '--yes'])
    assert.ok(extracted.result, extracted.stderr)
    const { result } = await done('score', '--from-run', judged, '--yes')
    assert.ok(result.scored > 0)
  })

  it('says of everything that needs the bulk that it is to be staged again', async () => {
    const before = all.sandbox.requests.log().length
    await refused(/ objects were staged, 0 are there/, 'extract', '--overwrite', '--yes')
    await refused(/ objects were staged, 0 are there/, 'extract', '--yes')
    await refused(/ objects were staged, 0 are there/, 'query', 'busiest-hour', '--yes')
    await refused(/no pairs in s3:\/\/org-staging\/prestage\/bulk\/.*\/pairs\/train\//, 'train', '--overwrite', ...ROLE)
    await refused(/no pairs in s3:\/\/org-staging\/prestage\/bulk\//, 'deploy', '--overwrite', ...ROLE)
    await refused(/has no files in pairs\/holdout\//, 'score', '--overwrite')
    const since = all.sandbox.requests.log().slice(before)
    assert.deepEqual(
      since.filter(({ operation }) => /^(Create|Update|StartQuery)/.test(operation)),
      [],
    )
  })

  it('is reported on again without where entities come from', async () => {
    const { stderr } = await done('report', '--overwrite')
    assert.match(stderr, /the page does not say where entities usually come from/)
    assert.ok(stderr.includes(STAGE), stderr)
  })

  it('is staged and extracted again by the same commands, and goes on as before', async () => {
    const staged = await all.run('stage', [...window('02', '03'), ...DIRECT, '--yes'])
    assert.equal(staged.result?.run, id, staged.stderr)
    assert.deepEqual([staged.result.repeated, staged.result.skipped], [false, 0])
    assert.equal(staged.result.staged, `${WORKSPACE}/bulk/${id}/staged/`)
    assert.equal(staged.result.manifest, `${WORKSPACE}/bulk/${id}/manifest.csv`)
    assert.equal((await done('extract', '--yes')).result.repeated, false)
    assert.deepEqual(await linesAt(all.sandbox, id, 'pairs/holdout/'), holdout)
    assert.equal((await done('train', ...ROLE)).result.repeated, true, 'the pairs are the same')
    const { stderr } = await done('score', '--overwrite', '--yes')
    assert.doesNotMatch(stderr, /any more/)
  })

  it('pairs of which a part has expired are no pairs', async () => {
    const { s3 } = all.sandbox
    // Athena writes some thirty objects, the sandbox one.
    const [key = ''] = s3.keys(BUCKET, `prestage/bulk/${id}/pairs/train/`)
    const rows = String(await s3.get(BUCKET, key)).split(/(?<=\n)/)
    s3.put(BUCKET, `${key}-2`, rows.splice(5).join(''))
    s3.put(BUCKET, key, rows.join(''))
    assert.equal((await done('extract', '--yes')).result.repeated, true)
    assert.equal((await done('train', ...ROLE)).result.repeated, true)
    s3.delete(BUCKET, key)
    const { code, stderr } = await take('train', '--overwrite', ...ROLE)
    assert.equal(code, 1)
    assert.match(stderr, /not all pairs are in s3:\/\/.*\/pairs\/train\/\n.*scripts\/extract\.mjs .*--overwrite/)
    assert.equal(all.sandbox.requests.of('CreateTrainingJob'), 1)
    assert.equal((await done('extract', '--yes')).result.repeated, false)
    assert.equal((await done('train', ...ROLE)).result.repeated, true)
  })

  it('is cleaned: the endpoint is found and goes', async () => {
    expire(all.sandbox, id)
    const { result } = await done('clean', '--yes')
    const whats = (result.removed as { what: string }[]).map(({ what }) => what)
    assert.ok(whats.includes('endpoint prestage-cloudtrail'), String(whats))
    const { endpoints, configs, models } = all.sandbox.sagemaker.names()
    assert.deepEqual([endpoints, configs, models], [[], [], []])
    await done('clean', '--everything', '--yes')
    assert.deepEqual(
      all.sandbox.s3.keys(BUCKET).filter((key) => key.includes(id)),
      [],
    )
    assert.deepEqual(all.sandbox.violations, [])
  })
})
