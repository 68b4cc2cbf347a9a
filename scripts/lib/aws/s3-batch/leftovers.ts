import {
  DescribeJobCommand,
  type JobDescriptor,
  type S3ControlClient,
  UpdateJobStatusCommand,
} from '@aws-sdk/client-s3-control'
import type { Waiting } from '../../cli/host.ts'
import { detailsOf, explained } from '../errors.ts'
import type { Leftover } from '../leftover.ts'
import { watched } from '../sagemaker/calls.ts'
import { describesRun, isUnknownJob, listJobs } from './jobs.ts'

export interface BatchScope extends Waiting {
  readonly control: S3ControlClient
  readonly account: string
  readonly region: string
  /** Id of the run whose jobs are searched for, and the URI below which their manifests lie. */
  readonly run: string
  readonly manifests: string
  /** Id of a job that the run has saved. */
  readonly saved: string | undefined
}

/** S3 User Guide, "Tracking job status": states in which a job can be cancelled, and in which it comes to its end by itself. */
const CANCELLABLE = ['New', 'Preparing', 'Suspended', 'Ready', 'Active', 'Pausing', 'Paused'] as const
const ENDING = ['Completing', 'Cancelling', 'Failing'] as const
const isOneOf = (states: readonly string[], { Status }: JobDescriptor): boolean =>
  Status !== undefined && states.includes(Status)

/**
 * Jobs of S3 Batch Operations that still copy for the run, or would once they are confirmed: those that the ledger or their description
 * names, and of these only those that read a manifest in the run's own folder.
 */
export async function batchLeftovers(scope: BatchScope): Promise<Leftover[]> {
  const { control, account, run, saved } = scope
  const ids = new Set(saved === undefined ? [] : [saved])
  const listed = listJobs(control, account, [...CANCELLABLE, ...ENDING])
  try {
    for await (const { JobId, Description } of listed)
      if (JobId !== undefined && describesRun(Description, run)) ids.add(JobId)
  } catch (error) {
    throw explained(error, {
      what: `jobs of S3 Batch Operations in account ${account}`,
      action: 's3:ListJobs',
      resource: '*',
    })
  }
  const found: Leftover[] = []
  for (const id of ids) {
    const job = await described(scope, id)
    if (job !== undefined && isOf(scope, job) && isOneOf([...CANCELLABLE, ...ENDING], job))
      found.push(leftover(scope, id, job))
  }
  return found
}

const isOf = ({ manifests }: BatchScope, { Manifest }: JobDescriptor): boolean =>
  `s3://${Manifest?.Location?.ObjectArn?.split(':::')[1]}`.startsWith(manifests)

/** Undefined when S3 does not know the job: it forgets one 90 days after its end. */
async function described({ control, ...scope }: BatchScope, JobId: string): Promise<JobDescriptor | undefined> {
  try {
    const asked = new DescribeJobCommand({ AccountId: scope.account, JobId })
    return (await control.send(asked, { abortSignal: scope.signal })).Job
  } catch (error) {
    scope.signal.throwIfAborted()
    if (isUnknownJob(error)) return undefined
    throw explained(error, about(scope, JobId, 's3:DescribeJob'))
  }
}

const about = ({ region, account }: Pick<BatchScope, 'region' | 'account'>, id: string, action: string) => ({
  what: `S3 Batch job ${id}`,
  action,
  resource: `arn:aws:s3:${region}:${account}:job/${id}`,
})

const leftover = (scope: BatchScope, id: string, job: JobDescriptor): Leftover => ({
  what: `S3 Batch job ${id}`,
  files: 0,
  bytes: 0,
  note: isOneOf(CANCELLABLE, job)
    ? `is ${job.Status} and will be cancelled`
    : `is ${job.Status}; clean waits for its end`,
  done: 'no longer runs',
  remove: () => cancelled(scope, id),
})

/** Returns when the job has ended: until then it goes on copying. */
async function cancelled(scope: BatchScope, id: string): Promise<void> {
  const job = await described(scope, id)
  const refusal = job !== undefined && isOneOf(CANCELLABLE, job) ? await cancel(scope, id) : undefined
  await watched(
    () => described(scope, id),
    (now) => {
      if (refusal !== undefined && now !== undefined && isOneOf(CANCELLABLE, now)) throw refusal
      return now === undefined || !isOneOf([...CANCELLABLE, ...ENDING], now)
    },
    scope.sleep,
  )
}

/** Requests the cancellation. @returns S3's refusal when the state of the job does not allow it: it may have ended meanwhile */
async function cancel(scope: BatchScope, JobId: string): Promise<unknown> {
  const request = { RequestedJobStatus: 'Cancelled', StatusUpdateReason: 'prestage clean' } as const
  try {
    await scope.control.send(new UpdateJobStatusCommand({ AccountId: scope.account, JobId, ...request }))
    return undefined
  } catch (error) {
    const refusal = explained(error, about(scope, JobId, 's3:UpdateJobStatus'))
    if (detailsOf(error).code === 'JobStatusException') return refusal
    throw refusal
  }
}
