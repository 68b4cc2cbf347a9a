import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asStrings,
  documentedDefaults,
  entityVectorsFor,
  hyperparameterNames,
  validated,
} from '../../../scripts/lib/insights/hyperparameters.ts'

const REQUIRED = { num_entity_vectors: 20_000, vector_dim: 128 }

test('the documented defaults', () =>
  assert.deepEqual(documentedDefaults, {
    batch_metrics_publish_interval: 1000,
    epochs: 10,
    learning_rate: 0.001,
    mini_batch_size: 10_000,
    num_ip_encoder_layers: 1,
    random_negative_sampling_rate: 1,
    shuffled_negative_sampling_rate: 1,
    weight_decay: 0.00001,
  }))

test('a set is completed, and SageMaker gets it as text', () => {
  const set = validated({ ...REQUIRED, weight_decay: 0 })
  assert.deepEqual(Object.keys(set).sort(), [...hyperparameterNames].sort())
  assert.equal(asStrings(set).vector_dim, '128')
  assert.equal(asStrings(set).weight_decay, '0')
  assert.equal(asStrings(set).learning_rate, '0.001')
})

const edges: [name: string, least: number, most: number | undefined][] = [
  ['num_entity_vectors', 1, 250_000_000],
  ['vector_dim', 4, 4096],
  ['batch_metrics_publish_interval', 1, undefined],
  ['epochs', 1, undefined],
  ['learning_rate', 1e-6, 10],
  ['mini_batch_size', 1, 500_000],
  ['num_ip_encoder_layers', 0, 100],
  ['random_negative_sampling_rate', 0, 499],
  ['shuffled_negative_sampling_rate', 0, 499],
  ['weight_decay', 0, 10],
]
for (const [name, least, most] of edges)
  test(`${name} is valid from ${least} to ${most ?? 'whatever'}`, () => {
    for (const value of [least, most ?? 1e9])
      assert.equal(Reflect.get(validated({ ...REQUIRED, [name]: value }), name), value)
    const outside = [
      least - (least < 1e-3 && least > 0 ? 1e-7 : 1),
      ...(most === undefined ? [] : [most + 2]),
      Number.NaN,
      Infinity,
    ]
    for (const value of outside) assert.throws(() => validated({ ...REQUIRED, [name]: value }), new RegExp(name))
  })

const wrong: [given: Record<string, number>, message: RegExp][] = [
  [{ vector_dim: 128 }, /num_entity_vectors is required/],
  [{ num_entity_vectors: 10 }, /vector_dim is required/],
  [{ ...REQUIRED, epoch: 3 }, /epoch is no hyperparameter.*did you mean epochs\?/],
  [{ ...REQUIRED, learningrate: 3 }, /did you mean learning_rate\?/],
  [{ ...REQUIRED, zzz: 3 }, /num_entity_vectors, vector_dim/],
  [{ ...REQUIRED, toString: 3 }, /toString is no hyperparameter/],
  [{ ...REQUIRED, vector_dim: 12.5 }, /whole number, 4 to 4096, not 12.5/],
  [{ ...REQUIRED, epochs: 0 }, /1 or more/],
  [
    { ...REQUIRED, random_negative_sampling_rate: 0, shuffled_negative_sampling_rate: 0 },
    /together must be 1 to 500, not 0/,
  ],
  [{ ...REQUIRED, random_negative_sampling_rate: 300, shuffled_negative_sampling_rate: 201 }, /not 501/],
]
for (const [given, message] of wrong)
  test(`refused: ${JSON.stringify(given)}`, () => assert.throws(() => validated(given), message))

for (const [entities, vectors] of [
  [0, 1],
  [1, 2],
  [10_000, 20_000],
  [200_000_000, 250_000_000],
] as const)
  test(`${entities} entities are hashed into ${vectors} vectors`, () =>
    assert.equal(entityVectorsFor(entities), vectors))
