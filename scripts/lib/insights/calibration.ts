import * as v from 'valibot'
import { messageOf, misfits, UserError } from '../cli/errors.ts'
import { quantile } from './metrics.ts'
import { foldsSchema } from './rank.ts'

const number = v.pipe(v.number(), v.finite())
const share = v.pipe(number, v.minValue(0), v.maxValue(1))
const whole = v.pipe(v.number(), v.safeInteger())

/** How a yes/no rule does on the same holdout. */
const baselineSchema = v.strictObject({ normalSeen: share, attackSeen: share, auc: share })

/** Numbers of distinct holdout pairs. Flagged is what lies low. */
const distributionSchema = {
  distinctPairs: v.pipe(whole, v.gtValue(0)),
  /** At the shares 0, 1/(n − 1) … 1. */
  quantiles: v.pipe(v.array(number), v.minLength(2, 'two numbers or more')),
  /** The lowest, ascending: thresholds for small budgets are read from here. */
  tail: v.pipe(v.array(number), v.minLength(1, 'a number or more')),
}

const calibrationSchema = v.strictObject({
  version: v.literal(1),
  /** Pairs that score below it are flagged. */
  threshold: number,
  alertsPerDay: v.pipe(number, v.minValue(0)),
  /** Days of normal traffic that the holdout covers. */
  days: v.pipe(number, v.gtValue(0)),
  /** Only pairs of entities with at least so many training pairs were taken. */
  minEvents: v.pipe(whole, v.minValue(0)),
  /** What it was calibrated on: holdout pairs (repeats included), and the scores of the distinct ones of entities that can be scored. */
  holdoutPairs: whole,
  unseenPairs: whole,
  sparsePairs: whole,
  ...distributionSchema,
  /** AUC of the holdout against the same entities with random public addresses. */
  auc: share,
  /** The same for "address, /24, /16 seen before for this entity". */
  baselines: v.strictObject({ ip: baselineSchema, net24: baselineSchema, net16: baselineSchema }),
  /** SHA-256 of the model.tar.gz that it belongs to. */
  model: v.string(),
  /** What ranks by score and evidence, and its values on the same pairs for either prior. Absent in older files. */
  rank: v.exactOptional(
    v.strictObject({
      folds: foldsSchema,
      even: v.strictObject(distributionSchema),
      accesses: v.strictObject(distributionSchema),
    }),
  ),
})

/** Belongs to one model: thresholds do not carry over to another. */
export type Calibration = v.InferOutput<typeof calibrationSchema>

const QUANTILES = 1001
const TAIL = 2000

/** Quantiles and threshold of the scores of the distinct holdout pairs. @throws RangeError when there is none */
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

/** @param name of the file. @throws UserError that says what is wrong */
export function parseCalibration(text: string, name = 'calibration.json'): Calibration {
  const unreadable = (why: string) =>
    new UserError(`${name} cannot be read: ${why}`, { hint: 'train again with --overwrite' })
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (error) {
    throw unreadable(messageOf(error))
  }
  const result = v.safeParse(calibrationSchema, given)
  if (result.success) return result.output
  throw unreadable(misfits(result.issues))
}

/** Indented, but with each list on one line. */
export const calibrationText = (calibration: Calibration): string => {
  const indented = JSON.stringify(calibration, null, 2)
  return `${indented.replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`
}
