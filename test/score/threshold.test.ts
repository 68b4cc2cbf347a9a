import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Accesses } from '../../scripts/lib/insights/accesses.ts'
import { parseCidr } from '../../scripts/lib/insights/ipv4.ts'
import { cappedThreshold } from '../../scripts/score/judge.ts'
import { summaryOf } from '../../scripts/score/render.ts'
import { scoreResult } from '../support/results.ts'

/** One entity from the addresses 0.0.0.0 up, whose values are their numbers. */
const ten = {
  accesses: new Accesses({
    entities: ['e'],
    entityIndex: new Uint32Array(10),
    ip: Uint32Array.from({ length: 10 }, (_, i) => i),
  }),
  events: () => 50,
}
const scored = {
  dotProducts: new Float64Array(10),
  values: Float64Array.from({ length: 10 }, (_, i) => i),
}
const policy = { threshold: 6, minEvents: 10, allow: [] }

const flagged = (budget: number, change: object = {}, more: readonly number[] = []): number[] => {
  const task = { ...ten, policy: { ...policy, ...change } }
  const threshold = cappedThreshold(task, scored, { budget, more })
  return [...scored.values].filter((value) => value < threshold)
}

test('the most suspicious pairs of what is judged fill the budget, and no quiet day is made loud', () => {
  assert.deepEqual(flagged(3), [0, 1, 2])
  assert.deepEqual(flagged(100), [0, 1, 2, 3, 4, 5])
  assert.deepEqual(flagged(0), [])
})

test('pairs in allowed networks take nothing of the budget', () =>
  assert.deepEqual(flagged(3, { allow: [parseCidr('0.0.0.1/32')] }), [0, 1, 2, 3]))

const texts: [rank: 'score' | 'evidence', threshold: number, says: string][] = [
  ['score', -12.3456789, 'dot product below -12.346'],
  ['score', 0.000123456789, 'dot product below 0.00012346'],
  ['evidence', 5.87764321, 'anomaly score above -5.8776'],
  ['evidence', 0, 'anomaly score above 0.0000'],
]
for (const [rank, threshold, says] of texts)
  test(`a threshold is told with five digits, however small: ${says}`, () => {
    const summary = summaryOf(scoreResult({ rank, threshold }))
    assert.ok(summary.includes(`1: ${says}, for 10 alerts a day\n`), summary)
  })
