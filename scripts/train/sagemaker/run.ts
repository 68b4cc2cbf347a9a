import type { Outcome } from '../../lib/cli/command.ts'
import type { Context } from '../../lib/cli/context.ts'
import type { Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import type { StepSettings } from '../../lib/runs/ledger.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { pairObjects, requirePairs } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run, StepPlan } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { requireTrainingPairs } from '../input.ts'
import { approvalOf, outcomeOfJob, previewOfJob, warningsOf } from './render.ts'
import { isPaid, planTraining, type Staged, type TrainWish, trainInSagemaker } from './train.ts'

export interface RunWish extends TrainWish {
  readonly dryRun: boolean
  /** Somebody was asked already. */
  readonly approved?: boolean
}

/** What is chosen: the hyperparameters for a set of pairs, and how the ledger names the choice. */
export interface Choice {
  readonly settings: StepSettings
  hyperparameters(entities: number): Promise<Hyperparameters>
}

/** Trains a run whose workspace is in S3. */
export async function trainRunInSagemaker(
  context: Context,
  run: Run,
  choice: Choice,
  wish: RunWish,
  aws: AwsSettings,
): Promise<Outcome> {
  const planned = async () => {
    const staged = await stagedPairs(run)
    return planTraining(staged, await choice.hyperparameters(staged.entities), wish, aws)
  }
  if (wish.dryRun) return previewOfJob(await planned())
  const plan: StepPlan = {
    settings: choice.settings,
    inputs: ['extract'],
    overwrite: wish.overwrite,
    redoIf: async () => (await run.store.head(keyOf(run, run.result('train').model))) === undefined,
  }
  if (!(await run.isCurrent('train', plan))) {
    const ordered = await planned()
    // What was approved and is under way is only waited for.
    const left = run.unfinished('train', plan)
    const asks = !wish.approved && (left === undefined || !(await isPaid(ordered, left.checkpoint)))
    if (asks) await context.approve(approvalOf(ordered))
    for (const warning of warningsOf(ordered)) context.talk.warn(warning)
  }
  const { repeated } = await run.step('train', plan, async (checkpoint) =>
    trainInSagemaker(context, await planned(), checkpoint),
  )
  return outcomeOfJob(run.id, run.resultBy('sagemaker', 'train'), repeated, nextCommand('deploy', run))
}

const keyOf = (run: Run, uri: string): string => (uri.startsWith(`${run.uri}/`) ? uri.slice(run.uri.length + 1) : uri)

/** @throws UserError when the pairs that extract has counted are not there */
async function stagedPairs(run: Run): Promise<Staged> {
  requireTrainingPairs(run)
  await requirePairs(run)
  const { trainPairs, holdoutPairs, entities, digest } = run.result('extract')
  const objects = { train: await pairObjects(run, 'train'), holdout: await pairObjects(run, 'holdout') }
  return {
    id: run.id,
    workspace: run.workspace,
    store: run.store,
    train: paths.train,
    holdout: paths.holdout,
    model: 'model/',
    pairs: trainPairs,
    holdoutPairs: objects.holdout.length === 0 ? 0 : holdoutPairs,
    entities,
    bytes: [...objects.train, ...objects.holdout].reduce((sum, { size }) => sum + size, 0),
    digest,
  }
}
