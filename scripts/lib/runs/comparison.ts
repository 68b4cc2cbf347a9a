import { UserError } from '../cli/errors.ts'
import { percent } from '../cli/format.ts'
import { MIN_EVENTS } from '../insights/accesses.ts'
import { type Calibration, thresholdFor } from '../insights/calibration.ts'
import { type Measured, scoreCalibrationOf, type Trial, trialOf } from '../insights/evaluation.ts'
import { countBelow } from '../insights/metrics.ts'
import type { Pairs } from '../insights/pairs.ts'
import type { HoldoutMetrics } from './results.ts'

// The one rule by which a new model takes the place of the one in service, wherever they are.

/** Of the attacks that are made up for a trial. */
export const TRIAL_SEED = 1

interface Held {
  readonly train: Pairs
  readonly holdout: Pairs
  /** Days that the holdout covers. */
  readonly days: number
  readonly alertsPerDay: number
}

export interface HoldoutTest extends Held {
  /** Absent when nothing of the holdout can be scored. */
  readonly trial: Trial | undefined
}

/** What a model is tested with. */
export const testOf = (held: Held): HoldoutTest => ({
  ...held,
  trial: trialOf(held.train, held.holdout, MIN_EVENTS, TRIAL_SEED),
})

export function metricsOf(
  calibration: Calibration,
  { distinct, attack }: Measured,
  alertsPerDay: number,
): HoldoutMetrics {
  const threshold = thresholdFor(calibration, alertsPerDay)
  const share = (scores: Float64Array) => countBelow(scores.toSorted(), threshold) / scores.length
  return { auc: calibration.auc, found: share(attack), flagged: share(distinct) }
}

/** How a model does in a trial, by its scores there. */
export function trialMetrics(
  measured: Measured,
  { trial, days, alertsPerDay }: Pick<Held, 'days' | 'alertsPerDay'> & { readonly trial: Trial },
): HoldoutMetrics {
  const settings = { alertsPerDay, days, minEvents: MIN_EVENTS, seed: TRIAL_SEED, model: '' }
  return metricsOf(scoreCalibrationOf(trial, measured, settings), measured, alertsPerDay)
}

/** What two trainings on the same pairs may differ by. */
const [AUC_MARGIN, FOUND_MARGIN] = [0.005, 0.05] as const

/** Whether a new model may not take the place of the one in service: on the same holdout, and against the same made-up attacks. */
export const isWorse = (challenger: HoldoutMetrics, champion: HoldoutMetrics): boolean =>
  challenger.auc < champion.auc - AUC_MARGIN || challenger.found < champion.found - FOUND_MARGIN

export const metricsText = ({ auc, found, flagged }: HoldoutMetrics): string =>
  `AUC ${auc.toFixed(4)}, flags ${percent(found, 1)} of attacks and ${percent(flagged, 1)} of the holdout`

/** A new model is worse than the one in service, which stays. */
export class WorseModel extends UserError {}
