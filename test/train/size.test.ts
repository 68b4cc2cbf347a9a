import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import { checkSize } from '../../scripts/train/local/train.ts'
import { homeBodies } from '../lib/insights/tiny.ts'

const PAIRS = homeBodies(20, 100)
const GB = 2 ** 30

const cases: [given: Record<string, number>, memory: number, says: RegExp | undefined][] = [
  [{}, GB, undefined],
  [{ num_entity_vectors: 10_000_000 }, 8 * GB, undefined],
  [{ num_entity_vectors: 10_000_000 }, 4 * GB, /about 5\.\d GB of memory; this machine has 4\.\d GB/],
  [
    { num_entity_vectors: 250_000_000 },
    999 * GB,
    /too large for the trainer.*would take 9\d\.\d GB, and it can use 4\.3 GB/,
  ],
  [{ vector_dim: 4096, num_ip_encoder_layers: 100 }, 999 * GB, /too large for the trainer/],
  [{ random_negative_sampling_rate: 499, num_ip_encoder_layers: 100, mini_batch_size: 2000 }, GB, /of memory/],
]

for (const [given, memory, says] of cases)
  test(`with ${JSON.stringify(given)} in ${memory / GB} GB: ${says ?? 'fits'}`, () => {
    const check = () => checkSize(PAIRS, validated({ num_entity_vectors: 40, vector_dim: 32, ...given }), memory)
    if (says === undefined) check()
    else assert.throws(check, { name: 'UserError', message: says })
  })
