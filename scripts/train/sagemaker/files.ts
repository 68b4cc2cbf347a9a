import { createHash } from 'node:crypto'
import type { Outcome } from '../../lib/cli/command.ts'
import type { Context } from '../../lib/cli/context.ts'
import { groupByEntity } from '../../lib/insights/accesses.ts'
import type { Pairs } from '../../lib/insights/pairs.ts'
import { hasPairs, pairSources } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import { runStore } from '../../lib/runs/places.ts'
import { OF_FILES, type Request } from '../../lib/runs/request.ts'
import type { Run, StepPlan } from '../../lib/runs/run.ts'
import { createRun, findRun } from '../../lib/runs/workspace.ts'
import { FILES } from '../../lib/sources/registry.ts'
import { type AwsSettings, openStore } from '../../lib/stores/open.ts'
import type { Input } from '../train.ts'
import { approvalOf, previewOfJob } from './render.ts'
import { type Choice, type RunWish, trainRunInSagemaker } from './run.ts'
import { planTraining, type Staged } from './train.ts'

interface Files {
  readonly pairs: readonly string[]
  readonly holdout: readonly string[]
  /** `s3://bucket/prefix`: a workspace. */
  readonly model: string
}

/** Nobody knows when the accesses of a file were. */
const NO_TIME = '1970-01-01T00:00:00.000Z'
const DAY_MS = 86_400_000

/**
 * Trains files in SageMaker. They become a run in the workspace that the model is to lie in, under a name that their content makes:
 * whatever works with a run, works with it.
 */
export async function trainFilesInSagemaker(
  context: Context,
  files: Files,
  input: Input,
  choice: Choice,
  wish: RunWish,
  aws: AwsSettings,
): Promise<Outcome> {
  const { digest, bytes } = await measured(files, aws)
  const id = `pairs-${digest.slice(0, 12)}`
  const staged: Staged = {
    id,
    workspace: files.model,
    store: runStore(await openStore(files.model, aws), id),
    train: paths.train,
    holdout: paths.holdout,
    model: 'model/',
    pairs: input.train.ip.length,
    holdoutPairs: input.holdout?.ip.length ?? 0,
    entities: input.train.entities.length,
    bytes,
    digest,
  }
  const planned = await planTraining(staged, await choice.hyperparameters(staged.entities), wish, aws)
  if (wish.dryRun) return previewOfJob(planned)
  const request = requestOf(digest, files.model)
  const before = await findRun(files.model, request, aws, id)
  const isThere = before !== undefined && (await before.isCurrent('extract', planOf(before, input)))
  // Pairs that have expired are put back; a model that was trained on them is not paid for again.
  const isTrained = before?.isDone('train') === true
  if (!isThere && !isTrained) await context.approve(approvalOf(planned))
  const run = before ?? (await createRun(files.model, request, aws, id))
  await run.step('extract', planOf(run, input), () => put(context, run, files, input, digest, aws))
  return trainRunInSagemaker(context, run, choice, { ...wish, approved: !isThere && !isTrained }, aws)
}

const requestOf = (digest: string, workspace: string): Request => ({
  source: FILES,
  logs: workspace,
  from: NO_TIME,
  to: NO_TIME,
  accounts: [],
  regions: [],
  keys: OF_FILES,
  keysFrom: `sha256:${digest}`,
})

const planOf = (run: Run, { holdoutDays, holdout }: Input): StepPlan => ({
  settings: { holdoutDays },
  inputs: [],
  overwrite: false,
  onChange: 'redo',
  redoIf: async () =>
    (await run.store.head(paths.entities)) === undefined ||
    !(await hasPairs(run, 'train')) ||
    (holdout !== undefined && !(await hasPairs(run, 'holdout'))),
})

/** Puts the files where extraction puts pairs, and notes of them what it would. */
async function put(context: Context, run: Run, files: Files, input: Input, digest: string, aws: AwsSettings) {
  const progress = context.progress('uploading', files.pairs.length + files.holdout.length, 'files')
  for (const [prefix, list] of [
    [paths.train, files.pairs],
    [paths.holdout, files.holdout],
  ] as const) {
    let part = 0
    for await (const { open } of pairSources(list, aws)) {
      await run.store.write(`${prefix}part-${String(part++).padStart(5, '0')}.csv`, await open())
      progress.advance()
    }
  }
  // Last: what is there is complete.
  await run.store.write(paths.entities, [...entityRows(input.train)].join(''))
  progress.end()
  const [trainPairs, holdoutPairs] = [input.train.ip.length, input.holdout?.ip.length ?? 0]
  return {
    events: trainPairs + holdoutPairs,
    pairs: trainPairs + holdoutPairs,
    trainPairs,
    holdoutPairs,
    entities: input.train.entities.length,
    entity: 'unknown',
    includePrivate: false,
    dropped: {},
    files: [],
    skippedFiles: [],
    cutoff: new Date(Date.parse(NO_TIME) - input.holdoutDays * DAY_MS).toISOString(),
    digest,
  }
}

/** `entity,events,ips` of each entity. */
function* entityRows(pairs: Pairs): Generator<string> {
  const { starts, ips } = groupByEntity(pairs)
  for (const [e, entity] of pairs.entities.entries()) {
    const own = ips.subarray(starts[e], starts[e + 1])
    yield `${entity},${own.length},${new Set(own).size}\n`
  }
}

async function measured({ pairs, holdout }: Files, aws: AwsSettings): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for (const list of [pairs, holdout]) {
    for await (const { open } of pairSources(list, aws))
      for await (const chunk of await open()) {
        hash.update(chunk)
        bytes += chunk.length
      }
    hash.update('\0')
  }
  return { digest: hash.digest('hex'), bytes }
}
