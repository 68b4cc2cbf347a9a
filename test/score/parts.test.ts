import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { UsageError } from '../../scripts/lib/cli/errors.ts'
import { spelledOut } from '../../scripts/lib/cli/format.ts'
import { formatNetwork } from '../../scripts/lib/insights/ipv6.ts'
import { networkList } from '../../scripts/lib/runs/network-list.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { Anomalies, anomalyRows } from '../../scripts/score/anomalies.ts'
import { Tally } from '../../scripts/score/tally.ts'
import { readLabels } from '../../scripts/score/user-files.ts'
import { tempFolder } from '../support/temp.ts'

function fileOf(text: string): string {
  const path = `${tempFolder()}/file.txt`
  writeFileSync(path, text)
  return path
}

const verdictOf = (change: Partial<Verdict> = {}): Verdict => ({
  entity: 'e',
  ip: '192.0.2.1',
  events: 50,
  verdict: 'scored',
  dotProduct: -1,
  anomalyScore: 1,
  flagged: true,
  accesses: 1,
  ...change,
})

test('allowed networks come from the command line and from files, each once', async () => {
  const file = fileOf('# offices\n198.51.100.0/24\n\n 203.0.113.9 # the lab\r\n2001:DB8::/32\n')
  const list = await networkList('--allow', ['10.0.0.0/8', file, '10.0.0.0/8', '2001:db8:0::1'])
  const networks = ['10.0.0.0/8', '198.51.100.0/24', '203.0.113.9/32', '2001:db8::/32', '2001:db8::1/128']
  assert.deepEqual(list.map(formatNetwork), networks)
})

const badNetworks: [what: string, entry: string, says: RegExp][] = [
  ['bits beyond the length', '10.0.0.1/8', /--allow "10\.0\.0\.1\/8".*10\.0\.0\.0\/8 is meant\?/],
  ['a length that is none', '10.0.0.0/33', /--allow "10\.0\.0\.0\/33"/],
  ['no address', '10.0.0', /--allow "10\.0\.0"/],
  ['no such file', 'offices.txt', /--allow offices\.txt: ENOENT/],
  ['a line of a file', fileOf('10.0.0.0/8\n2001:db8::/129\n'), /file\.txt:2: "2001:db8::\/129"/],
]

for (const [what, entry, says] of badNetworks)
  test(`an allowed network that is none: ${what}`, () =>
    assert.rejects(networkList('--allow', [entry]), (error) => error instanceof UsageError && says.test(error.message)))

const HEADER = 'source,entity,ip,kind,time\n'

test('labels of the source, by encoded entity and address', async () => {
  const file = fileOf(
    `\ufeff${HEADER}waf,"a ""b"", c",192.0.2.1,other-entity,t\nwaf,john.doe,192.0.2.1,near-network,t\ncloudtrail,x,192.0.2.1,k,t\n`,
  )
  const labels = await readLabels(file, 'waf')
  assert.equal(labels.size, 2)
  assert.equal(labels.of('a%20%22b%22%2C%20c', 0xc0000201), 'other-entity')
  assert.equal(labels.of('john%2Edoe', 0xc0000201), 'near-network')
  assert.equal(labels.of('john.doe', 0xc0000201), undefined)
  assert.equal(labels.of('x', 0xc0000201), undefined)
  assert.equal((await readLabels(file)).of('x', 0xc0000201), 'k')
})

test('labels may come from another editor: with a mark of its encoding, its line breaks and blank lines', async () => {
  const text = `\ufeff${HEADER}\nwaf,a,192.0.2.1,k,t\n\n`
  const labels = await readLabels(fileOf(text.replaceAll('\n', '\r\n')), 'waf')
  assert.equal(labels.of('a', 0xc0000201), 'k')
})

const badLabels: [what: string, text: string, says: RegExp][] = [
  ['nothing at all', '', /the first line must be source,entity,ip,kind,time/],
  ['another header', 'entity,ip\na,b\n', /the first line must be source,entity,ip,kind,time/],
  ['no address', `${HEADER}waf,a,nowhere,k,t\n`, /row 1: not an entity/],
  ['no kind', `${HEADER}waf,a,192.0.2.1,k,t\nwaf,a,192.0.2.1,,t\n`, /row 2/],
  ['a column less', `${HEADER}waf,a,192.0.2.1,k\n`, /file\.txt/],
]

