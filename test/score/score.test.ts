import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Endpoint, startEndpoint } from '../../scripts/deploy/local/endpoint.ts'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { UsageError, UserError } from '../../scripts/lib/cli/errors.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { parseCalibration, thresholdFor } from '../../scripts/lib/insights/calibration.ts'
import { digestOf, loadModel } from '../../scripts/lib/insights/model.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { openRun } from '../../scripts/lib/runs/workspace.ts'
import { command } from '../../scripts/score/command.ts'
import { extractResult } from '../support/results.ts'
import { runProcess, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { HOSTILE, LABELS, trainedRun } from '../support/trained-run.ts'
import { thisProcess } from '../support/waiting.ts'
import { faultyEndpoint, honest, never, status, text } from './faulty-endpoint.ts'

const workspace = tempFolder()
const labels = `${workspace}/${LABELS}`
let run: Run
let endpoint: Endpoint
before(async () => {
  run = await trainedRun(workspace)
  const path = run.path('model/model.tar.gz')
  endpoint = await startEndpoint({ model: await loadModel(path), digest: digestOf(readFileSync(path)) })
})
after(() => endpoint.close())

const verdictsIn = (path: string): Verdict[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict)

async function score(change: Record<string, unknown> = {}) {
  const { json } = await take(command, silentContext(thisProcess), { workspace, run: run.id, ...change })
  return { json, verdicts: existsSync(String(json.output)) ? verdictsIn(String(json.output)) : [] }
}

test('every distinct pair gets one verdict, and nothing unknown is passed off as normal', async () => {
  const { json, verdicts } = await score()
  const counted = (kind: string) => verdicts.filter(({ verdict }) => verdict === kind).length
  assert.deepEqual([json.scored, json.unseen, json.sparse], ['scored', 'unseen-entity', 'sparse-entity'].map(counted))
  assert.deepEqual([json.unseen, json.sparse], [2, 1])
  assert.equal(new Set(verdicts.map(({ entity, ip }) => `${ip} ${entity}`)).size, verdicts.length)
  const rows = readFileSync(run.path('pairs/holdout/part-0.csv'), 'utf8').trimEnd().split('\n').length
  assert.equal(
    verdicts.reduce((sum, { accesses }) => sum + accesses, 0),
    rows,
  )
  for (const { verdict, flagged, dotProduct } of verdicts)
    if (verdict !== 'scored') assert.deepEqual([flagged, dotProduct], [false, undefined])
  for (const entity of HOSTILE) assert.ok(verdicts.some((verdict) => verdict.entity === entity))
  assert.equal(json.flagged, verdicts.filter(({ flagged }) => flagged).length)
})

test('the threshold comes from the calibration and the alerts a day', async () => {
  const calibration = parseCalibration(readFileSync(run.path('model/calibration.json'), 'utf8'))
  for (const alertsPerDay of [0, 1, 10, 100_000]) {
    const { json, verdicts } = await score({ alertsPerDay, rank: 'score' })
    assert.equal(json.threshold, thresholdFor(calibration, alertsPerDay))
    assert.ok(Number(json.flagged) <= alertsPerDay * calibration.days)
    for (const { dotProduct, anomalyScore, flagged } of verdicts)
      if (dotProduct !== undefined)
        assert.deepEqual([flagged, anomalyScore], [dotProduct < Number(json.threshold), 0 - dotProduct])
  }
})

test('directly and through the endpoint: the same bytes', async () => {
  const direct = await score({ labels, overwrite: true })
  const through = await score({ labels, overwrite: true, endpoint: endpoint.url })
  assert.equal(through.json.digest, direct.json.digest)
  assert.deepEqual(through.verdicts, direct.verdicts)
  assert.equal(through.json.repeated, false)
})

test('a rerun does nothing; other settings score again; a lost file too', async () => {
  await score({ alertsPerDay: 3 })
  assert.equal((await score({ alertsPerDay: 3 })).json.repeated, true)
  assert.equal((await score({ alertsPerDay: 3, endpoint: endpoint.url })).json.repeated, true)
  assert.equal((await score({ alertsPerDay: 4 })).json.repeated, false)
  rmSync(run.path('scores/holdout/verdicts.ndjson'))
  assert.equal((await score({ alertsPerDay: 4 })).json.repeated, false)
})

test('allowed networks are never flagged, and said to be allowed', async () => {
  const open = await score({ threshold: 1000 })
  const [first = assert.fail()] = open.verdicts.filter(({ flagged }) => flagged)
  const network = `${first.ip.split('.')[0]}.0.0.0/8`
  const { json, verdicts } = await score({ threshold: 1000, allow: [network] })
  const inside = verdicts.filter(
    ({ ip, verdict }) => verdict === 'scored' && ip.startsWith(`${first.ip.split('.')[0]}.`),
  )
  assert.ok(inside.length > 0)
  for (const verdict of inside) assert.deepEqual([verdict.flagged, verdict.allowed], [false, network])
  assert.equal(json.allowed, inside.length)
  assert.equal(json.flagged, Number(open.json.flagged) - inside.length)
})

test('--min-events moves who is sparse', async () => {
  const { json } = await score({ minEvents: 2 })
  assert.deepEqual([json.unseen, json.sparse], [2, 0])
  const all = await score({ minEvents: 1000 })
  assert.deepEqual([all.json.scored, all.json.flagged], [0, 0])
})

test('labels: recall and precision of each kind, and of the rules with as many alerts', async () => {
  const { json, verdicts } = await score({ labels })
  const attacks = json.attacks as { kind: string; attacks: number; flagged: number; recall: number; rules: object }[]
  assert.deepEqual(
    attacks.map(({ kind, attacks: all }) => [kind, all]),
    [
      ['near-network', 12],
      ['random-network', 12],
    ],
  )
  const random = attacks[1] ?? assert.fail()
  assert.equal(random.flagged, verdicts.filter(({ label, flagged }) => label === 'random-network' && flagged).length)
  assert.ok(random.recall >= 0.9, `recall ${random.recall}`)
  assert.deepEqual(Object.keys(random.rules), ['ip', 'net24', 'net16'])
})

test('the pairs of another run', async () => {
  const other = await trainedRun(workspace, { logs: '/others' })
  const { json, verdicts } = await score({ fromRun: other.id })
  assert.equal(json.of, other.id)
  const own = await score()
  assert.ok(verdicts.length > own.verdicts.length)
})

test('a run is not judged by the model that has learned it', () =>
  assert.rejects(
    score({ fromRun: run.id }),
    (error) => error instanceof UsageError && /names run \S+ itself/.test(error.message),
  ))

test('another run with other entities is refused', async () => {
  const other = await trainedRun(workspace, { logs: '/hosts' })
  const plan = { settings: {}, inputs: [], overwrite: true }
  await other.step('extract', plan, async () => extractResult({ entity: 'host', digest: 'h' }))
  await assert.rejects(
    score({ fromRun: other.id }),
    (error) => error instanceof UsageError && /"host"/.test(error.message),
  )
})

test('files against a model, without a run', async () => {
  const [model, scores] = [tempFolder(), tempFolder()]
  for (const name of ['model.tar.gz', 'calibration.json']) copyFileSync(run.path(`model/${name}`), `${model}/${name}`)
  const pairs = [run.path('pairs/holdout/part-0.csv')]
  const direct = await score({ pairs, model, scores })
  assert.equal(direct.json.output, `${scores}/verdicts.ndjson`)
  // Files say nothing of what was seen in training.
  assert.equal(direct.json.rank, 'score')
  const own = await score({ rank: 'score' })
  const bare = own.verdicts.map((verdict) =>
    Object.fromEntries(Object.entries(verdict).filter(([name]) => name !== 'seen')),
  )
  assert.deepEqual(direct.verdicts, bare)
  assert.deepEqual((await score({ pairs, model, scores, endpoint: endpoint.url })).verdicts, bare)
})

test('no pair at all is said, and blamed on no entity', async () => {
  const [model, scores] = [tempFolder(), tempFolder()]
  for (const name of ['model.tar.gz', 'calibration.json']) copyFileSync(run.path(`model/${name}`), `${model}/${name}`)
  writeFileSync(`${scores}/empty.csv`, '')
  const said: string[] = []
  const talk = { info: () => {}, detail: () => {}, warn: (text: string) => void said.push(text) }
  const values = { pairs: [`${scores}/empty.csv`], model, scores }
  const { json } = await take(command, silentContext({ talk }), values)
  assert.deepEqual([json.scored, json.unseen, json.sparse], [0, 0, 0])
  assert.deepEqual(said, ['there was no pair to judge (files)'])
})

test('a model without a calibration needs a threshold', async () => {
  const [model, scores] = [tempFolder(), tempFolder()]
  copyFileSync(run.path('model/model.tar.gz'), `${model}/model.tar.gz`)
  const given = { pairs: [run.path('pairs/holdout/part-0.csv')], model, scores }
  await assert.rejects(score(given), /no calibration/)
  const { json } = await score({ ...given, threshold: 0 })
  assert.deepEqual([json.threshold, json.alertsPerDay, json.minEvents], [0, null, 10])
})

test('a calibration of another model is refused, and so is an endpoint that serves another', async () => {
  const other = await startEndpoint({ model: await loadModel(run.path('model/model.tar.gz')), digest: 'another' })
  await assert.rejects(score({ endpoint: other.url, overwrite: true }), /serves another model/)
  await other.close()
  const model = tempFolder()
  copyFileSync(run.path('model/model.tar.gz'), `${model}/model.tar.gz`)
  const calibration = JSON.parse(readFileSync(run.path('model/calibration.json'), 'utf8')) as object
  writeFileSync(`${model}/calibration.json`, JSON.stringify({ ...calibration, model: '00' }))
  const pairs = [run.path('pairs/holdout/part-0.csv')]
  await assert.rejects(score({ pairs, model, scores: tempFolder() }), /belongs to another model/)
})

test('an endpoint that lies leaves the verdicts that were there, and the step is not done', async () => {
  const { verdicts } = await score()
  const liar = await faultyEndpoint(text(() => 'all clear'))
  await assert.rejects(score({ endpoint: liar.url, overwrite: true }), UserError)
  assert.deepEqual(verdictsIn(run.path('scores/holdout/verdicts.ndjson')), verdicts)
  assert.equal((await openRun(workspace, run.id)).isDone('score'), false)
})

test('many pairs go in several requests below the limit, and their answers stay in order', async () => {
  const [model, scores, folder] = [tempFolder(), tempFolder(), tempFolder()]
  mkdirSync(folder, { recursive: true })
  const entity = `agent-9`
  const rows = Array.from({ length: 25_000 }, (_, i) => `${entity},10.${i >> 16}.${(i >> 8) & 255}.${i & 255}\n`)
  writeFileSync(`${folder}/many.csv`, rows.join(''))
  for (const name of ['model.tar.gz', 'calibration.json']) copyFileSync(run.path(`model/${name}`), `${model}/${name}`)
  const counting = await faultyEndpoint(honest)
  const { verdicts } = await score({ pairs: [`${folder}/many.csv`], model, scores, endpoint: counting.url })
  // One request asks whose model it is.
  const asked = counting.bodies.filter((body) => body !== '')
  assert.deepEqual(
    asked.map((body) => body.split('\n').length - 1).sort((a, b) => a - b),
    [5000, 10_000, 10_000],
  )
  assert.deepEqual(
    verdicts.map(({ dotProduct }) => dotProduct),
    rows.map((_, i) => i % 10_000),
  )
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGKILL', undefined],
] as const)
  test(`stopped by ${signal} while an endpoint keeps silent, and done again: the same bytes`, async () => {
    const wanted = (await score({ labels, overwrite: true })).json.digest
    // Asked for its model, it answers; then it fails once, which is said, and then it keeps silent.
    const silent = await faultyEndpoint(honest, status(503), never)
    const args = [
      '--workspace',
      workspace,
      '--run',
      run.id,
      '--labels',
      labels,
      '--overwrite',
      '--endpoint',
      silent.url,
    ]
    const ended = await runProcess('score', args, {
      onStderr: (soFar, kill) => (/asking again/.test(soFar) ? kill(signal) : undefined),
    })
    assert.equal(ended.code, code, ended.stderr)
    assert.equal(ended.stdout, '')
    assert.equal((await score({ labels })).json.digest, wanted)
  })

const refused: [line: string, code: number, says: RegExp][] = [
  ['--pairs a.csv', 2, /--pairs and --model belong together/],
  ['--model m', 2, /--pairs and --model belong together/],
  ['--pairs a.csv --model m --from-run x', 2, /contradict/],
  ['--endpoint localhost:8080', 2, /must be http/],
  ['--allow 10.0.0.1/8', 2, /10\.0\.0\.0\/8 is meant/],
  ['--labels nowhere.csv', 2, /nowhere\.csv/],
  ['--alerts-per-day -1', 2, /must be a number from 0/],
  ['--run nothing', 2, /no run nothing/],
  ['--from-run nothing', 2, /no run nothing/],
  ['--pairs nowhere.csv --model m', 2, /no calibration/],
  ['--pairs nowhere.csv --model m --threshold 0', 1, /no model at/],
]

for (const [line, code, says] of refused)
  test(`score ${line}`, async () => {
    const ended = await runScript('score', ['--workspace', workspace, ...line.split(' ')])
    assert.equal(ended.stdout, '')
    assert.match(ended.stderr, says)
    assert.equal(ended.code, code, ended.stderr)
  })

test('score --dry-run says the threshold and writes nothing', async () => {
  const other = await trainedRun(workspace, { logs: '/dry' })
  const ended = await runScript('score', ['--workspace', workspace, '--run', other.id, '--dry-run', '-o', 'json'])
  assert.equal(JSON.parse(ended.stdout).dryRun, true)
  assert.equal(existsSync(other.path('scores')), false)
})
