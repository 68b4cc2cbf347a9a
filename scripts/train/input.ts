import { UserError } from '../lib/cli/errors.ts'
import { count } from '../lib/cli/format.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { openPairs, pairsOf } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import type { Input } from './train.ts'

/** @throws UserError when extract has put every pair into the holdout */
export function requireTrainingPairs(run: Run): void {
  const { trainPairs, holdoutPairs, cutoff } = run.result('extract')
  if (trainPairs !== 0) return
  const held = holdoutPairs === 1 ? 'its only pair is' : `all of its ${count(holdoutPairs)} pairs are`
  const judge = nextCommand('score', run).replace('--run ', '--run TRAINED_RUN --from-run ')
  throw new UserError(`run ${run.id} has no pairs to train on: ${held} in the holdout, which begins at ${cutoff}`, {
    hint: `hold out less: ${nextCommand('extract', run)} --overwrite --holdout 5%; or stage a longer window; or judge these pairs with the model of another run: ${judge}`,
  })
}

/** The pairs of a run. @throws UserError when they are not there */
export async function inputOfRun(run: Run, signal: AbortSignal): Promise<Input> {
  requireTrainingPairs(run)
  const train = await pairsOf(run, 'train', signal)
  if (train.ip.length === 0)
    throw new UserError(`run ${run.id}: nothing to train on in ${run.uriOf(paths.train)}`, {
      hint: `${nextCommand('extract', run)} --overwrite, perhaps with a longer window; extract says what it has dropped and why`,
    })
  return inputWith(train, await pairsOf(run, 'holdout', signal), run.holdout().days)
}

/** The pairs of some files, here or in S3. @throws UserError when they are missing, empty or not well formed */
export async function inputOf(
  trainFiles: readonly string[],
  holdoutFiles: readonly string[],
  holdoutDays: number,
  signal: AbortSignal,
  aws: AwsSettings = {},
): Promise<Input> {
  const train = await openPairs(trainFiles, aws, signal)
  if (train.ip.length === 0)
    throw new UserError(`nothing to train on: no pair in ${listed(trainFiles)}`, {
      hint: 'take a longer window, or look at what extract has dropped and why',
    })
  return inputWith(train, await openPairs(holdoutFiles, aws, signal), holdoutDays)
}

const inputWith = (train: Pairs, holdout: Pairs, holdoutDays: number): Input => ({
  train,
  holdoutDays,
  ...(holdout.ip.length > 0 && { holdout }),
})

const listed = (files: readonly string[]): string =>
  files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more files`