for (const [what, content, says] of badLabels)
  test(`labels that are none: ${what}`, () =>
    assert.rejects(
      readLabels(fileOf(content), 'waf'),
      (error) => error instanceof UsageError && says.test(error.message),
    ))

test('labels: no such file', () => assert.rejects(readLabels('/nowhere.csv'), UsageError))

const nothing = { usualOf: () => [], alerts: [] }

test('whatever strangers write, a row stays a row and no cell begins like a formula', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (entity) => {
      const rows = parse([...anomalyRows([verdictOf({ entity, label: entity })], nothing)].join('')) as string[][]
      assert.equal(rows.length, 2)
      assert.equal(rows[1]?.length, 24)
      const shown = spelledOut(entity)
      for (const cell of [rows[1]?.[2] ?? '', rows[1]?.[11] ?? '']) {
        assert.doesNotMatch(cell, /^[=+\-@]|\p{Cc}|\p{Cf}/u)
        assert.ok([shown, `'${shown}`].includes(cell), cell)
      }
    }),
  )
})

test('names that differ only far beyond what is shown stay different in the table', () => {
  const rows = [...'ab'].map((end) =>
    [...anomalyRows([verdictOf({ entity: `${'x'.repeat(20_000)}${end}` })], nothing)].join(''),
  )
  assert.notEqual(rows[0], rows[1])
})

test('the most anomalous come first, and all that is flagged is among them', () => {
  const anomalies = new Anomalies()
  const scores = Array.from({ length: 3000 }, (_, i) => (i * 7919) % 3000)
  for (const score of scores)
    anomalies.add(verdictOf({ entity: `e${score}`, anomalyScore: score, flagged: score >= 2500 }))
  anomalies.add(verdictOf({ verdict: 'unseen-entity', flagged: false }))
  const top = anomalies.top()
  assert.deepEqual(
    top.map(({ anomalyScore }) => anomalyScore),
    Array.from({ length: 600 }, (_, i) => 2999 - i),
  )
})

test('tally: what is found of each kind, and by the rules with as many alerts', () => {
  const tally = new Tally()
  const seen = (net16: boolean) => ({ seen: { ip: false, net24: false, net16 } })
  for (let i = 0; i < 6; i++) tally.add(verdictOf({ flagged: false, ...seen(true) }))
  for (let i = 0; i < 2; i++) tally.add(verdictOf({ flagged: i === 0, ...seen(false) }))
  tally.add(verdictOf({ label: 'b', ...seen(false) }))
  tally.add(verdictOf({ label: 'b', flagged: false, ...seen(false) }))
  tally.add(verdictOf({ label: 'a', verdict: 'unseen-entity', flagged: false, ...seen(false) }))
  tally.add(verdictOf({ label: 'a', flagged: false, allowed: '192.0.2.0/24', ...seen(true) }))
  const { scored, unseen, sparse, flagged, allowed, attacks } = tally
  assert.deepEqual(
    { scored, unseen, sparse, flagged, allowed, attacks },
    { scored: 11, unseen: 1, sparse: 0, flagged: 2, allowed: 1, attacks: 4 },
  )
  const [a, b] = tally.measured()
  assert.deepEqual([a?.kind, a?.attacks, a?.judged, a?.flagged, a?.recall], ['a', 2, 1, 0, 0])
  assert.deepEqual([b?.kind, b?.attacks, b?.judged, b?.flagged, b?.recall, b?.precision], ['b', 2, 2, 1, 0.5, 0.5])
  // The rule "/16" raises 4 alarms, 2 of them attacks of this kind: 2 alerts find 1 on average.
  assert.deepEqual(b?.rules?.net16, { found: 1, recall: 0.5, precision: 0.5, alarms: 4 })
})

test('without what was seen before, the rules are left out', () => {
  const tally = new Tally()
  tally.add(verdictOf({ label: 'a' }))
  assert.equal('rules' in (tally.measured()[0] ?? assert.fail()), false)
})
