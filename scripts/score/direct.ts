import type { Model } from '../insights/model.ts'
import type { Scorer } from './scorer.ts'

/** Scores in this process. */
export const directScorer = (model: Model): Scorer => ({
  concurrency: 1,
  score: async ({ entities, ips }) => Float64Array.from(ips, (ip, i) => model.score(entities[i] ?? '', ip)),
})
