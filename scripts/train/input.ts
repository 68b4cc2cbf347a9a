import { UserError } from '../cli/errors.ts'
import { type Pairs, readPairs } from '../insights/pairs.ts'
import { nextCommand } from '../runs/next.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { Input } from './train.ts'

const DAY_MS = 86_400_000

/** The pairs of a run. @throws UserError when they are not there */
export async function inputOfRun(run: Run, signal: AbortSignal): Promise<Input> {
  const { cutoff } = run.result('extract')
  const train = await filesBelow(run, paths.train)
  const holdout = await filesBelow(run, paths.holdout)
  if (train.length === 0)
    throw new UserError(`run ${run.id}: no files in ${run.uri}/${paths.train}`, {
      hint: `${nextCommand('extract', run)} --overwrite`,
    })
  const days = (Date.parse(run.request.to) - Date.parse(typeof cutoff === 'string' ? cutoff : '')) / DAY_MS
  return inputOf(train, holdout, days > 0 ? days : 1, signal)
}

/** The pairs of some files. @throws UserError when they are missing, empty or not well formed */
export async function inputOf(
  trainFiles: readonly string[],
  holdoutFiles: readonly string[],
  holdoutDays: number,
  signal: AbortSignal,
): Promise<Input> {
  const train = await readPairs(trainFiles, signal)
  if (train.ip.length === 0)
    throw new UserError(`nothing to train on: no pair in ${listed(trainFiles)}`, {
      hint: 'take a longer window, or look at what extract has dropped and why',
    })
  const holdout: Pairs = await readPairs(holdoutFiles, signal)
  return { train, holdoutDays, ...(holdout.ip.length > 0 && { holdout }) }
}

const listed = (files: readonly string[]): string =>
  files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more files`

async function filesBelow(run: Run, prefix: string): Promise<string[]> {
  const files: string[] = []
  for await (const { key } of run.store.list({ prefix })) if (key.endsWith('.csv')) files.push(run.path(key))
  return files
}
