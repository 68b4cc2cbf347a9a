import {
  DescribeJobCommand,
  type JobDescriptor,
  type S3ControlClient,
  UpdateJobStatusCommand,
} from '@aws-sdk/client-s3-control'
import { detailsOf, explained } from '../../lib/aws/errors.ts'
import { describesRun, isUnknownJob, listJobs } from '../../lib/aws/s3-batch.ts'
import { watched } from '../../lib/aws/sagemaker/jobs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { Leftover } from './leftovers.ts'

export interface BatchWorld {
  readonly control: S3ControlClient
  readonly account: string
  readonly region: string
  readonly run: Run
  readonly signal: AbortSignal
}

/** S3 User Guide, "Tracking job status": what can be cancelled, and what goes to its end by itself. */
const CANCELLABLE = ['New', 'Preparing', 'Suspended', 'Ready', 'Active', 'Pausing', 'Paused'] as const
const ENDING = ['Completing', 'Cancelling', 'Failing'] as const
const isOneOf = (states: readonly string[], { Status }: JobDescriptor): boolean =>
  Status !== undefined && states.includes(Status)

const savedJob = (run: Run): string | undefined => run.ledger.steps.stage?.checkpoint.job?.id

/** Whether the run has ever ordered a job: its manifest lies in the run before there is one, and expires when it is noted. */
export async function hasOrdered(run: Run): Promise<boolean> {
  if (savedJob(run) !== undefined) return true
  for await (const _ of run.store.list({ prefix: paths.jobs })) return true
  return false
}

/**
 * Jobs of S3 Batch Operations that still copy for the run, or would once they are confirmed. Theirs is what the ledger notes and
 * what is described as the run's, and of these only what reads a manifest of the run's own folder.
 */
export async function batchJobs(world: BatchWorld): Promise<Leftover[]> {
  const { control, account, run } = world
  const saved = savedJob(run)
  const ids = new Set(saved === undefined ? [] : [saved])
  const listed = listJobs(control, account, [...CANCELLABLE, ...ENDING])
  try {
    for await (const { JobId, Description } of listed)
      if (JobId !== undefined && describesRun(Description, run.id)) ids.add(JobId)
  } catch (error) {
    throw explained(error, {
      what: `jobs of S3 Batch Operations in account ${account}`,
      action: 's3:ListJobs',
      resource: '*',
    })
  }
  const found: Leftover[] = []
  for (const id of ids) {
    const job = await described(world, id)
    if (job !== undefined && isOf(run, job) && isOneOf([...CANCELLABLE, ...ENDING], job))
      found.push(leftover(world, id, job))
  }
  return found
}

const isOf = (run: Run, { Manifest }: JobDescriptor): boolean =>
  `s3://${Manifest?.Location?.ObjectArn?.split(':::')[1]}`.startsWith(run.uriOf(paths.jobs))

/** Undefined when S3 does not know it: it forgets a job 90 days after its end. */
async function described({ control, ...world }: BatchWorld, JobId: string): Promise<JobDescriptor | undefined> {
  try {
    const asked = new DescribeJobCommand({ AccountId: world.account, JobId })
    return (await control.send(asked, { abortSignal: world.signal })).Job
  } catch (error) {
    world.signal.throwIfAborted()
    if (isUnknownJob(error)) return undefined
    throw explained(error, about(world, JobId, 's3:DescribeJob'))
  }
}

const about = ({ region, account }: Pick<BatchWorld, 'region' | 'account'>, id: string, action: string) => ({
  what: `S3 Batch job ${id}`,
  action,
  resource: `arn:aws:s3:${region}:${account}:job/${id}`,
})

const leftover = (world: BatchWorld, id: string, job: JobDescriptor): Leftover => ({
  what: `S3 Batch job ${id}`,
  files: 0,
  bytes: 0,
  note: isOneOf(CANCELLABLE, job) ? `is ${job.Status}: it is cancelled` : `is ${job.Status}: its end is waited for`,
  done: 'no longer runs',
  remove: () => cancelled(world, id),
})

/** Returns when the job has ended: until then it goes on copying. */
async function cancelled(world: BatchWorld, id: string): Promise<void> {
  const job = await described(world, id)
  const refusal = job !== undefined && isOneOf(CANCELLABLE, job) ? await cancel(world, id) : undefined
  await watched(
    () => described(world, id),
    (now) => {
      if (refusal !== undefined && now !== undefined && isOneOf(CANCELLABLE, now)) throw refusal
      return now === undefined || !isOneOf([...CANCELLABLE, ...ENDING], now)
    },
    world.signal,
  )
}

/** Asks for it. @returns S3's refusal when the job is in a state without a way there: it may have come to its end meanwhile */
async function cancel(world: BatchWorld, JobId: string): Promise<unknown> {
  const wish = { RequestedJobStatus: 'Cancelled', StatusUpdateReason: 'prestage clean' } as const
  try {
    await world.control.send(new UpdateJobStatusCommand({ AccountId: world.account, JobId, ...wish }))
    return undefined
  } catch (error) {
    const refusal = explained(error, about(world, JobId, 's3:UpdateJobStatus'))
    if (detailsOf(error).code === 'JobStatusException') return refusal
    throw refusal
  }
}
