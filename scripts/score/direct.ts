import { measure, type Score } from '../insights/evaluation.ts'
import type { Model } from '../insights/model.ts'
import type { Oracle, Scorer } from './scorer.ts'

/** Scores in this process. */
const directScorer = (model: Model): Scorer => ({
  concurrency: 1,
  score: async ({ entities, ips }) => Float64Array.from(ips, (ip, i) => model.score(entities[i] ?? '', ip)),
})

/** The model in this process. */
export function direct(model: Model, signal: AbortSignal): Oracle {
  const score: Score = (entities, entityIndex, ips) =>
    Float64Array.from(ips, (ip, i) => model.score(entities[entityIndex[i] ?? 0] ?? '', ip))
  return { measure: (trial) => measure(score, trial, signal), scorer: async () => directScorer(model) }
}
