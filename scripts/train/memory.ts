import { totalmem } from 'node:os'
import { UserError } from '../lib/cli/errors.ts'
import { bytes } from '../lib/cli/format.ts'
import type { Hyperparameters } from '../lib/insights/hyperparameters.ts'
import { MOST_WEIGHT_BYTES } from '../lib/insights/model-file.ts'
import { weightBytesOf } from '../lib/insights/network.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { prefixRowsFor, shapeOf, trainingBytesOf } from '../lib/insights/trainer.ts'

/**
 * Whether this machine can hold the training and its model. @param memory of the machine, bytes
 * @throws UserError before anything is spent on it
 */
export function checkSize(pairs: Pairs, set: Hyperparameters, memory: number = totalmem()): void {
  const weights = weightBytesOf(shapeOf(set, prefixRowsFor(pairs.ip)))
  if (weights > MOST_WEIGHT_BYTES)
    throw new UserError(
      `a model of ${bytes(weights)} is too large for this machine's trainer: it holds ${bytes(MOST_WEIGHT_BYTES)}`,
      { hint: 'a smaller --num-entity-vectors or --vector-dim; in SageMaker a model may have 8 GB' },
    )
  const needed = trainingBytesOf(pairs, set)
  if (needed <= memory) return
  throw new UserError(`training would take about ${bytes(needed)} of memory; this machine has ${bytes(memory)}`, {
    hint: 'a smaller --mini-batch-size, --random-negative-sampling-rate, --num-ip-encoder-layers or --vector-dim',
  })
}
