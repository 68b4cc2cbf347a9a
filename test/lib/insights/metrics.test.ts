import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { auc, aucOfRule, countBelow, quantile, roc } from '../../../scripts/lib/insights/metrics.ts'

const of = (...values: number[]): Float64Array => Float64Array.from(values)
/** Few values, so that ties are frequent. */
const scores = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 }).map((list) => of(...list))

/** The definition itself: every pair is compared. */
function aucByPairs(normal: Float64Array, attack: Float64Array): number {
  let sum = 0
  for (const high of normal) for (const low of attack) sum += high > low ? 1 : high === low ? 0.5 : 0
  return sum / (normal.length * attack.length)
}

test('AUC is what comparing every pair gives', () =>
  fc.assert(
    fc.property(scores, scores, (normal, attack) => {
      assert.ok(Math.abs(auc(normal, attack) - aucByPairs(normal, attack)) < 1e-12)
    }),
  ))

for (const [name, normal, attack, expected] of [
  ['apart', of(3, 4), of(1, 2), 1],
  ['the wrong way round', of(1, 2), of(3, 4), 0],
  ['all equal', of(1, 1), of(1, 1, 1), 0.5],
] as const)
  test(`AUC: ${name}`, () => assert.equal(auc(normal, attack), expected))

test('AUC of nothing is no number', () => assert.ok(Number.isNaN(auc(of(), of(1)))))

test('the ROC curve goes up from nothing to everything, and its area is the AUC', () =>
  fc.assert(
    fc.property(scores, scores, (normal, attack) => {
      const points = roc(normal, attack, 1000)
      assert.deepEqual([points[0]?.falsePositives, points[0]?.truePositives], [0, 0])
      assert.deepEqual([points.at(-1)?.falsePositives, points.at(-1)?.truePositives], [1, 1])
      let area = 0
      for (let i = 1; i < points.length; i++) {
        const [before, here] = [points[i - 1]!, points[i]!]
        assert.ok(here.falsePositives >= before.falsePositives && here.truePositives >= before.truePositives)
        area += ((here.falsePositives - before.falsePositives) * (here.truePositives + before.truePositives)) / 2
      }
      assert.ok(Math.abs(area - auc(normal, attack)) < 1e-9)
    }),
  ))

test('a ROC curve has no more points than asked for', () => {
  const many = Float64Array.from({ length: 5000 }, (_, i) => Math.sin(i))
  assert.ok(roc(many, many, 50).length <= 51)
})

test('counting below', () =>
  fc.assert(
    fc.property(scores, fc.integer({ min: -6, max: 6 }), (values, limit) => {
      assert.equal(countBelow(values.toSorted(), limit), values.filter((value) => value < limit).length)
    }),
  ))

for (const [q, expected] of [
  [0, 1],
  [0.25, 2],
  [0.5, 3],
  [0.9, 8.4],
  [1, 10],
] as const)
  test(`the ${q}-quantile`, () => assert.ok(Math.abs(quantile(of(1, 2, 3, 6, 10), q) - expected) < 1e-12))

test('quantiles of one and of none', () => {
  assert.equal(quantile(of(7), 0.3), 7)
  assert.ok(Number.isNaN(quantile(of(), 0.5)))
})

test('the AUC of a yes/no rule is that of its answers as scores', () =>
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1 }),
      fc.array(fc.boolean(), { minLength: 1 }),
      (normal, attack) => {
        const [n, a] = [normal, attack].map((list) => Float64Array.from(list, Number))
        const share = (list: boolean[]) => list.filter(Boolean).length / list.length
        assert.ok(Math.abs(aucOfRule(share(normal), share(attack)) - auc(n!, a!)) < 1e-12)
      },
    ),
  ))
