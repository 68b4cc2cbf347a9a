import { messageOf, UsageError, UserError } from '../lib/cli/errors.ts'
import { type Calibration, parseCalibration, thresholdFor } from '../lib/insights/calibration.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { MIN_EVENTS } from '../lib/insights/verdicts.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { hasPairs, type Part, pairsOf, toMakePairs } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import type { Place } from './places.ts'

/** Pairs of a run, of one part or of both. @throws UserError when there are no files of it, or they are damaged */
export async function pairsIn(run: Run, parts: readonly Part[], signal: AbortSignal): Promise<Pairs> {
  await checkFiles(run, parts)
  return pairsOf(run, parts, signal)
}

/** @throws UserError when the run has no files in any of these parts */
export async function checkFiles(run: Run, parts: readonly Part[]): Promise<void> {
  for (const part of parts) if (await hasPairs(run, part)) return
  if (parts.includes('holdout') && run.result('extract').holdoutPairs === 0)
    throw new UserError(`the holdout of run ${run.id} is empty`, {
      hint: `${nextCommand('extract', run)} --overwrite --holdout 20%`,
    })
  throw new UserError(`run ${run.id} has no files in ${parts.map((part) => paths[part]).join(' or ')}`, {
    hint: await toMakePairs(run),
  })
}

/** @throws UsageError when the other run's entities are other fields: they would all be unseen */
export function sameEntity(run: Run, other: Run): void {
  const [entity, theirs] = [run.result('extract').entity, other.result('extract').entity]
  if (entity === theirs) return
  throw new UsageError(
    `the entity of run ${other.id} is ${JSON.stringify(theirs)}, that of run ${run.id} is ${JSON.stringify(entity)}`,
    `extract one of them again: ${nextCommand('extract', other)} --entity ${entity} --overwrite`,
  )
}

/** Undefined where there is no such file. @throws UserError when it cannot be read */
export async function calibrationIn(place: Place): Promise<Calibration | undefined> {
  const text = await place.text()
  if (text === undefined) return undefined
  try {
    return parseCalibration(text)
  } catch (error) {
    throw new UserError(`${place.uri} cannot be read: ${messageOf(error)}`, { hint: 'train again with --overwrite' })
  }
}

export interface ThresholdOptions {
  readonly threshold: number | undefined
  readonly alertsPerDay: number
  readonly minEvents: number | undefined
}

/** From how many training pairs on an entity is judged. */
export const minEventsOf = (options: ThresholdOptions, calibration: Calibration | undefined): number =>
  options.minEvents ?? calibration?.minEvents ?? MIN_EVENTS

/** What is flagged scores below. @throws UsageError when nothing says where to draw the line */
export function thresholdOf(options: ThresholdOptions, calibration: Calibration | undefined): number {
  if (options.threshold !== undefined) return options.threshold
  if (calibration !== undefined) return thresholdFor(calibration, options.alertsPerDay)
  throw new UsageError('this model has no calibration', 'train it with --holdout, or name a --threshold')
}
