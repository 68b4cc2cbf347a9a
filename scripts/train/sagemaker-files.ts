import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Outcome } from '../cli/command.ts'
import type { Context } from '../cli/context.ts'
import type { Hyperparameters } from '../insights/hyperparameters.ts'
import type { StepMemory } from '../runs/run.ts'
import { type AwsSettings, openStore } from '../stores/open.ts'
import { planTraining, type Staged, trainInSagemaker } from './in-sagemaker.ts'
import { sourcesOf } from './input.ts'
import { approvalOf, outcomeOfJob, previewOfJob, warningsOf } from './sagemaker-outcome.ts'
import type { RunWish } from './sagemaker-run.ts'
import type { Input } from './train.ts'

interface Files {
  readonly pairs: readonly string[]
  readonly holdout: readonly string[]
  /** `s3://bucket/prefix` for pairs and model. */
  readonly model: string
}

/**
 * Trains files in SageMaker: they are put beside the model first, under a name that their content makes, and the job that
 * belongs to them is found again.
 */
export async function trainFilesInSagemaker(
  context: Context,
  files: Files,
  input: Input,
  hyperparameters: Hyperparameters,
  wish: RunWish,
  aws: AwsSettings,
): Promise<Outcome> {
  const digest = await digestOf(files, aws)
  const store = await openStore(files.model, aws)
  const root = `pairs-${digest.slice(0, 12)}/`
  const sizes = await Promise.all([sizeOf(files.pairs, aws), sizeOf(files.holdout, aws)])
  const staged: Staged = {
    id: root.slice(0, -1),
    workspace: files.model,
    store,
    train: `${root}train/`,
    holdout: `${root}holdout/`,
    model: root,
    pairs: input.train.ip.length,
    holdoutPairs: input.holdout?.ip.length ?? 0,
    entities: input.train.entities.length,
    bytes: sizes[0] + sizes[1],
    digest,
  }
  const planned = await planTraining(staged, hyperparameters, wish, aws)
  if (wish.dryRun) return previewOfJob(planned)
  await context.approve(approvalOf(planned))
  for (const warning of warningsOf(planned)) context.talk.warn(warning)
  const progress = context.progress('uploading', files.pairs.length + files.holdout.length, 'files')
  for (const [prefix, list] of [
    [staged.train, files.pairs],
    [staged.holdout, files.holdout],
  ] as const)
    for (const [i, { open }] of (await sourcesOf(list, aws)).entries()) {
      await store.write(`${prefix}part-${String(i).padStart(5, '0')}.csv`, (await open()) as Readable)
      progress.advance()
    }
  progress.end()
  const memory: StepMemory = { recalled: {}, remember: async () => {} }
  return outcomeOfJob(staged.id, await trainInSagemaker(context, planned, memory), false)
}

async function digestOf({ pairs, holdout }: Files, aws: AwsSettings): Promise<string> {
  const hash = createHash('sha256')
  for (const list of [pairs, holdout]) {
    for (const { open } of await sourcesOf(list, aws)) for await (const chunk of await open()) hash.update(chunk)
    hash.update('\0')
  }
  return hash.digest('hex')
}

async function sizeOf(files: readonly string[], aws: AwsSettings): Promise<number> {
  let size = 0
  for (const { open } of await sourcesOf(files, aws)) for await (const chunk of await open()) size += chunk.length
  return size
}
