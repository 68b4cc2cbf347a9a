import { UserError } from '../../lib/cli/errors.ts'
import { measure, type Score } from '../../lib/insights/evaluation.ts'
import type { Model } from '../../lib/insights/model.ts'
import type { ScoringSession } from '../scorer.ts'

/** The model in this process. */
export function inProcess(model: Model, signal: AbortSignal): ScoringSession {
  const score: Score = (entities, entityIndex, ips) =>
    Float64Array.from(ips, (ip, i) => scoreOf(model, entities[entityIndex[i] ?? 0] ?? '', ip))
  return {
    measure: (trial) => measure(score, trial, signal),
    scorer: async () => ({
      concurrency: 1,
      score: async ({ entities, ips }) => Float64Array.from(ips, (ip, i) => scoreOf(model, entities[i] ?? '', ip)),
    }),
  }
}

/** @throws UserError when the score is not a number: no threshold would flag it */
function scoreOf(model: Model, entity: string, ip: number): number {
  const score = model.score(entity, ip)
  if (Number.isFinite(score)) return score
  throw new UserError(`the model scores a pair of ${JSON.stringify(entity)} as ${score}`, {
    hint: 'train again, with a smaller --learning-rate',
  })
}
