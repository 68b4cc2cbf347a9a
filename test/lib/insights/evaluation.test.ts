import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thresholdFor } from '../../../scripts/lib/insights/calibration.ts'
import { scoreBy } from '../../../scripts/lib/insights/encoder.ts'
import { calibrate, distinctOf, examplesOf, holdoutOf } from '../../../scripts/lib/insights/evaluation.ts'
import { isPublic } from '../../../scripts/lib/insights/ipv4.ts'
import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'
import { homeBodies, someWeights } from './tiny.ts'

const HOLDOUT: Pairs = {
  entities: ['known', 'seldom', 'new'],
  entityIndex: Uint32Array.of(0, 1, 0, 2, 0, 0),
  ip: Uint32Array.of(9, 9, 7, 9, 9, 8),
}
const KNOWN = new Map([
  ['known', 10],
  ['seldom', 9],
])

test('only pairs of entities that can be scored count, and the rest is counted', () => {
  const { scorable, unseen, sparse } = holdoutOf(HOLDOUT, KNOWN, 10)
  assert.deepEqual([[...scorable], unseen, sparse], [[0, 2, 4, 5], 1, 1])
})

test('each pair that can be scored is taken once', () => {
  const { entities, entityIndex, ip } = distinctOf(holdoutOf(HOLDOUT, KNOWN, 10))
  assert.deepEqual(
    [...ip].map((address, i) => [entities[entityIndex[i] ?? -1], address]),
    [
      ['known', 7],
      ['known', 8],
      ['known', 9],
    ],
  )
})

test('an attack is the same entity from a random public address, the same for the same seed', () => {
  const holdout = holdoutOf(homeBodies(20, 500), new Map(homeBodies(20, 1).entities.map((entity) => [entity, 99])), 10)
  const examples = examplesOf(holdout, 1)
  assert.equal(examples.normal.length, 10_000)
  assert.ok(examples.attack.every(isPublic))
  assert.ok(new Set(examples.attack).size > 9_900)
  assert.deepEqual(examples, examplesOf(holdout, 1))
  assert.notDeepEqual(examples.attack, examplesOf(holdout, 2).attack)
  const sample = examplesOf(holdout, 1, 100)
  assert.equal(sample.normal.length, 100)
})

const SETTINGS = { alertsPerDay: 2, days: 3, minEvents: 10, seed: 1, model: 'digest' }

test('a calibration holds what later thresholds need', async () => {
  const calibration = await calibrate(
    scoreBy(someWeights()),
    { train: homeBodies(5, 40), holdout: homeBodies(5, 20, 9) },
    SETTINGS,
  )
  assert.ok(calibration !== undefined)
  assert.equal(calibration.threshold, calibration.tail[6])
  assert.equal(thresholdFor(calibration, 1), calibration.tail[3])
  assert.equal(calibration.holdoutPairs, 100)
  assert.equal(calibration.baselines.net16.normalSeen, 1)
  assert.ok(calibration.baselines.net16.auc > 0.9)
})

test('the threshold is chosen among distinct pairs: one that comes all day is one alert', async () => {
  const all = (ips: readonly number[]): Pairs => ({
    entities: ['e'],
    entityIndex: new Uint32Array(ips.length),
    ip: Uint32Array.from(ips),
  })
  const score = (_: readonly string[], __: Uint32Array, ips: Uint32Array) => Float64Array.from(ips)
  const holdout = all([...Array.from({ length: 90 }, () => 5), 6, 7, 8, 9, 10])
  const settings = { ...SETTINGS, alertsPerDay: 3, days: 1 }
  const calibration = await calibrate(score, { train: all(Array.from({ length: 20 }, () => 5)), holdout }, settings)
  assert.deepEqual(
    [calibration?.holdoutPairs, calibration?.distinctPairs, calibration?.threshold, calibration?.tail],
    [95, 6, 8, [5, 6, 7, 8, 9, 10]],
  )
})

test('without a pair to score there is no calibration', async () =>
  assert.equal(
    await calibrate(scoreBy(someWeights()), { train: homeBodies(5, 9), holdout: homeBodies(5, 20) }, SETTINGS),
    undefined,
  ))

test('it stops when told to', () =>
  assert.rejects(
    calibrate(
      scoreBy(someWeights()),
      { train: homeBodies(5, 40), holdout: homeBodies(5, 20) },
      SETTINGS,
      AbortSignal.abort(new Error('stopped')),
    ),
    /stopped/,
  ))
