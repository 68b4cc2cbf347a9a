import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { fitted } from '../../../scripts/lib/cli/shapes.ts'
import { formatIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import type { Verdict } from '../../../scripts/lib/runs/verdicts.ts'
import { openStore } from '../../../scripts/lib/stores/open.ts'
import { asffOf } from '../../../scripts/score/findings/asff.ts'
import { csvRows, writeFindings } from '../../../scripts/score/findings/files.ts'
import type { About } from '../../../scripts/score/findings/finding.ts'
import { ocsfOf } from '../../../scripts/score/findings/ocsf.ts'
import { type Gathered, gather, type Times } from '../../../scripts/score/findings/write.ts'
import { isBelow } from '../../../scripts/score/judge.ts'
import { tempFolder } from '../../support/temp.ts'
import { aboutOf, DAY, HUB, verdictOf } from './samples.ts'
import { asffBatch, asffFinding, BATCH_BYTES, FINDING_BYTES, ocsfFinding } from './shapes.ts'

const gathered = (verdicts: readonly Verdict[], change: Partial<About> = {}, cap = 100, times?: Times): Gathered =>
  gather(verdicts.filter(isBelow), aboutOf(change), cap, times)

test('the addresses of an entity in a /24 are one finding, the most anomalous speaks for it', async () => {
  const { findings, merged, capped } = gathered([
    verdictOf({ ip: '198.51.100.7', accesses: 2, label: 'b' }),
    verdictOf({ ip: '198.51.100.9', accesses: 3, dotProduct: -4, label: 'a' }),
    verdictOf({ ip: '198.51.101.1' }),
    verdictOf({ entity: 'wget', ip: '198.51.101.1' }),
    verdictOf({ entity: 'wget', ip: '198.51.101.2', flagged: false, dotProduct: 3 }),
  ])
  assert.deepEqual([merged, capped], [1, 0])
  const [first, ...others] = findings
  assert.deepEqual(
    [first?.network, first?.addresses, first?.accesses, first?.dotProduct, first?.labels],
    ['198.51.100.0/24', ['198.51.100.7', '198.51.100.9'], 5, -4, ['a', 'b']],
  )
  assert.deepEqual(others.map(({ entity }) => entity).sort(), ['curl/8', 'wget'])
})

test('the cap holds for every day of what was judged, and the most anomalous stay', async () => {
  const verdicts = Array.from({ length: 30 }, (_, i) =>
    verdictOf({ entity: `e${i}`, dotProduct: -((i * 7) % 30), ip: `198.51.${i}.1` }),
  )
  const oneDay = gathered(verdicts, {}, 4)
  assert.deepEqual(
    oneDay.findings.map(({ dotProduct }) => dotProduct),
    [-29, -28, -27, -26],
  )
  assert.equal(oneDay.capped, 26)
  const from = new Date('2026-03-08T12:00:00Z')
  const window = { from, to: new Date('2026-03-11T00:00:00Z') }
  assert.equal(gathered(verdicts, { window }, 4).findings.length, 10)
})

test('where event times are known: a finding for each period, with the accesses in it, and the cap of each day', () => {
  const noon = Date.UTC(2026, 2, 10, 12)
  const window = { from: new Date(noon - DAY), to: new Date(noon + 3 * DAY) }
  const span = (at: number, accesses: number) => ({ first: at, last: at + 60_000, accesses })
  const times: Times = ({ entity }) =>
    entity === 'curl/8' ? [span(noon, 2), span(noon + 3_600_000, 3), span(noon + DAY, 7)] : [span(noon, 1)]
  const verdicts = [
    verdictOf({ accesses: 12 }),
    verdictOf({ ip: '198.51.100.9', accesses: 12, dotProduct: -2 }),
    verdictOf({ entity: 'wget', dotProduct: -5 }),
    verdictOf({ entity: 'httpie', dotProduct: -1.5 }),
  ]
  const daily = gathered(verdicts, { window }, 2, times)
  assert.deepEqual(
    daily.findings.map(({ entity, first, last, accesses }) => [entity, first, last, accesses]),
    [
      ['wget', noon, noon + 60_000, 1],
      // Two addresses, each with 2 + 3 accesses on the first day and 7 on the second.
      ['curl/8', noon, noon + 3_660_000, 10],
      ['curl/8', noon + DAY, noon + DAY + 60_000, 14],
    ],
  )
  assert.deepEqual([daily.merged, daily.capped], [2, 1])
  const ids = daily.findings.map(({ id }) => id)
  assert.match(ids[1] ?? '', /\/20260310T0000Z\//)
  assert.match(ids[2] ?? '', /\/20260311T0000Z\//)
  // The same access within another window is the same alert.
  const later = gathered(verdicts, { window: { from: new Date(noon), to: new Date(noon + DAY) } }, 9, times)
  for (const id of ids) assert.ok(later.findings.some((finding) => finding.id === id))
  const weekly = gathered(verdicts, { window, period: 7 * DAY }, 9, times)
  assert.deepEqual(
    weekly.findings.map(({ entity, accesses }) => [entity, accesses]),
    [
      ['wget', 1],
      ['curl/8', 24],
      ['httpie', 1],
    ],
  )
})

test('what is allowed becomes a finding that nobody need look at, and none of the cap', async () => {
  const allowed = { flagged: false, allowed: '198.51.100.0/24' }
  const { findings } = gathered(
    [
      verdictOf(allowed),
      verdictOf({ ip: '198.51.100.8', ...allowed }),
      verdictOf({ entity: 'wget', ip: '203.0.113.1' }),
      verdictOf({ entity: 'wget', ip: '203.0.113.9', flagged: false, allowed: '203.0.113.9/32', dotProduct: -9 }),
    ],
    {},
    1,
  )
  assert.deepEqual(
    findings.map(({ state, entity, addresses }) => [state, entity, addresses.length]),
    [
      ['open', 'wget', 1],
      ['allowed', 'curl/8', 2],
    ],
  )
  const [open = assert.fail(), closed = assert.fail()] = findings
  const about = aboutOf()
  const { RecordState, Severity, Description, ProductFields } = fitted(asffFinding, asffOf(closed, about, HUB))
  assert.deepEqual([RecordState, Severity.Label], ['ARCHIVED', 'INFORMATIONAL'])
  for (const text of [Description, ProductFields['prestage/allowed'] ?? ''])
    assert.match(text, /^Scores below the threshold, but lies in what is allowed: 198\.51\.100\.0\/24/)
  const { Description: described, ProductFields: fields } = fitted(asffFinding, asffOf(open, about, HUB))
  assert.doesNotMatch(described, /allowed/)
  assert.equal('prestage/allowed' in fields, false)
  const ocsf = fitted(ocsfFinding, ocsfOf(closed, about))
  assert.deepEqual([ocsf.type_uid, ocsf.status, ocsf.severity], [200403, 'Suppressed', 'Informational'])
})

test('an id stands for source, account, entity, /24 and period, and for nothing else', async () => {
  const idOf = async (verdict: Partial<Verdict> = {}, about: Partial<About> = {}): Promise<string> =>
    gathered([verdictOf(verdict)], about).findings[0]?.id ?? assert.fail()
  const id = await idOf()
  assert.match(id, /^prestage\/waf\/any-account\/20260310T0000Z\/198\.51\.100\.0-24\/[0-9a-f]{32}$/)
  const later = { from: new Date('2026-03-10T05:00:00Z'), to: new Date('2026-03-10T20:00:00Z') }
  const same = [
    await idOf({ ip: '198.51.100.250', dotProduct: -7, accesses: 9, events: 3 }),
    await idOf({}, { run: 'another', threshold: 9, region: 'eu-west-1' }),
    await idOf({}, { window: later }),
  ]
  assert.deepEqual(new Set(same), new Set([id]))
  const others = [
    await idOf({ entity: 'curl/9' }),
    await idOf({ ip: '198.51.101.7' }),
    await idOf({}, { account: '012345678901' }),
    await idOf({}, { source: 'cloudtrail' }),
    await idOf({}, { kind: 'host' }),
    await idOf({}, { period: DAY / 2 }),
    await idOf({}, { window: { from: new Date('2026-03-11T00:00:00Z'), to: new Date('2026-03-12T00:00:00Z') } }),
  ]
  assert.equal(new Set([id, ...others]).size, others.length + 1)
})

const severities: [what: string, change: Partial<Verdict>, label: string][] = [
  ['a /16 never seen', { seen: { ip: false, net24: false, net16: false } }, 'MEDIUM'],
  ['a /16 that was seen', { seen: { ip: false, net24: false, net16: true } }, 'LOW'],
  ['nothing known of before', {}, 'LOW'],
]

for (const [what, change, label] of severities)
  test(`severity of ${what}`, async () => {
    const [finding = assert.fail()] = gathered([verdictOf(change)]).findings
    assert.equal(fitted(asffFinding, asffOf(finding, aboutOf(), HUB)).Severity.Label, label)
  })

const hostile = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).map((part) => part.repeat(100)),
  fc.constantFrom('\ud800', ' ', '\n', '=1+2', '"', '\u202e', `${'x'.repeat(9000)}a`, `${'x'.repeat(9000)}b`),
)

test('whatever strangers call themselves: each format holds its shape, ids are distinct, nothing hidden is raw', async () => {
  const kinds = fc.constantFrom(
    'user-agent',
    'principal',
    'principal-session',
    'arn',
    'user-name',
    'access-key',
    'account',
    'host',
  )
  const source = fc.constantFrom('cloudtrail', 'waf')
  const names = fc.uniqueArray(hostile, { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(names, kinds, source, async (entities, kind, from) => {
      const about = aboutOf({ kind, source: from, account: HUB.account, region: HUB.region })
      const { findings } = gather(
        entities.map((entity) => verdictOf({ entity, label: entity })),
        about,
        100,
        undefined,
      )
      assert.equal(new Set(findings.map(({ id }) => id)).size, entities.length)
      for (const finding of findings) {
        const asff = asffOf(finding, about, HUB)
        fitted(asffFinding, asff)
        fitted(ocsfFinding, ocsfOf(finding, about))
        assert.ok(Buffer.byteLength(JSON.stringify(asff)) < FINDING_BYTES)
      }
      const rows = parse([...csvRows(findings, about)].join('')) as string[][]
      assert.equal(rows.length, entities.length + 1)
      for (const row of rows) {
        assert.equal(row.length, 28)
        for (const cell of row) assert.doesNotMatch(cell, /[\p{Cc}\p{Cf}]|^[=+@]/u)
      }
    }),
    { numRuns: 150 },
  )
})

test('findings of whatever is flagged: every flagged pair is in one, merged or beyond the cap', async () => {
  const pair = fc.record({
    entity: fc.constantFrom('a', 'b', 'c'),
    ip: fc.nat({ max: 2000 }).map((n) => formatIpv4(0x0a000000 + n)),
    fate: fc.constantFrom('flagged', 'allowed', 'normal'),
    dotProduct: fc.integer({ min: -9, max: 0 }),
  })
  const unique = fc.uniqueArray(pair, { selector: ({ entity, ip }) => `${entity} ${ip}`, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(unique, fc.integer({ min: 1, max: 5 }), async (pairs, cap) => {
      const verdicts = pairs.map(({ fate, ...rest }) =>
        verdictOf({ ...rest, flagged: fate === 'flagged', ...(fate === 'allowed' && { allowed: '10.0.0.0/8' }) }),
      )
      const { findings, merged, capped } = gathered(verdicts, {}, cap)
      const open = findings.filter(({ state }) => state === 'open')
      assert.equal(open.length + merged + capped, verdicts.filter((verdict) => verdict.flagged).length)
      assert.ok(open.length <= cap)
      if (capped > 0) assert.equal(open.length, cap)
    }),
  )
})

test('hundreds of findings are batches of a hundred; what an earlier run left beyond them goes', async () => {
  const [folder, about] = [tempFolder(), aboutOf(HUB)]
  const store = await openStore(folder)
  const entity = (i: number) => `${i} ${'🙂'.repeat(5000)}`
  const { findings } = gathered(
    Array.from({ length: 250 }, (_, i) => verdictOf({ entity: entity(i) })),
    {},
    1000,
  )
  const keys = await writeFindings(store, 'asff', findings, about)
  assert.deepEqual(keys, ['asff-0001.json', 'asff-0002.json', 'asff-0003.json'])
  const batches = keys.map((key) => readFileSync(`${folder}/${key}`))
  for (const batch of batches) assert.ok(batch.length < BATCH_BYTES)
  assert.deepEqual(
    batches.map((batch) => fitted(asffBatch, JSON.parse(batch.toString())).length),
    [100, 100, 50],
  )
  await writeFindings(store, 'csv', findings, about)
  await writeFindings(store, 'asff', findings.slice(0, 3), about)
  assert.deepEqual(readdirSync(folder).sort(), ['asff-0001.json', 'findings.csv'])
})
