import { Accesses } from '../../scripts/lib/insights/accesses.ts'
import { scoreBy } from '../../scripts/lib/insights/encoder.ts'
import { calibrate } from '../../scripts/lib/insights/evaluation.ts'
import { EvidenceModel } from '../../scripts/lib/insights/evidence.ts'
import type { Weights } from '../../scripts/lib/insights/network.ts'
import { cappedThreshold, scorePairs } from '../../scripts/score/judge.ts'
import { thresholdOf } from '../../scripts/score/prepare.ts'
import { rankingOf } from '../../scripts/score/ranking.ts'
import type { World } from './worlds.ts'

const MIN_EVENTS = 10

/**
 * Alerts on the day after a window, whose holdout has attacks that the day has not: as `score` flags them, and by the threshold that
 * allows just the budget on the holdout.
 */
export async function alertsNextDay(
  { train, holdout, next, days }: World,
  weights: Weights,
  alertsPerDay: number,
): Promise<{ readonly held: number; readonly plain: number }> {
  const score = scoreBy(weights)
  const calibration = await calibrate(
    score,
    { train, holdout },
    { alertsPerDay, days, minEvents: MIN_EVENTS, seed: 1, model: '' },
  )
  const before = new Accesses(train)
  const ranking = rankingOf({ rank: 'evidence', prior: 'even' }, calibration, new EvidenceModel(train, before.grouped))
  const options = { threshold: undefined, alertsPerDay, minEvents: undefined, rank: undefined, prior: 'even' } as const
  const limit = (judged: number | undefined) => thresholdOf(options, { calibration, rank: 'evidence', days: judged })
  const task = {
    accesses: new Accesses(next),
    events: (entity: string) => before.events(entity),
    ranking,
    policy: { threshold: limit(1), minEvents: MIN_EVENTS, allow: [] },
  }
  const scorer = {
    concurrency: 1,
    score: async ({ entities, ips }: { entities: readonly string[]; ips: Uint32Array }) =>
      score(
        entities,
        Uint32Array.from(entities, (_, i) => i),
        ips,
      ),
  }
  const scored = await scorePairs(task, scorer, () => {})
  const below = (threshold: number) => scored.values.filter((value) => value < threshold).length
  return {
    held: below(cappedThreshold(task, scored, { budget: alertsPerDay, more: [] })),
    plain: below(limit(undefined)),
  }
}
