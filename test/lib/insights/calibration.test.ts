import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import {
  type Calibration,
  calibrationText,
  parseCalibration,
  scoresOf,
  thresholdFor,
} from '../../../scripts/lib/insights/calibration.ts'

const ten = Float64Array.from([5, 3, 9, 1, 7, 2, 8, 4, 6, 0])

for (const [alertsPerDay, days, flagged] of [
  [0, 1, 0],
  [1, 1, 1],
  [3, 1, 3],
  [1.5, 2, 3],
  [0.4, 2, 0],
  [2, 3.7, 7],
  [9, 1, 9],
  [10, 1, 10],
  [1000, 30, 10],
] as const)
  test(`${alertsPerDay} alerts a day over ${days} days flag ${flagged} of ten`, () => {
    const threshold = thresholdFor({ ...scoresOf(ten), days }, alertsPerDay)
    assert.equal(ten.filter((score) => score < threshold).length, flagged)
  })

test('the budget always holds, in the tail and beyond it, and ties never exceed it', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9000 }),
      fc.nat(9000),
      fc.integer({ min: 1, max: 5000 }),
      (count, budget, values) => {
        const scores = Float64Array.from({ length: count }, (_, i) => (i * 7919) % values)
        const threshold = thresholdFor({ ...scoresOf(scores), days: 1 }, budget)
        const flagged = scores.filter((score) => score < threshold).length
        assert.ok(flagged <= budget)
        if (budget >= count) assert.equal(flagged, count)
        // Beyond the tail the quantiles may give away a thousandth, and ties are left out together.
        if (values >= 5000 && count < 5000) assert.ok(flagged >= Math.min(budget, count) - count / 1000 - 1)
      },
    ),
    { numRuns: 50 },
  ))

test('there is nothing to calibrate on', () => assert.throws(() => scoresOf(new Float64Array()), RangeError))

const baseline = { normalSeen: 0.9, attackSeen: 0.1, auc: 0.9 }
const calibration: Calibration = {
  version: 1,
  threshold: 2,
  alertsPerDay: 10,
  days: 3,
  minEvents: 10,
  holdoutPairs: 12,
  unseenPairs: 1,
  sparsePairs: 1,
  ...scoresOf(ten),
  auc: 0.99,
  baselines: { ip: baseline, net24: baseline, net16: baseline },
  model: 'ab',
}

test('a calibration survives being written', () =>
  assert.deepEqual(parseCalibration(calibrationText(calibration)), calibration))

test('its lists stand on one line each', () => assert.ok(calibrationText(calibration).split('\n').length < 40))

for (const [name, broken, message] of [
  [
    'no tail',
    { ...calibration, tail: [] },
    /^UserError: calibration.json cannot be read: tail: expected a number or more, found array$/,
  ],
  ['one quantile', { ...calibration, quantiles: [1] }, /quantiles: expected two numbers or more/],
  ['half a pair', { ...calibration, holdoutPairs: 1.5 }, /holdoutPairs: expected whole number, found 1\.5/],
  ['a negative budget', { ...calibration, alertsPerDay: -1 }, /alertsPerDay: expected >=0, found -1/],
  ['a share beyond the whole', { ...calibration, auc: 1.01 }, /auc: expected <=1, found 1\.01/],
  ['a number as text', { ...calibration, threshold: '2' }, /threshold: expected number, found "2"/],
  ['a rule that is left out', { ...calibration, baselines: { ip: baseline } }, /baselines\.net24: is missing/],
  ['another version', { ...calibration, version: 2 }, /version/],
  ['an unknown member', { ...calibration, treshold: 1 }, /treshold/],
  ['no days', { ...calibration, days: 0 }, /days/],
] as const)
  test(`refused: ${name}`, () => assert.throws(() => parseCalibration(JSON.stringify(broken)), message))

test('refused: a threshold beyond all numbers', () =>
  assert.throws(
    () => parseCalibration(JSON.stringify(calibration).replace('"threshold":2', '"threshold":1e999')),
    /threshold: expected finite number, found Infinity/,
  ))

test('refused: no JSON', () => assert.throws(() => parseCalibration('{'), UserError))
