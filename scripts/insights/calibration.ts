import * as z from 'zod'
import { quantile } from './metrics.ts'

const share = z.number().min(0).max(1)

/** How a yes/no rule does on the same holdout. */
const baselineSchema = z.strictObject({ normalSeen: share, attackSeen: share, auc: share })

const calibrationSchema = z.strictObject({
  version: z.literal(1),
  /** Flagged is what scores below. */
  threshold: z.number(),
  alertsPerDay: z.number().min(0),
  /** Days of normal traffic that the holdout covers. */
  days: z.number().positive(),
  /** Only pairs of entities with at least so many training pairs were taken. */
  minEvents: z.int().min(0),
  /** What it was calibrated on: holdout pairs (repeats included), and the distinct ones of entities that can be scored. */
  holdoutPairs: z.int(),
  distinctPairs: z.int().positive(),
  unseenPairs: z.int(),
  sparsePairs: z.int(),
  /** Scores of distinct pairs at the shares 0, 1/(n − 1) … 1. */
  quantiles: z.array(z.number()).min(2),
  /** The lowest scores of distinct pairs, ascending: thresholds for small budgets are read from here. */
  tail: z.array(z.number()).min(1),
  /** AUC of the holdout against the same entities with random public addresses. */
  auc: share,
  /** The same for "address, /24, /16 seen before for this entity". */
  baselines: z.strictObject({ ip: baselineSchema, net24: baselineSchema, net16: baselineSchema }),
  /** SHA-256 of the model.tar.gz that it belongs to. */
  model: z.string(),
})

/** Belongs to one model: thresholds do not carry over to another. */
export type Calibration = z.infer<typeof calibrationSchema>

const QUANTILES = 1001
const TAIL = 2000

/** What the scores of the distinct holdout pairs come to. @throws RangeError when there is none */
export function scoresOf(distinct: Float64Array): Pick<Calibration, 'distinctPairs' | 'quantiles' | 'tail'> {
  if (distinct.length === 0) throw new RangeError('no score to calibrate on')
  const sorted = distinct.toSorted()
  return {
    distinctPairs: sorted.length,
    quantiles: Array.from({ length: QUANTILES }, (_, i) => quantile(sorted, i / (QUANTILES - 1))),
    tail: [...sorted.subarray(0, TAIL)],
  }
}

/**
 * The threshold below which, on the holdout, at most `alertsPerDay` distinct pairs a day scored. With a budget that covers all
 * of them it lies just above the highest.
 */
export function thresholdFor(
  calibration: Pick<Calibration, 'days' | 'distinctPairs' | 'quantiles' | 'tail'>,
  alertsPerDay: number,
): number {
  const { distinctPairs, quantiles, tail } = calibration
  const budget = Math.floor(alertsPerDay * calibration.days)
  const inTail = tail[budget]
  if (inTail !== undefined) return inTail
  if (budget >= distinctPairs) return nextAbove(quantiles.at(-1) ?? 0)
  // Rounded down to a quantile that is stored, so that the budget holds.
  const at = Math.floor((budget / (distinctPairs - 1)) * (quantiles.length - 1))
  return Math.max(tail.at(-1) ?? 0, quantiles[at] ?? 0)
}

const nextAbove = (value: number): number => value + Math.max(1, Math.abs(value)) * Number.EPSILON

/** @throws Error that says what is wrong */
export function parseCalibration(text: string): Calibration {
  const result = calibrationSchema.safeParse(JSON.parse(text))
  if (result.success) return result.data
  throw new Error(z.prettifyError(result.error))
}

/** Indented, but with each list on one line. */
export const calibrationText = (calibration: Calibration): string => {
  const indented = JSON.stringify(calibration, null, 2)
  return `${indented.replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`
}
