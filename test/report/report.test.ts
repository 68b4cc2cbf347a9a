import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { createRun, openRun } from '../../scripts/lib/runs/workspace.ts'
import { command as report } from '../../scripts/report/command.ts'
import { command as score } from '../../scripts/score/command.ts'
import { REQUEST } from '../lib/runs/fixture/ledger.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { LABELS, trainedRun } from '../support/trained-run.ts'

const workspace = tempFolder()
let run: Run
before(async () => {
  run = await trainedRun(workspace)
})

const write = async (change: Record<string, unknown> = {}) => {
  const result = await take(report, silentContext(), { workspace, run: run.id, ...change })
  return { ...result.json, page: readFileSync(String(result.json.report), 'utf8') } as {
    repeated: boolean
    report: string
    judged: string
    page: string
  }
}

test('a run that is only trained gets a page that says what is missing', async () => {
  const { page } = await write()
  assert.match(page, /Nothing has been scored yet/)
  assert.match(page, new RegExp(`scripts/score.mjs --run ${run.id}`))
})

test('the command in the page repeats what was typed', async () => {
  const { stdout, code } = await runScript('report', [
    ...['--workspace', workspace, '--profile', 'audit', '--overwrite', '--output', 'json'],
  ])
  assert.equal(code, 0)
  const page = readFileSync(JSON.parse(stdout).report, 'utf8')
  assert.match(page, /scripts\/score.mjs --profile audit --run /)
})

test('once it is scored the page is written anew, and then not again', async () => {
  await take(score, silentContext(), { workspace, run: run.id })
  const first = await write()
  assert.equal(first.repeated, false)
  assert.match(first.page, /do not fit/)
  assert.match(first.page, /&lt;script&gt;alert\(1\)/)
  assert.match(first.page, /random public addresses/)
  assert.equal((await write()).repeated, true)
})

