import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import { trainWeights } from '../../scripts/lib/insights/trainer.ts'
import { alertsNextDay } from '../support/next-day.ts'
import { simulatedWorld } from '../support/worlds.ts'

test('a budget holds on the day after a holdout with attacks, where its own threshold would be all but silent', async () => {
  const hyperparameters = validated({
    num_entity_vectors: 300,
    vector_dim: 8,
    mini_batch_size: 500,
    epochs: 1,
    learning_rate: 0.01,
  })
  let silent = 0
  for (const seed of [31, 32, 33]) {
    const world = simulatedWorld({ seed, users: 120 })
    const { held, plain } = await alertsNextDay(
      world,
      await trainWeights(world.train, { hyperparameters, seed: 1 }),
      10,
    )
    assert.ok(held >= 8 && held <= 12, `seed ${seed}: ${held} alerts`)
    if (plain < 7.5) silent += 1
  }
  assert.equal(silent, 3)
})
