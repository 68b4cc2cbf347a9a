import { UserError } from '../lib/cli/errors.ts'
import { count, plural } from '../lib/cli/format.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { openPairs, pairsOf } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'

/** The pairs to train on, and those held out. */
export interface Input {
  readonly train: Pairs
  /** Absent without a holdout. */
  readonly holdout?: Pairs
  /** Days that the holdout covers. */
  readonly holdoutDays: number
}

/** Files and objects of pairs, by URI. */
export interface PairFiles {
  readonly train: readonly string[]
  readonly holdout: readonly string[]
  /** Days that the holdout covers. */
  readonly holdoutDays: number
}

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

/** The pairs of a run. @throws UserError when they are missing */
export async function inputOfRun(run: Run, signal: AbortSignal): Promise<Input> {
  requireTrainingPairs(run)
  const train = await pairsOf(run, 'train', signal)
  if (train.ip.length === 0)
    throw new UserError(`run ${run.id}: nothing to train on in ${run.uriOf(paths.train)}`, {
      hint: `${nextCommand('extract', run)} --overwrite`,
    })
  return inputWith(train, await pairsOf(run, 'holdout', signal), run.holdout().days)
}

/** The pairs of files. @throws UserError when they are missing, empty or not well formed */
export async function inputOfFiles(files: PairFiles, aws: AwsSettings, signal: AbortSignal): Promise<Input> {
  const train = await openPairs(files.train, aws, signal)
  if (train.ip.length === 0) throw new UserError(`nothing to train on: no pair in ${listed(files.train)}`)
  return inputWith(train, await openPairs(files.holdout, aws, signal), files.holdoutDays)
}

const inputWith = (train: Pairs, holdout: Pairs, holdoutDays: number): Input => ({
  train,
  holdoutDays,
  ...(holdout.ip.length > 0 && { holdout }),
})

const listed = (files: readonly string[]): string =>
  files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more files`

/** Below this there is too little to learn from, whatever the score says. */
const FEWEST = { pairs: 1000, entities: 10 } as const

/** A warning before training on little data. */
export const littleData = (pairs: number, entities: number): string[] =>
  pairs >= FEWEST.pairs && entities >= FEWEST.entities
    ? []
    : [
        `${plural(pairs, 'pair')} of ${plural(entities, 'entity', 'entities')} ${pairs === 1 ? 'is' : 'are'} little to learn from: take a longer window, or trust the model less`,
      ]

export const NO_HOLDOUT = 'no holdout: the model cannot be calibrated or measured, so there will be no threshold'
