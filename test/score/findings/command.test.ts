import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { silentContext } from '../../../scripts/lib/cli/command.ts'
import { UsageError, UserError } from '../../../scripts/lib/cli/errors.ts'
import { fitted } from '../../../scripts/lib/cli/shapes.ts'
import { take } from '../../../scripts/lib/cli/take.ts'
import { encodeEntity } from '../../../scripts/lib/insights/entity-codec.ts'
import { siteText } from '../../../scripts/lib/insights/ipv6.ts'
import type { Run } from '../../../scripts/lib/runs/run.ts'
import type { Verdict } from '../../../scripts/lib/runs/verdicts.ts'
import { command } from '../../../scripts/score/command.ts'
import { runScript } from '../../support/run-script.ts'
import { simulatedLogs } from '../../support/simulated.ts'
import { tempFolder } from '../../support/temp.ts'
import { HOSTILE, trainedRun } from '../../support/trained-run.ts'
import { SecurityHub } from './security-hub.ts'
import { asffBatch, ocsfFinding } from './shapes.ts'

const workspace = tempFolder()
const hub = { findingsAccount: '012345678901', findingsRegion: 'eu-west-1' }
let run: Run
before(async () => {
  run = await trainedRun(workspace)
})

type Findings = { open: number; allowed: number; merged: number; capped: number; files: string[] }

