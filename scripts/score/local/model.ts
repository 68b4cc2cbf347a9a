import { UserError } from '../../lib/cli/errors.ts'
import { measure } from '../../lib/insights/evaluation.ts'
import type { Model } from '../../lib/insights/model.ts'
import type { ScoringSession } from '../scorer.ts'

/** The model in this process. */
export function inProcess(model: Model, signal: AbortSignal): ScoringSession {
  const score = (entities: readonly string[], entityIndex: Uint32Array, ips: Uint32Array): Float64Array => {
    const scores = model.scoreAll(entities, entityIndex, ips)
    const odd = scores.findIndex((value) => !Number.isFinite(value))
    if (odd !== -1) throw notFinite(entities[entityIndex[odd] ?? 0], scores[odd])
    return scores
  }
  return {
    measure: (trial) => measure(score, trial, signal),
    scorer: async () => ({
      concurrency: 1,
      score: async ({ entities, ips }) => score(entities, Uint32Array.from(entities.keys()), ips),
    }),
  }
}

/** No threshold would flag it. */
const notFinite = (entity: string | undefined, score: number | undefined): UserError =>
  new UserError(`the model scores a pair of ${JSON.stringify(entity)} as ${score}`, {
    hint: 'train again, with a smaller --learning-rate',
  })
