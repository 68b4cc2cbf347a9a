import { readFile } from 'node:fs/promises'
import { messageOf, UsageError, UserError } from '../cli/errors.ts'
import { Accesses } from '../insights/accesses.ts'
import { type Calibration, parseCalibration, thresholdFor } from '../insights/calibration.ts'
import { readPairs } from '../insights/pairs.ts'
import { MIN_EVENTS } from '../insights/verdicts.ts'
import { nextCommand } from '../runs/next.ts'
import type { Run } from '../runs/run.ts'

/** All accesses in these files, arranged by entity. */
export const accessesIn = async (files: readonly string[], signal: AbortSignal): Promise<Accesses> =>
  new Accesses(await readPairs(files, signal))

/** The CSV files below some prefixes of a run, in order of their names. @throws UserError when there is none */
export async function pairFiles(run: Run, ...prefixes: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const prefix of prefixes)
    for await (const { key } of run.store.list({ prefix })) if (key.endsWith('.csv')) found.push(run.path(key))
  if (found.length > 0) return found
  throw new UserError(`run ${run.id} has no files in ${prefixes.join(' or ')}`, {
    hint: `${nextCommand('extract', run)} --overwrite`,
  })
}

/** @throws UsageError when the other run's entities are other fields: they would all be unseen */
export function sameEntity(run: Run, other: Run): void {
  const [entity, theirs] = [run.result('extract').entity, other.result('extract').entity]
  if (entity === theirs) return
  throw new UsageError(
    `the entity of run ${other.id} is ${JSON.stringify(theirs)}, that of run ${run.id} is ${JSON.stringify(entity)}`,
    `extract one of them again: ${nextCommand('extract', other)} --entity ${typeof entity === 'string' ? entity : 'NAME'} --overwrite`,
  )
}

/** Undefined where there is no such file. @throws UserError when it cannot be read */
export async function calibrationIn(path: string): Promise<Calibration | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return parseCalibration(text)
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`, { hint: 'train again with --overwrite' })
  }
}

export interface ThresholdOptions {
  readonly threshold: number | undefined
  readonly alertsPerDay: number
  readonly minEvents: number | undefined
}

/** What is flagged, and from how many training pairs on an entity is judged. @throws UsageError when nothing says where to draw the line */
export function lineOf(options: ThresholdOptions, calibration: Calibration | undefined) {
  const minEvents = options.minEvents ?? calibration?.minEvents ?? MIN_EVENTS
  if (options.threshold !== undefined) return { threshold: options.threshold, minEvents }
  if (calibration !== undefined) return { threshold: thresholdFor(calibration, options.alertsPerDay), minEvents }
  throw new UsageError('this model has no calibration', 'train it with --holdout, or name a --threshold')
}
