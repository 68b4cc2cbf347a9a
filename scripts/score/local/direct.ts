import { UserError } from '../../lib/cli/errors.ts'
import { measure, type Score } from '../../lib/insights/evaluation.ts'
import type { Model } from '../../lib/insights/model.ts'
import type { Oracle, Scorer } from '../scorer.ts'

/** @throws UserError when it is no number: that would lie below no threshold */
function scoreOf(model: Model, entity: string, ip: number): number {
  const score = model.score(entity, ip)
  if (Number.isFinite(score)) return score
  throw new UserError(`the model has no score for a pair of ${JSON.stringify(entity)}, but ${score}`, {
    hint: 'train again, with a smaller --learning-rate',
  })
}

/** Scores in this process. */
const directScorer = (model: Model): Scorer => ({
  concurrency: 1,
  score: async ({ entities, ips }) => Float64Array.from(ips, (ip, i) => scoreOf(model, entities[i] ?? '', ip)),
})

/** The model in this process. */
export function direct(model: Model, signal: AbortSignal): Oracle {
  const score: Score = (entities, entityIndex, ips) =>
    Float64Array.from(ips, (ip, i) => scoreOf(model, entities[entityIndex[i] ?? 0] ?? '', ip))
  return { measure: (trial) => measure(score, trial, signal), scorer: async () => directScorer(model) }
}