test('the page has the numbers of the run, and where an entity usually comes from', async () => {
  await take(score, silentContext(), { workspace, run: run.id, allow: [], alertsPerDay: 3 })
  const { page } = await write()
  const text = page
    .replace(/<svg[\s\S]*?<\/svg>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
  const now = await openRun(workspace, run.id)
  const [extracted, scored] = [now.result('extract'), now.result('score')]
  for (const [name, value] of [
    ['events', extracted.events],
    ['accesses', extracted.pairs],
    ['to train on', extracted.trainPairs],
    ['held out', extracted.holdoutPairs],
    ['pairs judged', scored.scored],
    ['pairs flagged', scored.flagged],
    ['ipv6', 50],
    ['no-entity', 5],
  ] as const)
    assert.ok(text.includes(` ${name} ${Number(value).toLocaleString('en')} `), `${name} ${value}: ${text}`)
  assert.match(text, / cost so far \$0\.25 \(estimate/)
  const csv = readFileSync(run.path('scores/holdout/anomalies.csv'), 'utf8')
  const [, entity = '', network = ''] =
    /^1,yes,([\w-]+),.*,never,([\d./]+) /m.exec(csv) ?? assert.fail(csv.slice(0, 300))
  assert.match(text, new RegExp(` 1 ${entity} .*? never [^<>]{5,200} 1 ${network} `))
})

test('its command that allows an address is the one that scored, and one more', async () => {
  await take(score, silentContext(), { workspace, run: run.id, threshold: -2.5, allow: ['10.0.0.0/8'] })
  const { page } = await write()
  const [, words = ''] = /npx zx scripts\/score\.mjs ([^<]* --allow )</.exec(page) ?? assert.fail()
  const { stdout, stderr } = await runScript('score', [...words.trim().split(' '), '192.0.2.7', '--output', 'json'])
  assert.ok(stdout, stderr)
  const { threshold, allow } = JSON.parse(stdout)
  assert.deepEqual([threshold, allow], [-2.5, ['10.0.0.0/8', '192.0.2.7/32']])
})

test('scored with labels it shows what was found; and equal runs give equal bytes', async () => {
  await take(score, silentContext(), { workspace, run: run.id, labels: `${workspace}/${LABELS}` })
  const first = await write()
  assert.equal(first.repeated, false)
  assert.match(first.page, /random-network/)
  assert.match(first.page, /of 24 \(\d+(\.\d)? %\)/)
  rmSync(run.path('report.html'))
  const again = await write()
  assert.equal(again.repeated, false)
  assert.equal(again.page, first.page)
  assert.equal((await write({ overwrite: true })).page, first.page)
})

test('a page names what was judged: another run has a page of its own, under its own window', async () => {
  const other = await trainedRun(workspace, {
    logs: '/others',
    from: '2026-12-03T00:00:00.000Z',
    to: '2026-12-04T00:00:00.000Z',
  })
  const holdout = await write({ fromRun: 'holdout' })
  const { next } = await take(score, silentContext(), { workspace, run: run.id, fromRun: other.id })
  assert.match(next ?? '', new RegExp(`scripts/report\\.mjs --run ${run.id} --from-run ${other.id}`))
  // What was scored last is what is shown.
  const shown = await write()
  assert.deepEqual([shown.judged, shown.report], [other.id, run.path(`scores/${other.id}/report.html`)])
  assert.match(
    shown.page,
    /<title>AWS WAF · 3 Dec 2026 – 4 Dec 2026 UTC, judged by the model of 20 Nov 2026 – 30 Nov 2026 UTC<\/title>/,
  )
  assert.match(shown.page, new RegExp(`The model judged the accesses of run ${other.id}, by the model of 20 Nov 2026`))
  assert.match(shown.page, new RegExp(`<dt>judged run</dt><dd>${other.id}</dd>`))
  assert.match(
    holdout.page,
    /<title>AWS WAF · 2\d Nov 2026( \d\d:\d\d)? – 30 Nov 2026 UTC, judged by the model of 20 Nov 2026 – /,
  )
  assert.match(shown.page, new RegExp(`query.mjs --run ${other.id} .*addresses-of-entity.sql --entity-name=<`))
  assert.match(shown.page, new RegExp(`score.mjs --run ${run.id} --from-run ${other.id} .*--allow <`))
  const again = await write({ fromRun: 'holdout' })
  assert.deepEqual([again.repeated, again.page], [true, holdout.page])
  await take(score, silentContext(), { workspace, run: run.id, overwrite: true })
})

test('a run without a model has a page all the same, and it says what comes next', async () => {
  const bare = await createRun(workspace, { ...REQUEST, logs: '/quiet' })
  const plan = { settings: {}, inputs: [], overwrite: false }
  const { ledger } = await openRun(workspace, run.id)
  const { stage, extract } = ledger.steps
  await bare.step('stage', plan, async () => stage?.result ?? assert.fail())
  await bare.step('extract', plan, async () => extract?.result ?? assert.fail())
  const { json } = await take(report, silentContext(), { workspace, run: bare.id })
  const page = readFileSync(String(json.report), 'utf8')
  assert.match(page, /There is no model yet\. Nothing has been scored\./)
  assert.match(page, new RegExp(`scripts/train\\.mjs --run ${bare.id}`))
  assert.doesNotMatch(page, /NaN|>undefined</)
})

test('a damaged calibration is refused with what to do, not with a stack', async () => {
  const path = run.path('model/calibration.json')
  const before = readFileSync(path, 'utf8')
  writeFileSync(path, '{"version"')
  await assert.rejects(
    write({ overwrite: true }),
    (error) => error instanceof UserError && /calibration\.json cannot be read/.test(error.message),
  )
  writeFileSync(path, before)
})

test('a damaged file of verdicts is named with its line', async () => {
  const before = readFileSync(run.path('scores/holdout/verdicts.ndjson'), 'utf8')
  writeFileSync(run.path('scores/holdout/verdicts.ndjson'), `${before.split('\n')[0]}\n{"entity":`)
  await assert.rejects(write({ overwrite: true }), /verdicts\.ndjson:2 is not a verdict/)
  writeFileSync(run.path('scores/holdout/verdicts.ndjson'), before)
})

test('report as a script: the path is the result, and it says so when nothing was scored', async () => {
  const other = await trainedRun(workspace, { logs: '/others' })
  const ended = await runScript('report', ['--workspace', workspace, '--run', other.id, '--output', 'json'])
  assert.equal(ended.code, 0, ended.stderr)
  assert.equal(JSON.parse(ended.stdout).report, other.path('report.html'))
  assert.match(ended.stderr, /nothing has been scored yet/)
})

test('report --dry-run writes nothing', async () => {
  const other = await trainedRun(workspace, { logs: '/dry' })
  const { json } = await take(report, silentContext(), { workspace, run: other.id, dryRun: true })
  assert.deepEqual(json, {
    run: other.id,
    dryRun: true,
    report: other.path('report.html'),
    inputs: ['stage', 'extract', 'train'],
  })
  assert.equal((await openRun(workspace, other.id)).isDone('report'), false)
})

test('a run that is not trained is told what to do', async () => {
  const bare = await createRun(workspace, REQUEST)
  const ended = await runScript('report', ['--workspace', workspace, '--run', bare.id])
  assert.match(ended.stderr, /has no finished train\n {2}npx zx scripts\/train\.mjs/)
  assert.equal(ended.code, 1)
})
