import type { Context } from '../../lib/cli/command.ts'
import { UsageError, UserError } from '../../lib/cli/errors.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { type CostItem, PRICES } from '../../lib/runs/cost.ts'
import { paths } from '../../lib/runs/paths.ts'
import { copyCosts, type Load, readCosts, type STORAGE_CLASSES } from '../../lib/runs/read-cost.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type AwsSettings, openStore } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { keyIn, locationOf } from '../../lib/stores/uri.ts'
import type { Planned } from '../plan.ts'
import type { Task } from '../request.ts'
import { isInPlace } from '../unmoved.ts'
import type { BatchSettings } from './batch/batch.ts'
import type { Copier } from './copier.ts'
import { downloadCopier } from './download.ts'
import { type FileStore, linkCopier } from './link.ts'

/** A copier that was chosen, before there is a run to copy into. */
export interface Choice {
  readonly about: string
  costs(load: Load): readonly CostItem[]
  /** Whether all that is outstanding is being copied already, by what an earlier attempt has left. */
  isUnderWay?(run: Run): Promise<boolean>
  /** Absent where nothing is copied. */
  open?(run: Run, checkpoint: Checkpoint<Saved<'stage'>>): Promise<Copier>
}

export interface CopyOptions {
  readonly workspace: string
  readonly concurrency: number
  readonly copy: 'auto' | 'batch' | 'direct'
  readonly batchRole: string | undefined
  readonly poll: number
  readonly storageClass: (typeof STORAGE_CLASSES)[number] | undefined
  readonly kmsKey: string | undefined
  readonly copyTags: boolean
  readonly requesterPays: boolean
  readonly logsOwner: string | undefined
}

/** From here on a job's own fee and minutes are worth its retries, its report, and that it runs without us. */
const WORTH_A_JOB = 10_000

/** What it costs to read so much of a bucket on this machine. */
export const downloadCosts = (load: Load): CostItem[] => [
  ...readCosts(load),
  { what: 'bytes out of AWS', count: load.bytes, each: PRICES.byteOut },
]

/** Whether an earlier attempt has left a job whose end nobody has seen. */
const hasLeftJob = (run: Run | undefined): boolean => (run?.ledger.steps.stage?.checkpoint.job ?? null) !== null

/** What is copied, and how. */
export interface CopyStep {
  readonly task: Task
  readonly planned: Planned
  readonly options: CopyOptions
  readonly aws: AwsSettings
  readonly context: Context
  /** The run of an earlier attempt, to be continued. */
  readonly existing: Run | undefined
}

/**
 * The copier that fits where the logs and the workspace lie, and how much is left to copy. @throws UsageError when the options do not
 * fit
 */
export async function copierOf(step: CopyStep, left: Load): Promise<Choice> {
  const { options } = step
  const from = step.task.logs.store
  const target = locationOf(options.workspace)
  if (target.kind === 'folder') return toFolder(step, from)
  if (isFiles(from))
    throw new UserError(`the logs are a folder and the workspace is ${options.workspace}: nothing uploads logs`, {
      hint: 'name a folder as --workspace, or the bucket as --logs',
      exitCode: 2,
    })
  if (isInPlace(step.task, options.workspace))
    return {
      about: 'nothing: Athena reads the objects where they lie',
      costs: ({ objects }) => [{ what: 'HEAD requests', count: objects, each: PRICES.getRequest }],
    }
  const isWorthIt = left.objects >= WORTH_A_JOB || hasLeftJob(step.existing)
  if (options.copy !== 'batch' && !(options.copy === 'auto' && isWorthIt && options.batchRole !== undefined))
    return {
      about: 'CopyObject',
      costs: (load) => copyCosts(load, options.storageClass, options.kmsKey),
      open: (run) => direct(step, run, target.bucket),
    }
  if (options.batchRole === undefined)
    throw new UsageError(
      '--copy batch needs the role of the job',
      'add --batch-role ARN; docs/permissions.md says which rights it needs',
    )
  return byJob(step, target.bucket, options.batchRole)
}

function toFolder({ options, context }: CopyStep, from: Store): Choice {
  const { workspace, copy, concurrency } = options
  const limits = { concurrency, signal: context.signal }
  if (copy !== 'auto')
    throw new UsageError(`--copy ${copy} copies within S3, and ${workspace} is a folder`, 'leave --copy out')
  if (isFiles(from))
    return {
      about: 'hard links, copies where the file system has none',
      costs: () => [],
      open: async (run) => linkCopier(from, stagedOf(run) as FileStore, limits),
    }
  return {
    about: 'download',
    costs: downloadCosts,
    open: async (run) => downloadCopier(from, stagedOf(run), limits),
  }
}

function byJob(step: CopyStep, bucket: string, batchRole: string): Choice {
  const settings = (run: Run, checkpoint: Checkpoint<Saved<'stage'>>) =>
    batch(step, run, checkpoint, { bucket, batchRole })
  return {
    about: 'S3 Batch Operations',
    costs: (load) => [
      ...copyCosts(load, step.options.storageClass, step.options.kmsKey),
      { what: 'job', count: 1, each: PRICES.batchJob },
      { what: 'tasks', count: load.objects, each: PRICES.batchObject },
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

const destinationOf = ({ task, options }: CopyStep, run: Run, bucket: string) => ({
  source: {
    bucket: task.logs.bucket,
    requesterPays: options.requesterPays,
    ...(options.logsOwner !== undefined && { owner: options.logsOwner }),
  },
  bucket,
  prefix: keyIn(run.uriOf(paths.staged)),
  ...(options.storageClass !== undefined && { storageClass: options.storageClass }),
  ...(options.kmsKey !== undefined && { kmsKey: options.kmsKey }),
  tags: options.copyTags,
})

async function direct(step: CopyStep, run: Run, bucket: string): Promise<Copier> {
  const { task, options, aws, context } = step
  const { s3Client } = await import('../../lib/aws/clients.ts')
  const { directCopier } = await import('./direct.ts')
  const limits = { concurrency: options.concurrency, signal: context.signal }
  return directCopier(await s3Client(aws, bucket), task.logs.store, destinationOf(step, run, bucket), limits)
}

async function batch(
  step: CopyStep,
  run: Run,
  checkpoint: Checkpoint<Saved<'stage'>>,
  { bucket, batchRole }: { bucket: string; batchRole: string },
): Promise<BatchSettings> {
  const { planned, options, aws, context } = step
  const { s3Client, s3ControlClient } = await import('../../lib/aws/clients.ts')
  const { accountOfRole } = await import('../../lib/aws/arn.ts')
  // The job must be created in the region of the bucket that it copies to.
  const region = await (await s3Client(aws, bucket)).config.region()
  const { newest, selectedAt } = planned.record
  return {
    control: await s3ControlClient(aws, region),
    accountId: accountOfRole(batchRole),
    roleArn: batchRole,
    destination: destinationOf(step, run, bucket),
    run: run.id,
    plan: selectedAt,
    store: run.store,
    bucket: await openStore(`s3://${bucket}`, aws),
    checkpoint,
    ...(newest !== null && { unmodifiedSince: new Date(Date.parse(newest) + 1000) }),
    pollSeconds: options.poll,
    signal: context.signal,
    sleep: context.sleep,
    direct: await direct(step, run, bucket),
  }
}