async function score(change: Record<string, unknown> = {}) {
  const { json, text } = await take(command, silentContext(), { workspace, run: run.id, ...change })
  return { json, text, findings: json.findings as Findings }
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')
const verdictsOf = (path: string): Verdict[] => linesOf(path).map((line) => JSON.parse(line) as Verdict)
const batchesOf = (files: readonly string[]) =>
  files
    .filter((path) => path.endsWith('.json'))
    .map((path) => fitted(asffBatch, JSON.parse(readFileSync(path, 'utf8'))))

test('three formats of the same alerts; a rerun writes the same bytes', async () => {
  const wanted = { findings: ['asff', 'ocsf', 'csv'], ...hub }
  const { json, findings, text } = await score(wanted)
  assert.deepEqual(
    findings.files.map((path) => path.slice(path.lastIndexOf('/') + 1)),
    ['asff-0001.json', 'ocsf.ndjson', 'findings.csv'],
  )
  const [asff = [], ...rest] = batchesOf(findings.files)
  assert.equal(rest.length, 0)
  const ids = asff.map(({ Id }) => Id)
  const ocsf = linesOf(findings.files[1] ?? '').map((line) => fitted(ocsfFinding, JSON.parse(line)))
  assert.deepEqual(
    ocsf.map(({ finding_info: { uid } }) => uid),
    ids,
  )
  const rows = parse(readFileSync(findings.files[2] ?? ''), { columns: true }) as Record<string, string>[]
  assert.deepEqual(
    rows.map(({ id }) => id),
    ids,
  )
  assert.equal(findings.open + findings.merged + findings.capped, json.flagged)
  assert.match(text, /^findings +\d+/m)
  for (const { ProductArn, AwsAccountId } of asff)
    assert.deepEqual(
      [ProductArn, AwsAccountId],
      ['arn:aws:securityhub:eu-west-1:012345678901:product/012345678901/default', '012345678901'],
    )
  assert.ok(HOSTILE.some((entity) => asff.some(({ ProductFields }) => ProductFields['prestage/entity'] === entity)))
  const before = findings.files.map((path) => readFileSync(path, 'utf8'))
  const again = await score(wanted)
  assert.equal(again.json.repeated, true)
  assert.deepEqual(
    again.findings.files.map((path) => readFileSync(path, 'utf8')),
    before,
  )
})

test('the cap is for a day; what is beyond it is counted', async () => {
  const all = await score({ findings: ['asff'], ...hub, threshold: 1000, findingsCap: 1000 })
  const few = await score({ findings: ['asff'], ...hub, threshold: 1000, findingsCap: 3 })
  // The holdout is two days long.
  assert.deepEqual([all.findings.capped, few.findings.open], [0, 6])
  assert.equal(few.findings.capped, all.findings.open - 6)
})

test('nothing flagged: no batch, since Security Hub takes no empty one', async () => {
  const { findings } = await score({ findings: ['asff', 'csv'], ...hub, threshold: -1000 })
  assert.deepEqual([findings.open, findings.files.length], [0, 1])
  assert.equal(linesOf(findings.files[0] ?? '').length, 1)
})

test('an allowed network: Security Hub archives its findings, and opens them again when it is allowed no longer', async () => {
  const hubs = [new SecurityHub('taken'), new SecurityHub('ignored')]
  const imported = async (change: Record<string, unknown> = {}) => {
    const { findings } = await score({ findings: ['asff'], ...hub, ...change })
    for (const one of hubs) for (const batch of batchesOf(findings.files)) one.import(batch)
    return batchesOf(findings.files).flat()
  }
  const [worst = assert.fail()] = await imported()
  const network = worst.ProductFields['prestage/network'] ?? ''
  const states = () => hubs.map((one) => one.finding(worst.Id).RecordState)
  assert.deepEqual(states(), ['ACTIVE', 'ACTIVE'])
  // The holdout ends before any of this is scored, so that event times could not tell the three apart.
  await imported({ allow: [network] })
  assert.deepEqual(states(), ['ARCHIVED', 'ARCHIVED'])
  for (const one of hubs) assert.ok(one.finding(worst.Id).Description.includes(`allowed: ${network}`))
  await imported({ allow: [network] })
  assert.deepEqual(states(), ['ARCHIVED', 'ARCHIVED'])
  const opened = await imported()
  assert.deepEqual(states(), ['ACTIVE', 'ACTIVE'])
  for (const one of hubs) assert.doesNotMatch(one.finding(worst.Id).Description, /allowed/)
  // Files of an earlier night that somebody imports late.
  for (const one of hubs) one.import([{ ...worst, RecordState: 'ARCHIVED' }])
  assert.deepEqual(states(), ['ACTIVE', 'ACTIVE'])
  assert.equal(opened.find(({ Id }) => Id === worst.Id)?.UpdatedAt, hubs[0]?.finding(worst.Id).UpdatedAt)
})

test('the accesses of another run are told with its own window', async () => {
  const other = await trainedRun(workspace, {
    logs: '/others',
    from: '2026-11-30T00:00:00.000Z',
    to: '2026-12-02T00:00:00.000Z',
  })
  const { findings } = await score({ fromRun: other.id, findings: ['asff'], ...hub })
  const [finding = assert.fail()] = batchesOf(findings.files).flat()
  assert.deepEqual(
    [finding.FirstObservedAt, finding.LastObservedAt],
    ['2026-11-30T00:00:00.000Z', '2026-12-01T23:59:59.999Z'],
  )
  assert.equal(finding.ProductFields['prestage/run'], other.id)
})

test('the account and region of the run, where it has only one', async () => {
  const own = await trainedRun(workspace, { accounts: ['111122223333'], regions: ['cn-north-1'] })
  const { findings } = await score({ run: own.id, findings: ['asff', 'ocsf'] })
  const [finding = assert.fail()] = batchesOf(findings.files).flat()
  assert.match(finding.ProductArn, /^arn:aws-cn:securityhub:cn-north-1:111122223333:/)
  const named = await score({ run: own.id, findings: ['asff'], ...hub })
  assert.match(batchesOf(named.findings.files)[0]?.[0]?.ProductArn ?? '', /eu-west-1:012345678901/)
})

test('OCSF and CSV need no account', async () => {
  const { findings } = await score({ findings: ['ocsf', 'csv'] })
  const [line = ''] = linesOf(findings.files[0] ?? '')
  assert.deepEqual(fitted(ocsfFinding, JSON.parse(line)).cloud, { provider: 'AWS' })
})

const refused: [what: string, change: Record<string, unknown>, says: RegExp][] = [
  ['nobody knows whose', { findings: ['asff'] }, /do not tell whose Security Hub is meant/],
  ['an account without region', { findings: ['asff'], findingsAccount: '012345678901' }, /whose Security Hub/],
  ['no account', { findings: ['csv'], findingsAccount: '12345678901' }, /--findings-account must be 12 digits/],
  ['no region', { findings: ['csv'], findingsRegion: 'Ireland' }, /--findings-region must be a region/],
  ['files', { pairs: ['p.csv'], model: 'm', findings: ['csv'] }, /--findings needs logs/],
]

for (const [what, change, says] of refused)
  test(`refused before anything is scored: ${what}`, async () => {
    rmSync(run.path('scores'), { recursive: true, force: true })
    await assert.rejects(score(change), (error) => error instanceof UsageError && says.test(error.message))
    assert.equal(existsSync(run.path('scores')), false)
  })

test('verdicts that are none', async () => {
  const { json } = await score()
  mkdirSync(run.path('scores'), { recursive: true })
  writeFileSync(String(json.output), '{"entity"\n')
  await assert.rejects(
    score({ findings: ['csv'] }),
    (error) => error instanceof UserError && /holdout\/verdicts\.ndjson:1 is not a verdict/.test(error.message),
  )
  rmSync(String(json.output))
})

const usage: [args: string[], says: RegExp][] = [
  [['--findings', 'xml'], /--findings.*must be one of asff, ocsf, csv/],
  [['--findings', 'csv', '--findings-period', '40d'], /--findings-period.*from 1h to 30d/],
  [['--findings', 'csv', '--findings-cap', '0'], /--findings-cap.*must be a whole number from 1 on/],
]

for (const [args, says] of usage)
  test(`score ${args.join(' ')}`, async () => {
    const { stdout, stderr, code } = await runScript('score', ['--workspace', workspace, ...args])
    assert.deepEqual([stdout, code], ['', 2])
    assert.match(stderr, says)
  })

test('simulated logs, all steps as scripts: the flagged pairs, told once a /24 and day, at the times of their events', async () => {
  const [logs, own] = [
    await simulatedLogs({ from: '2026-03-02', to: '2026-03-08', users: 40, events: 12_000 }),
    tempFolder(),
  ]
  const take = async (script: string, ...args: string[]) => {
    const { stdout, stderr, code } = await runScript(script, ['--workspace', own, '--output', 'json', ...args])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  await take('stage', '--source', 'cloudtrail', '--logs', logs, '--from', '2026-03-02', '--to', '2026-03-08')
  const extracted = await take('extract', '--holdout', '40%')
  await take('train', '--epochs', '6')
  const alerts = ['--findings', 'asff,ocsf', '--findings-account', '111122223333', '--findings-region', 'us-east-1']
  const json = await take('score', '--alerts-per-day', '30', ...alerts, '--findings-cap', '8')
  const findings = json.findings as Findings
  const flagged = new Map(
    verdictsOf(String(json.output))
      .filter((verdict) => verdict.flagged)
      .map((verdict) => [`${encodeEntity(verdict.entity)},${verdict.ip}`, verdict]),
  )
  // Each hour of a flagged pair, by entity, /24 or /48, and day.
  const expected = new Map<string, { first: number; last: number; accesses: number }>()
  for (const row of linesOf(`${own}/runs/${extracted.run}/times/part-00000.csv`)) {
    const [entity = '', ip = '', ...numbers] = row.split(',')
    const [first = 0, last = 0, accesses = 0] = numbers.map(Number)
    if (first < Date.parse(String(extracted.cutoff)) || !flagged.has(`${entity},${ip}`)) continue
    const name = [new Date(first).toISOString().slice(0, 10), entity, siteText(ip)].join(' ')
    const known = expected.get(name) ?? { first, last, accesses: 0 }
    expected.set(name, {
      first: Math.min(first, known.first),
      last: Math.max(last, known.last),
      accesses: accesses + known.accesses,
    })
  }
  const perDay = new Map<string, number>()
  for (const name of expected.keys()) perDay.set(name.slice(0, 10), (perDay.get(name.slice(0, 10)) ?? 0) + 1)
  assert.ok(perDay.size >= 2 && [...perDay.values()].some((n) => n > 8), JSON.stringify([...perDay]))
  const kept = [...perDay.values()].reduce((sum, n) => sum + Math.min(n, 8), 0)
  assert.deepEqual([findings.open, findings.capped], [kept, expected.size - kept])
  const told = batchesOf(findings.files).flat()
  assert.equal(told.length, kept)
  for (const { FirstObservedAt, LastObservedAt, ProductFields: fields } of told) {
    const entity = encodeEntity(fields['prestage/entity'] ?? '')
    const { first, last, accesses } =
      expected.get([FirstObservedAt.slice(0, 10), entity, fields['prestage/network']].join(' ')) ?? assert.fail()
    assert.deepEqual(
      [Date.parse(FirstObservedAt), Date.parse(LastObservedAt), fields['prestage/accesses']],
      [first, last, String(accesses)],
    )
  }
})

test('event times that are none', async () => {
  await score()
  mkdirSync(run.path('times'))
  writeFileSync(run.path('times/part-0.csv'), 'entity,198.51.100.7,1\n')
  await assert.rejects(
    score({ findings: ['csv'] }),
    (error) => error instanceof UserError && /times\/part-0\.csv is damaged/.test(error.message),
  )
  rmSync(run.path('times'), { recursive: true })
})
