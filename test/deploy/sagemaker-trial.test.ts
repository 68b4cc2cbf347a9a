import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { doubtsAbout, memoryFor, trialHardware, whyHardware } from '../../scripts/deploy/sagemaker/hardware.ts'
import { hourlyUsd } from '../../scripts/deploy/sagemaker/render.ts'
import { answers, tested, warnOfNonsense } from '../../scripts/deploy/sagemaker/trial.ts'
import type { Invoke } from '../../scripts/lib/aws/sagemaker/invoke.ts'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import type { Pairs } from '../../scripts/lib/insights/pairs.ts'
import { isWorse, testOf } from '../../scripts/lib/runs/comparison.ts'
import { modelBytesOf, servingInstance } from '../../scripts/lib/runs/cost.ts'

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
  await answers(invoke)
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
    [
      'pairs that are known to be good score lowest',
      refusing(400, (line) => (isKnown(line) ? -5 : 5)),
      /only 0 of 100 pairs that are known to be good score above/,
    ],
  ]
  for (const [what, invoke, message] of failing)
    it(`fails when ${what}`, () => assert.rejects(asked(invoke, 100), { name: 'UserError', message }))

  it('only warns of a model that does not refuse nonsense with 400', async () => {
    const said: [what: Invoke, warning: RegExp | undefined][] = [
      [async (lines) => lines.map(() => 1), /should get status 400, and the model answers it/],
      [refusing(500, () => 1), /the model refuses it otherwise \(500\)/],
      [refusing(400, () => 1), undefined],
      [async () => Promise.reject(new UserError('endpoint x: the model fails')), /otherwise \(endpoint x: the model/],
    ]
    for (const [invoke, warning] of said) {
      const told: string[] = []
      await warnOfNonsense(invoke, (text) => told.push(text))
      if (warning === undefined) assert.deepEqual(told, [])
      else assert.match(told.join(), warning)
    }
    await assert.rejects(
      warnOfNonsense(
        async () => Promise.reject(new TypeError('a bug')),
        () => {},
      ),
      TypeError,
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
    const memory = (vectors: number, dim: number) => memoryFor(modelBytesOf(vectors, dim))
    assert.deepEqual([memory(1000, 8), memory(5_000_000, 32), memory(4_000_000, 128)], [3072, 3072, 5120])
    assert.throws(
      () => memory(10_000_000, 128),
      (error: UserError) =>
        /6144 at most/.test(error.message) && /AWS's table has ml.m5.4xlarge/.test(error.hint ?? ''),
    )
  })

  it('is never less than in the table that AWS has for instances', () => {
    const table: [dim: number, vectors: number, type: string][] = [
      [32, 1_000_000, 'ml.m5.large'],
      [32, 5_000_000, 'ml.m5.xlarge'],
      [32, 10_000_000, 'ml.m5.2xlarge'],
      [32, 50_000_000, 'ml.m5.4xlarge'],
      [64, 10_000_000, 'ml.m5.2xlarge'],
      [128, 1_000_000, 'ml.m5.large'],
      [128, 5_000_000, 'ml.m5.2xlarge'],
      [128, 10_000_000, 'ml.m5.4xlarge'],
      [256, 1_000_000, 'ml.m5.xlarge'],
      [256, 5_000_000, 'ml.m5.4xlarge'],
      [512, 1_000_000, 'ml.m5.2xlarge'],
      [1024, 1_000_000, 'ml.m5.4xlarge'],
    ]
    for (const [dim, vectors, type] of table)
      assert.equal(servingInstance(modelBytesOf(vectors, dim)), type, `${vectors} of ${dim}`)
  })

  it('says why, and what speaks against an instance', () => {
    const [small, large] = [modelBytesOf(20_000, 128), modelBytesOf(10_000_000, 128)]
    const on = (instanceType: string) => ({ instanceType, instances: 2 })
    assert.match(whyHardware(on('ml.m5.large'), small), /^AWS's table has ml.m5.large, 8 GB, for a model of 10\.6 MB$/)
    assert.equal(doubtsAbout(on('ml.m5.large'), small), undefined)
    assert.match(doubtsAbout(on('ml.m5.xlarge'), large) ?? '', /has 16 GB, and AWS's table has ml.m5.4xlarge, 64 GB/)
    assert.equal(doubtsAbout(on('ml.m5.12xlarge'), large), undefined)
    assert.equal(doubtsAbout(on('ml.zz9.large'), large), undefined)
  })

  it('on trial is the least of what will serve', () => {
    assert.deepEqual(trialHardware({ memoryMB: 4096, concurrency: 20 }), { memoryMB: 4096, concurrency: 1 })
    const on = { instanceType: 'ml.m5.large', instances: 3 }
    assert.deepEqual(trialHardware(on), { ...on, instances: 1 })
  })

  it('costs by the hour, or nothing, or nobody knows', () => {
    assert.equal(hourlyUsd({ memoryMB: 2048, concurrency: 4 }), 0)
    // With 30 GB of disk at 0.14 a month, where an instance has none of its own; and two alarms at 0.10 for scaling.
    const [two, disk, alarms] = [{ instanceType: 'ml.m5.large', instances: 2 }, (30 * 0.14) / 730, 0.2 / 730]
    const isNear = (usd: number | undefined, expected: number) =>
      assert.ok(Math.abs((usd ?? 0) - expected) < 1e-9, `${usd}`)
    isNear(hourlyUsd(two), 2 * (0.115 + disk))
    isNear(hourlyUsd(two, { min: 2, max: 4 }), 2 * (0.115 + disk) + alarms)
    isNear(hourlyUsd({ instanceType: 'ml.g4dn.xlarge', instances: 1 }), 0.736)
    assert.equal(hourlyUsd({ instanceType: 'ml.zz9.large', instances: 2 }), undefined)
  })
})
