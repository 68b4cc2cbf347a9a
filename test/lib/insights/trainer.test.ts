import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Encoder, scoreAll } from '../../../scripts/lib/insights/encoder.ts'
import { validated } from '../../../scripts/lib/insights/hyperparameters.ts'
import { Products } from '../../../scripts/lib/insights/kernel/products.ts'
import { auc } from '../../../scripts/lib/insights/metrics.ts'
import { entityRow, initialWeights, levelsOf, prefixRow } from '../../../scripts/lib/insights/network.ts'
import { Random } from '../../../scripts/lib/insights/random.ts'
import { prefixRowsFor, randomOf, trainWeights } from '../../../scripts/lib/insights/trainer.ts'
import { homeBodies, SHAPE, someWeights, tablesOf } from './tiny.ts'

test('products in blocks are the plain ones to the bit, for any number of vectors and outputs', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 11 }), fc.nat(1000), (count, dim, seed) => {
      const random = new Random(seed)
      const some = (size: number) => Float32Array.from({ length: size }, () => random.normal())
      const [weight, bias, x] = [some(dim * dim), some(dim), some(count * dim)]
      const products = new Products([{ weight, bias }], dim, count)
      products.values[0]!.set(x)
      const y = products.multiply(0, count)
      for (let n = 0; n < count; n++)
        for (let o = 0; o < dim; o++) {
          let expected = bias[o]!
          for (let i = 0; i < dim; i++) expected += weight[o * dim + i]! * x[n * dim + i]!
          assert.equal(y[n * dim + o], Math.fround(expected))
        }
    }),
  ))

test('many scores at once are the single ones', () => {
  const weights = someWeights()
  const random = new Random(8)
  const ips = Uint32Array.from({ length: 1001 }, () => random.uint32())
  const rows = ips.map((ip) => ip % SHAPE.entityRows)
  const one = new Encoder(weights, 1)
  for (const [n, score] of scoreAll(weights, rows, ips).entries()) {
    const vector = one.encode([ips[n]!], 1)
    let expected = 0
    for (let i = 0; i < SHAPE.dim; i++) expected += weights.entities[rows[n]! * SHAPE.dim + i]! * vector[i]!
    assert.ok(Math.abs(score - expected) < 1e-5)
  }
})

test('addresses of one prefix share its row, and every row lies in the table', () => {
  const { levels, rows } = levelsOf(SHAPE)
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(255), (ip, host) => {
      for (const level of levels) assert.ok(prefixRow(ip, level) >= level.offset && prefixRow(ip, level) < rows)
      const sibling = ((ip & 0xffffff00) | host) >>> 0
      assert.deepEqual(
        levels.map((level) => prefixRow(ip, level)),
        levels.map((level) => prefixRow(sibling, level)),
      )
    }),
  )
})

for (const [addresses, expected] of [
  [1, 1024],
  [512, 1024],
  [513, 2048],
  [40_000, 65_536],
] as const)
  test(`${addresses} networks get ${expected} rows`, () =>
    assert.equal(prefixRowsFor(Uint32Array.from({ length: addresses }, (_, i) => i << 8)), expected))

for (const [size, rate] of [
  [1000, 1],
  [1000, 2],
  [1000, 4],
  [1000, 5],
  [1000, 8],
  [1000, 499],
  [997, 2],
  [20, 12],
] as const)
  test(`of ${size} pairs with ${rate} random negatives each, every one gets as many different addresses, and every address has work`, () => {
    const pool = Math.ceil((size * rate) / 4)
    const uses = new Uint32Array(pool)
    for (let pair = 0; pair < size; pair++) {
      const own = Array.from({ length: rate }, (_, round) => randomOf(pair, round, rate, pool))
      assert.equal(new Set(own).size, rate)
      for (const address of own) uses[address]! += 1
    }
    assert.deepEqual(
      uses.filter((n) => n < 3 || n > 5),
      new Uint32Array(),
    )
  })

const SET = validated({ num_entity_vectors: 100, vector_dim: 8, epochs: 6, learning_rate: 0.02, mini_batch_size: 100 })

