import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fewObjects } from '../support/few-objects.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { isThorough } from '../support/thorough.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04']
const logs = await fewObjects()

function fixture() {
  const workspace = tempFolder()
  const pipeline = async (sources: string, more: readonly string[] = [], options: RunOptions = {}) => {
    const given = ['--source', sources, '--logs', logs, ...WINDOW, '--workspace', workspace, '--output', 'json']
    // What comes later wins nothing: an option is given once.
    const kept = given.filter((_, i) => !more.includes(given[i % 2 === 0 ? i : i - 1] ?? ''))
    const ended = await runScript('pipeline', [...kept, ...more], options)
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    return { ...ended, result: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) }
  }
  const pages = () => (existsSync(`${workspace}/reports`) ? readdirSync(`${workspace}/reports`) : [])
  const page = (path: string) => readFileSync(path, 'utf8')
  return { workspace, pipeline, pages, page }
}

/** A page about another window. */
const other = 'cloudtrail-waf-20260301T0000Z-20260302T0000Z-000000.html'

describe('several sources on this machine', () => {
  it('come through one after the other, into one page; again nothing is done twice', async () => {
    const { workspace, pipeline, pages, page } = fixture()
    const labels = ['--labels', `${logs}/labels.csv`]
    const { result, stderr, code } = await pipeline('waf,cloudtrail,waf', labels)
    assert.equal(code, 0, stderr)
    assert.deepEqual(Object.keys(result.runs), ['cloudtrail', 'waf'])
    for (const source of ['cloudtrail', 'waf']) {
      const steps = result.steps[source]
      assert.deepEqual(Object.keys(steps), ['stage', 'extract', 'train', 'deploy', 'score', 'report'])
      assert.ok(steps.score.attacks.length > 0, 'labels of this source')
      assert.equal(steps.stage.run, result.runs[source])
    }
    assert.ok(stderr.indexOf('cloudtrail: report: done') < stderr.indexOf('waf: stage: done'))
    assert.deepEqual(pages().length, 1)
    assert.equal(result.report, `${workspace}/reports/${pages()[0]}`)
    const text = page(result.report)
    for (const source of ['cloudtrail', 'waf']) assert.ok(text.includes(result.runs[source]), source)

    const again = await pipeline('cloudtrail,waf', labels)
    for (const source of ['cloudtrail', 'waf'])
      for (const step of ['stage', 'extract', 'train', 'score', 'report'])
        assert.equal(again.result.steps[source][step].repeated, true, `${source} ${step}`)
    assert.equal(again.result.report, result.report)
    assert.equal(page(result.report), text)

    const one = await pipeline('cloudtrail', labels)
    assert.equal(one.result.run, result.runs.cloudtrail)
    assert.deepEqual(one.result.steps.score, again.result.steps.cloudtrail.score)

    const ranked = await pipeline('cloudtrail', [...labels, '--rank', 'score'])
    assert.equal(ranked.code, 0, ranked.stderr)
    const { train, score } = ranked.result.steps
    assert.deepEqual([train.repeated, score.repeated, score.rank], [true, false, 'score'])
    assert.equal(one.result.steps.score.rank, 'evidence')

    const clean = (...more: string[]) => runScript('clean', ['--workspace', workspace, '--yes', '--run', ...more])
    await clean(result.runs.waf)
    assert.equal(pages().length, 1)
    writeFileSync(`${workspace}/reports/${other}`, result.runs.cloudtrail)
    assert.equal((await clean(result.runs.waf, '--everything')).code, 0)
    assert.deepEqual(pages(), [other])
  })

  it('one that fails is named, and the other goes on to its end', async () => {
    const { workspace, pipeline, page } = fixture()
    const damaged = `${workspace}/logs`
    cpSync(logs, damaged, { recursive: true, filter: (path) => !path.endsWith('labels.csv') })
    const broken = firstBelow(`${damaged}`, /_CloudTrail_us-east-1_20260302.*\.json\.gz$/)
    writeFileSync(broken, 'no gzip')
    const { code, result, stderr } = await pipeline('cloudtrail,waf', ['--logs', damaged])
    assert.equal(code, 1, stderr)
    assert.match(stderr, /warning: cloudtrail failed: a log file cannot be read.*\n.*\.json\.gz.*\n {2}copy it again/)
    assert.match(result.failed.cloudtrail.message, /json\.gz/)
    assert.deepEqual(Object.keys(result.steps.cloudtrail), ['stage'])
    assert.ok(result.steps.waf.report.report)
    assert.match(page(result.report), /CloudTrail failed\.[\s\S]*id="waf"[\s\S]*do not fit/)

    cpSync(broken.replace(damaged, logs), broken)
    rmSync(`${workspace}/runs/${result.runs.cloudtrail}`, { recursive: true })
    const mended = await pipeline('cloudtrail,waf', ['--logs', damaged])
    assert.equal(mended.code, 0, mended.stderr)
    assert.equal(mended.result.report, result.report)
    assert.doesNotMatch(page(result.report), /failed\./)
  })

  it('Ctrl-C stops both, and the same command goes on', async () => {
    const { pipeline, pages } = fixture()
    const stopped = await pipeline('cloudtrail,waf', [], {
      onStderr: (soFar, kill) => soFar.includes('cloudtrail: stage: done') && kill('SIGINT'),
    })
    assert.equal(stopped.code, 130, stopped.stderr)
    assert.doesNotMatch(stopped.stderr, /waf:|failed/)
    assert.deepEqual(pages(), [])
    assert.equal((await pipeline('cloudtrail,waf')).code, 0)
  })

  it('a dry run shows both and does nothing', async () => {
    const { workspace, pipeline } = fixture()
    const { result, code } = await pipeline('cloudtrail,waf', ['--dry-run'])
    assert.equal(code, 0)
    assert.ok(result.steps.cloudtrail.stage.objects > 0 && result.steps.waf.stage.objects > 0)
    assert.equal(result.report, undefined)
    assert.deepEqual(readdirSync(workspace), [])
  })

  it('an entity goes to the source that has it', async () => {
    const { pipeline } = fixture()
    const { result, stderr } = await pipeline('cloudtrail,waf', ['--entity', 'ja4'])
    assert.equal(result?.steps.waf.extract.entity, 'ja4', stderr)
    assert.equal(result.steps.cloudtrail.extract.entity, 'principal')
  })

  const mistakes: [what: string, sources: string, more: string[], says: RegExp][] = [
    [
      'a source that is none',
      'cloudtrial,waf',
      [],
      /--source "cloudtrial": must be one of .* did you mean cloudtrail\?/,
    ],
    ['an entity that no source has', 'cloudtrail,waf', ['--entity', 'ja5'], /neither cloudtrail nor waf has an entity/],
    ['an entity that the only source does not have', 'waf', ['--entity', 'arn'], /waf has no entity "arn"/],
    ['a window that is empty', 'cloudtrail,waf', ['--to', '2026-03-02'], /pipeline: the window is empty/],
  ]
  for (const [what, sources, more, says] of mistakes)
    it(`refuses ${what}, before anything is staged`, async () => {
      const { pipeline, workspace } = fixture()
      const { code, stderr } = await pipeline(sources, more)
      assert.equal(code, 2, stderr)
      assert.match(stderr, says)
      assert.deepEqual(readdirSync(workspace), [])
    })

  it('what fails for one reason is told once', async () => {
    const { code, stderr } = await fixture().pipeline('cloudtrail,waf', ['--logs', '/nowhere/at/all'])
    assert.equal(code, 1)
    assert.match(stderr, /pipeline: cloudtrail and waf: no folder \/nowhere\/at\/all/)
  })
})

/** Of several sources, small logs show the same above. */
it('the demo of both simulates once', { skip: !isThorough && 'only with all tests' }, async () => {
  const cwd = tempFolder()
  const { code, stdout, stderr } = await runScript('pipeline', ['--demo', '--source', 'cloudtrail,waf', '-o', 'json'], {
    cwd,
  })
  assert.equal(code, 0, stderr)
  const { simulate, steps, report } = JSON.parse(stdout)
  assert.deepEqual(simulate.sources, ['cloudtrail', 'waf'])
  assert.equal(stderr.match(/simulate: done/g)?.length, 1)
  for (const source of ['cloudtrail', 'waf']) assert.ok(steps[source].score.flagged > 0, source)
  assert.ok(report.startsWith(`${cwd}/prestage-demo/workspace/reports/cloudtrail-waf-20260302T0000Z-20260312T0000Z-`))
})

function firstBelow(folder: string, name: RegExp): string {
  const path = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .find((file) => name.test(file))
  assert.ok(path, `nothing like ${name} in ${folder}`)
  return `${folder}/${path}`
}
