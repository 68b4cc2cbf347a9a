import type { Calibration } from '../lib/insights/calibration.ts'
import type { EvidenceModel } from '../lib/insights/evidence.ts'
import { type Prior, Rank, type RankName } from '../lib/insights/rank.ts'
import { reasonsOf } from '../lib/insights/reasons.ts'
import type { Reason } from '../lib/runs/verdicts.ts'

/** What decides which pairs come first. */
export interface Ranking {
  /** Low is suspicious. @param entity encoded */
  value(entity: string, ip: number, dotProduct: number): number
  /** Why a pair is suspicious, weightiest first. Absent where only the score decides. */
  reasons?(entity: string, ip: number, dotProduct: number): readonly Reason[]
}

/** By the dot product alone. */
const byScore: Ranking = { value: (_, __, dotProduct) => dotProduct }

/** @param evidence of the training pairs, which a rank by evidence needs */
export function rankingOf(
  { rank: name, prior }: { readonly rank: RankName; readonly prior: Prior },
  calibration: Calibration | undefined,
  evidence: EvidenceModel | undefined,
): Ranking {
  const fitted = calibration?.rank
  if (name === 'score' || fitted === undefined || evidence === undefined) return byScore
  const rank = new Rank(fitted.folds, prior)
  return {
    value: (entity, ip, dotProduct) => rank.value(entity, evidence.of(entity, ip), dotProduct),
    reasons: (entity, ip, dotProduct) => {
      const about = evidence.of(entity, ip)
      return reasonsOf(about, dotProduct, rank.contributions(entity, about, dotProduct))
    },
  }
}
