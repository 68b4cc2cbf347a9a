import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hourlyUsd } from '../../scripts/deploy/sagemaker/render.ts'
import { memoryFor } from '../../scripts/deploy/sagemaker/spec.ts'
import { isWorse, refusesNonsense, tested, testOf, warnOfNonsense } from '../../scripts/deploy/sagemaker/trial.ts'
import type { Invoke } from '../../scripts/lib/aws/sagemaker/invoke.ts'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import type { Pairs } from '../../scripts/lib/insights/pairs.ts'

const SIGNAL = new AbortController().signal

/** One entity from one network; the holdout has as many pairs from elsewhere as wanted. */
const pairs = (ips: number[]): Pairs => ({
  entities: ['a'],
  entityIndex: new Uint32Array(ips.length),
  ip: Uint32Array.from(ips),
})
const HOME = 0x0a000000 + 0x14000000
const known = Array.from({ length: 100 }, (_, i) => HOME + (i % 200))
const strange = Array.from({ length: 100 }, (_, i) => 0x32000000 + i * 65_536)

const refusing =
  (status: number, score: (line: string) => number): Invoke =>
  async (lines) => {
    if (!lines.some((line) => !line.includes(','))) return lines.map(score)
    throw new UserError('refused', { cause: Object.assign(new Error('no'), { OriginalStatusCode: status }) })
  }

const asked = async (invoke: Invoke, alertsPerDay = 1) => {
  await refusesNonsense(invoke)
  const held = { train: pairs(known), holdout: pairs([...known, ...strange]), days: 1, alertsPerDay }
  return tested(invoke, testOf(held), 'digest', SIGNAL)
}

describe('the smoke test', () => {
  const isKnown = (line: string) => line.startsWith('a,30.0.0.')

  it('passes a model that knows its pairs, and gives the calibration', async () => {
    const result = await asked(refusing(400, (line) => (isKnown(line) ? 5 : -5)))
    assert.deepEqual([result?.calibration.model, result?.calibration.distinctPairs], ['digest', 200])
  })

  it('passes whatever the budget of alerts', async () =>
    assert.ok(
      await asked(
        refusing(400, (line) => (isKnown(line) ? 5 : -5)),
        1_000_000,
      ),
    ))

  const failing: [what: string, invoke: Invoke, message: RegExp][] = [
    ['nonsense is answered', async (lines) => lines.map(() => 1), /must get status 400, and the model answered it/],
    ['nonsense gets another status', refusing(415, () => 1), /must get status 400, and the model refused it with 415/],
    [
      'pairs that are known to be good score lowest',
      refusing(400, (line) => (isKnown(line) ? -5 : 5)),
      /only 0 of 100 pairs that are known to be good score above/,
    ],
  ]
  for (const [what, invoke, message] of failing)
    it(`fails when ${what}`, () => assert.rejects(asked(invoke, 100), { name: 'UserError', message }))

  it('with --force nonsense only causes a warning; other failures stay', async () => {
    const told: string[] = []
    const smoke = warnOfNonsense((text) => told.push(text))
    await smoke(async (lines) => lines.map(() => 1))
    await smoke(refusing(500, () => 1))
    await smoke(refusing(400, () => 1))
    assert.deepEqual(told.length, 2)
    assert.match(told.join('\n'), /the model answered it\n.*the model refused it with 500/)
    await assert.rejects(
      smoke(async () => Promise.reject(new UserError('endpoint x: the model fails'))),
      /the model fails/,
    )
  })

  it('what fails otherwise is said as it is', async () => {
    const broken = async () => Promise.reject(new UserError('endpoint x: the model fails'))
    await assert.rejects(asked(broken), /the model fails/)
  })

  it('without a holdout it only has to answer', async () => {
    const held = { train: pairs(known), holdout: pairs([]), days: 1, alertsPerDay: 1 }
    assert.equal(
      await tested(
        refusing(400, () => 1),
        testOf(held),
        'digest',
        SIGNAL,
      ),
      undefined,
    )
  })
})

describe('a challenger', () => {
  const champion = { auc: 0.97, found: 0.8, flagged: 0.01 }
  const cases: [what: string, change: Partial<typeof champion>, worse: boolean][] = [
    ['as good', {}, false],
    ['a hair worse', { auc: 0.966, found: 0.76 }, false],
    ['of a lower AUC', { auc: 0.96 }, true],
    ['that finds less', { found: 0.7 }, true],
    ['that is better', { auc: 0.99, found: 0.9 }, false],
  ]
  for (const [what, change, worse] of cases)
    it(`${what} is ${worse ? 'worse' : 'let through'}`, () =>
      assert.equal(isWorse({ ...champion, ...change }, champion), worse))
})

describe('hardware', () => {
  it('memory follows the model, in steps that SageMaker has', () => {
    assert.deepEqual([memoryFor(1000, 8), memoryFor(5_000_000, 32), memoryFor(4_000_000, 128)], [2048, 3072, 5120])
    assert.throws(() => memoryFor(10_000_000, 128), /a serverless endpoint has 6144 at most/)
  })

  it('costs by the hour, or nothing, or nobody knows', () => {
    assert.equal(hourlyUsd({ memoryMB: 2048, concurrency: 4 }), 0)
    assert.equal(hourlyUsd({ instanceType: 'ml.m5.large', instances: 2 }), 0.23)
    assert.equal(hourlyUsd({ instanceType: 'ml.zz9.large', instances: 2 }), undefined)
  })
})
