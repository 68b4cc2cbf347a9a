import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { VerdictSummary } from '../../scripts/report/verdict-summary.ts'

const verdictOf = (change: Partial<Verdict>): Verdict => ({
  entity: 'e',
  ip: '192.0.2.1',
  events: 50,
  verdict: 'scored',
  flagged: false,
  accesses: 1,
  ...change,
})
const scoredAs = (dotProduct: number, change: Partial<Verdict> = {}) =>
  verdictOf({ dotProduct, anomalyScore: -dotProduct, ...change })

function summaryOf(verdicts: Iterable<Verdict>): VerdictSummary {
  const summary = new VerdictSummary()
  for (const verdict of verdicts) summary.add(verdict)
  return summary
}

/** How many of the shown pairs are flagged, not flagged, and allowed. */
function shown(verdicts: Iterable<Verdict>): [flagged: number, others: number, allowed: number] {
  const summary = summaryOf(verdicts)
  const top = summary.top()
  const scores = top.map(({ anomalyScore }) => anomalyScore ?? Number.NaN)
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  )
  const flagged = top.filter((verdict) => verdict.flagged).length
  return [flagged, top.length - flagged, summary.allowedTop().length]
}

const many = (n: number, from: number, change: Partial<Verdict> = {}) =>
  Array.from({ length: n }, (_, i) => scoredAs(from - i / n, change))
const FLAGGED = { flagged: true }
const ALLOWED = { allowed: '192.0.2.0/24' }

const address = (accesses: number) => ({ ip: '192.0.2.1', accesses })

const tables: [what: string, verdicts: Verdict[], flagged: number, others: number, allowed?: number][] = [
  ['all that is flagged, and three more', [...many(5, -9, FLAGGED), ...many(99, 5)], 5, 3],
  [
    'what is allowed pushes out nothing that is flagged',
    [...many(5, -9, FLAGGED), ...many(99, -20, ALLOWED)],
    5,
    0,
    99,
  ],
  [
    'nor does much of it',
    [...many(3000, -20, ALLOWED), ...many(16, -9, FLAGGED), ...many(3000, -20, ALLOWED)],
    16,
    0,
    1000,
  ],
  ['all of many, and three more', [...many(3000, -9, FLAGGED), ...many(99, 5)], 3000, 3],
  ['no more than 10,000 that are flagged', [...many(41_000, -9, FLAGGED), ...many(99, 5)], 10_000, 3],
  ['nothing flagged', many(99, 5), 0, 3],
  ['nothing at all', [], 0, 0],
]
for (const [what, verdicts, flagged, others, allowed = 0] of tables)
  test(`the most anomalous pairs: ${what}`, () => assert.deepEqual(shown(verdicts), [flagged, others, allowed]))

test('every judged pair is in one bar, and those left of the threshold are those that score below it', () => {
  const scores = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 })
  const threshold = fc.double({ min: -1e9, max: 1e9, noNaN: true })
  fc.assert(
    fc.property(scores, scores, fc.option(threshold), (normal, attack, set) => {
      // Mostly it is one of the scores.
      const at = set ?? normal[0] ?? 0
      const summary = summaryOf([
        ...normal.map((score) => scoredAs(score)),
        ...attack.map((score) => scoredAs(score, { label: 'k' })),
      ])
      const bins = summary.bins(at)
      const sum = (group: 'normal' | 'attack', to = Infinity) =>
        bins.filter((bin) => bin.to <= to).reduce((all, bin) => all + bin[group], 0)
      assert.deepEqual([sum('normal'), sum('attack')], [normal.length, attack.length])
      assert.deepEqual(
        [sum('normal', at), sum('attack', at)],
        [normal, attack].map((list) => list.filter((score) => score < at).length),
      )
      assert.ok(bins.length <= 64, `${bins.length} bars`)
    }),
  )
})

test('what is flagged of very many pairs stands left of the threshold, however few', () => {
  const summary = summaryOf([...many(20_000, 9), scoredAs(-30), scoredAs(-31)])
  const bins = summary.bins(-29)
  assert.deepEqual([bins[0]?.to, bins[0]?.normal], [-29, 2])
})

test('what could not be judged: the busiest entities, their addresses and accesses added up', () => {
  const unseen = (entity: string, accesses: number) => verdictOf({ entity, accesses, verdict: 'unseen-entity' })
  const few = Array.from({ length: 2000 }, (_, i) => verdictOf({ entity: `few-${i}`, verdict: 'sparse-entity' }))
  const summary = summaryOf([...few, unseen('new', 40), unseen('new', 2), ...few, scoredAs(1), unseen('other', 3)])
  const list = summary.unjudged()
  assert.equal(list.length, 1000)
  assert.equal(summary.unjudgedEntities, 4002)
  assert.deepEqual(list.slice(0, 2), [
    { entity: 'new', verdict: 'unseen-entity', addresses: 2, busiest: [address(40), address(2)], accesses: 42 },
    { entity: 'other', verdict: 'unseen-entity', addresses: 1, busiest: [address(3)], accesses: 3 },
  ])
})

test('of an entity that could not be judged, the busiest addresses are listed and all are counted', () => {
  const pairs = Array.from({ length: 500 }, (_, i) =>
    verdictOf({ entity: 'new', ip: `192.0.${i >> 8}.${i & 255}`, accesses: i + 1, verdict: 'unseen-entity' }),
  )
  const [one = assert.fail()] = summaryOf(pairs).unjudged()
  assert.deepEqual([one.addresses, one.busiest.length, one.busiest[0]], [500, 20, { ip: '192.0.1.243', accesses: 500 }])
  assert.equal(one.busiest.at(-1)?.accesses, 481)
})
