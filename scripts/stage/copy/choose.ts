import type { Context } from '../../lib/cli/context.ts'
import { UsageError, UserError } from '../../lib/cli/errors.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { type CostItem, PRICES } from '../../lib/runs/cost.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type AwsSettings, openStore } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { keyIn, locationOf } from '../../lib/stores/uri.ts'
import type { Planned } from '../planned.ts'
import type { Task } from '../request.ts'
import type { BatchSettings } from './batch/batch.ts'
import type { Copier } from './copier.ts'
import { downloadCopier } from './download.ts'
import { type FileStore, localCopier } from './link.ts'

/** So much is copied or read. */
export interface Load {
  readonly objects: number
  readonly bytes: number
}

/** A copier that was chosen, before there is a run to copy into. */
export interface Choice {
  readonly about: string
  costs(load: Load): readonly CostItem[]
  /** Whether all that is outstanding is being copied already, by what an earlier attempt has left. */
  isUnderWay?(run: Run): Promise<boolean>
  open(run: Run, checkpoint: Checkpoint<Saved<'stage'>>): Promise<Copier>
}

export interface CopyWish {
  readonly workspace: string
  readonly concurrency: number
  readonly copy: 'auto' | 'batch' | 'direct'
  readonly batchRole: string | undefined
  readonly poll: number
  readonly storageClass: string | undefined
  readonly kmsKey: string | undefined
  readonly copyTags: boolean
  readonly requesterPays: boolean
  readonly logsOwner: string | undefined
}

/** From here on a job's own fee and minutes are worth its retries, its report, and that it runs without us. */
const WORTH_A_JOB = 10_000

/** What it costs to read so much of a bucket on this machine. */
export const readCosts = ({ objects, bytes }: Load): CostItem[] => [
  { what: 'GET requests', count: objects, each: PRICES.getRequest },
  { what: 'bytes out of AWS', count: bytes, each: PRICES.byteOut },
]

/** Whether an earlier attempt has left a job whose end nobody has seen. */
const hasLeftJob = (run: Run | undefined): boolean => (run?.ledger.steps.stage?.checkpoint.job ?? null) !== null

/**
 * The way of copying that fits where the logs and the workspace lie, and how much is left to copy.
 * @param existing the run of an earlier attempt that is gone on with
 * @throws UsageError when the wish does not fit
 */
export async function copierOf(
  task: Task,
  planned: Planned,
  left: Load,
  existing: Run | undefined,
  wish: CopyWish,
  aws: AwsSettings,
  context: Context,
): Promise<Choice> {
  const from = task.logs.store
  const target = locationOf(wish.workspace)
  const { signal } = context
  const { concurrency } = wish
  if (target.kind === 'folder' && wish.copy !== 'auto')
    throw new UsageError(`--copy ${wish.copy} copies within S3, and ${wish.workspace} is a folder`, 'leave --copy out')
  if (target.kind === 'folder' && isFiles(from))
    return {
      about: 'hard links, copies where the file system has none',
      costs: () => [],
      open: async (run) => localCopier(from, stagedOf(run) as FileStore, concurrency, signal),
    }
  if (target.kind === 'folder')
    return {
      about: 'download',
      costs: readCosts,
      open: async (run) => downloadCopier(from, stagedOf(run), concurrency, signal),
    }
  if (isFiles(from))
    throw new UserError(`the logs are a folder and the workspace is ${wish.workspace}: nothing uploads logs`, {
      hint: 'name a folder as --workspace, or the bucket as --logs',
      exitCode: 2,
    })
  const isWorthIt = left.objects >= WORTH_A_JOB || hasLeftJob(existing)
  const isBatch = wish.copy === 'batch' || (wish.copy === 'auto' && isWorthIt && wish.batchRole !== undefined)
  const copies = (count: number): CostItem => ({ what: 'COPY requests', count, each: PRICES.copyRequest })
  if (!isBatch)
    return {
      about: 'CopyObject',
      costs: ({ objects }) => [copies(objects)],
      open: (run) => direct(task, run, target.bucket, wish, aws, signal),
    }
  const { batchRole } = wish
  if (batchRole === undefined)
    throw new UsageError(
      '--copy batch needs the role of the job',
      'add --batch-role ARN; the README says what it may do',
    )
  const settings = (run: Run, checkpoint: Checkpoint<Saved<'stage'>>) =>
    batch(task, planned, run, target.bucket, { ...wish, batchRole }, aws, checkpoint, signal)
  return {
    about: 'S3 Batch Operations',
    costs: ({ objects }) => [
      copies(objects),
      { what: 'job', count: 1, each: PRICES.batchJob },
      { what: 'tasks', count: objects, each: PRICES.batchObject },
    ],
    isUnderWay: async (run) => {
      const { isLeftUnderWay } = await import('./batch/batch.ts')
      const saved = run.ledger.steps.stage?.checkpoint ?? {}
      return isLeftUnderWay(await settings(run, { saved, save: async () => {} }))
    },
    open: async (run, checkpoint) => {
      const { batchCopier } = await import('./batch/batch.ts')
      return batchCopier(await settings(run, checkpoint))
    },
  }
}

const isFiles = (store: Store): store is FileStore => store.localPath !== undefined
const stagedOf = (run: Run): Store => run.store.within(paths.staged)

const destinationOf = (task: Task, run: Run, bucket: string, wish: CopyWish) => ({
  source: {
    bucket: task.logs.bucket,
    requesterPays: wish.requesterPays,
    ...(wish.logsOwner !== undefined && { owner: wish.logsOwner }),
  },
  bucket,
  prefix: keyIn(run.uriOf(paths.staged)),
  ...(wish.storageClass !== undefined && { storageClass: wish.storageClass }),
  ...(wish.kmsKey !== undefined && { kmsKey: wish.kmsKey }),
  tags: wish.copyTags,
})

async function direct(
  task: Task,
  run: Run,
  bucket: string,
  wish: CopyWish,
  aws: AwsSettings,
  signal: AbortSignal,
): Promise<Copier> {
  const { s3Client } = await import('../../lib/aws/clients.ts')
  const { directCopier } = await import('./direct.ts')
  const to = destinationOf(task, run, bucket, wish)
  return directCopier(await s3Client(aws, bucket), task.logs.store, to, wish.concurrency, signal)
}

async function batch(
  task: Task,
  planned: Planned,
  run: Run,
  bucket: string,
  wish: CopyWish & { readonly batchRole: string },
  aws: AwsSettings,
  checkpoint: Checkpoint<Saved<'stage'>>,
  signal: AbortSignal,
): Promise<BatchSettings> {
  const { s3Client, s3ControlClient } = await import('../../lib/aws/clients.ts')
  const { accountOfRole } = await import('../../lib/aws/account.ts')
  // The job must be created in the region of the bucket that it copies to.
  const region = await (await s3Client(aws, bucket)).config.region()
  const { newest } = planned.record
  return {
    control: await s3ControlClient(aws, region),
    accountId: accountOfRole(wish.batchRole),
    roleArn: wish.batchRole,
    destination: destinationOf(task, run, bucket, wish),
    run: run.id,
    plan: planned.record.selectedAt,
    store: run.store,
    bucket: await openStore(`s3://${bucket}`, aws),
    checkpoint,
    ...(newest !== null && { unmodifiedSince: new Date(Date.parse(newest) + 1000) }),
    pollSeconds: wish.poll,
    signal,
    sleep: run.host.sleep,
    direct: await direct(task, run, bucket, wish, aws, signal),
  }
}