test('it learns who comes from where', async () => {
  const [train, holdout] = [homeBodies(20, 200), homeBodies(20, 50, 6)]
  const losses: number[] = []
  const weights = await trainWeights(train, { hyperparameters: SET, seed: 1, onEpoch: (_, loss) => losses.push(loss) })
  const rows = holdout.entityIndex.map((e) => entityRow(holdout.entities[e]!, 100))
  const others = holdout.ip.map((_, i) => holdout.ip[(i + 7) % holdout.ip.length]!)
  assert.ok(auc(scoreAll(weights, rows, holdout.ip), scoreAll(weights, rows, others)) > 0.98)
  assert.ok(losses.length === 6 && losses[5]! < 0.3 * losses[0]!, losses.join(' '))
})

for (const [name, change] of [
  ['no layer', { num_ip_encoder_layers: 0 }],
  ['three layers', { num_ip_encoder_layers: 3 }],
  ['an odd length', { vector_dim: 7 }],
  ['no random negatives', { random_negative_sampling_rate: 0 }],
  ['no shuffled negatives', { shuffled_negative_sampling_rate: 0, random_negative_sampling_rate: 3 }],
  ['a batch larger than the set', { mini_batch_size: 100_000, epochs: 100 }],
] as const)
  test(`it learns with ${name}`, async () => {
    const losses: number[] = []
    const hyperparameters = { ...SET, epochs: 20, ...change }
    const weights = await trainWeights(homeBodies(10, 100), {
      hyperparameters,
      seed: 1,
      onEpoch: (_, loss) => losses.push(loss),
    })
    assert.ok(losses.at(-1)! < 0.6 * losses[0]!, losses.join(' '))
    assert.ok(tablesOf(weights).every(([, table]) => table.every(Number.isFinite)))
  })

for (const [network, bits] of [
  ['/8', 24],
  ['/12', 20],
  ['/16', 16],
  ['/20', 12],
  ['/24', 8],
] as const)
  test(`it tells neighbours apart that differ from the ${network} on`, async () => {
    const random = new Random(6)
    const users = 8
    const rows = Array.from({ length: users * 300 }, (_, i) => i % users)
    // Alike before the last bits of their network, and anywhere in what lies below it.
    const address = (user: number) => ((0x14000000 ^ (user << bits)) | random.below(2 ** bits)) >>> 0
    const pairs = {
      entities: Array.from({ length: users }, (_, user) => `user_${user}`),
      entityIndex: Uint32Array.from(rows),
      ip: Uint32Array.from(rows, address),
    }
    const hyperparameters = { ...SET, epochs: 20 }
    const weights = await trainWeights(pairs, { hyperparameters, seed: 1 })
    const entities = Uint32Array.from(rows, (user) => entityRow(`user_${user}`, 100))
    const own = scoreAll(weights, entities, Uint32Array.from(rows, address))
    const others = scoreAll(
      weights,
      entities,
      Uint32Array.from(rows, (user) => address((user + 3) % users)),
    )
    assert.ok(auc(own, others) > 0.95, `AUC ${auc(own, others)}`)
  })

test('every table of weights is trained, the layers of the encoder too', async () => {
  const pairs = homeBodies(10, 100)
  const hyperparameters = { ...SET, num_ip_encoder_layers: 2 }
  const weights = await trainWeights(pairs, { hyperparameters, seed: 1 })
  const start = new Map(tablesOf(initialWeights(weights.shape, 1)))
  for (const [name, table] of tablesOf(weights)) assert.notDeepEqual(table, start.get(name), name)
})

test('equal seeds, equal weights; other seeds, other weights', async () => {
  const pairs = homeBodies(10, 50)
  const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => trainWeights(pairs, { hyperparameters: SET, seed })))
  assert.deepEqual(a, b)
  assert.notDeepEqual(a!.entities, c!.entities)
})

test('a penalty keeps weights small', async () => {
  const size = async (weight_decay: number) => {
    const { prefixes } = await trainWeights(homeBodies(10, 50), { hyperparameters: { ...SET, weight_decay }, seed: 1 })
    return prefixes.reduce((sum, x) => sum + x * x, 0)
  }
  assert.ok((await size(0.1)) < 0.8 * (await size(0)))
})

test('it stops soon after it is told to', async () => {
  const stop = new AbortController()
  let epochs = 0
  const training = trainWeights(homeBodies(10, 200), {
    hyperparameters: { ...SET, epochs: 1_000_000 },
    seed: 1,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('stopped')),
    onEpoch: () => {
      epochs += 1
    },
  })
  await assert.rejects(training, /stopped/)
  assert.ok(epochs < 10_000)
})
