import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Evaluation, evaluate } from '../../scripts/evaluate/evaluate.ts'
import { alarmsOf, recallAt } from '../../scripts/evaluate/recall.ts'
import { scoreBy } from '../../scripts/lib/insights/encoder.ts'
import { calibrate } from '../../scripts/lib/insights/evaluation.ts'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import { parseCidr } from '../../scripts/lib/insights/ipv4.ts'
import { trainWeights } from '../../scripts/lib/insights/trainer.ts'
import { simulatedWorld } from '../support/worlds.ts'

/** Attacks stay in the holdout: nobody knows them there either. */
const world = simulatedWorld({ seed: 21, users: 250 })
const { signal } = new AbortController()
let evaluation: Evaluation
before(async () => {
  const hyperparameters = validated({
    num_entity_vectors: 500,
    vector_dim: 16,
    mini_batch_size: 1000,
    epochs: 3,
    learning_rate: 0.01,
  })
  const score = scoreBy(await trainWeights(world.train, { hyperparameters, seed: 1 }))
  const { train, holdout, days } = world
  const settings = { alertsPerDay: 5, days, minEvents: 10, seed: 1, model: '' }
  const { rank } = (await calibrate(score, { train, holdout }, settings)) ?? assert.fail()
  const subject = { train, holdout, days, minEvents: 10, score, ...(rank && { rank }) }
  const listed = [parseCidr('50.0.0.0/16'), parseCidr('130.7.0.0/20')]
  const found = await evaluate(subject, { seed: 2, attacks: 2000, alertsPerDay: [5, 25], listed }, signal)
  evaluation = found ?? assert.fail()
})

const line = (attackers: string, prior: string, ranking: string) =>
  evaluation.lines.find((of) => of.attackers === attackers && of.prior === prior && of.ranking === ranking) ??
  assert.fail(ranking)

test('score and evidence together find more than either, whoever the attacker is', () => {
  let [together, best] = [0, 0]
  for (const prior of ['even', 'accesses'])
    for (const kind of ['random-network', 'other-entity', 'other-network', 'near-network', 'listed']) {
      const { recall, high } = line(kind, prior, `evidence, ${prior}`).falseAlarms[0.01] ?? assert.fail()
      const others = [
        '/24 not seen',
        '/16 not seen',
        'share of the /16',
        'prefixes',
        'prefixes + ln n',
        'score',
        'score + ln n',
      ]
      const rivals = others.map((name) => line(kind, prior, name).falseAlarms[0.01]?.recall ?? 0)
      assert.ok(high >= Math.max(...rivals) - 0.1, `${kind} ${prior}: ${recall} against ${rivals.join(' ')}`)
      together += recall
      best += Math.max(
        ...['score', 'prefixes', '/16 not seen'].map((name) => line(kind, prior, name).falseAlarms[0.01]?.recall ?? 0),
      )
    }
  assert.ok(together > best, `${together} against ${best}`)
})

test('recall: attacks before all but so many normal accesses, equals by chance', () => {
  const normal = Float64Array.of(9, 5, 5, 5, 5, 1, 1, 1, 1, 1)
  const at = (attacks: readonly number[], alarms: number) =>
    recallAt(normal, Float64Array.from(attacks), alarmsOf(alarms, normal.length, 1)).recall
  assert.equal(at([10, 8, 7, 1], 1), 0.75)
  assert.equal(at([10, 10, 10, 10], 0), 1)
  assert.equal(at([5, 5], 3), 0.5)
  assert.equal(at([0, 0], 10), 1)
})

test('an interval holds the share, and is narrower with more attacks', () => {
  const normal = Float64Array.from({ length: 1000 }, (_, i) => 1000 - i)
  const width = (many: number): number => {
    const attacks = Float64Array.from({ length: many }, (_, i) => 2000 - (2000 * i) / many)
    const { recall, low, high } = recallAt(normal, attacks, alarmsOf(100, 1000, 1))
    assert.ok(low < recall && recall < high)
    return high - low
  }
  assert.ok(width(10_000) < width(100))
})
