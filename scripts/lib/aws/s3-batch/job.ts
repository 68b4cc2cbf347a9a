import { createHash } from 'node:crypto'
import {
  CreateJobCommand,
  type CreateJobCommandInput,
  DescribeJobCommand,
  type JobDescriptor,
  type S3ControlClient,
  type S3CopyObjectOperation,
  UpdateJobStatusCommand,
} from '@aws-sdk/client-s3-control'
import { UserError } from '../../cli/errors.ts'
import { count, plural } from '../../cli/format.ts'
import type { Waiting } from '../../cli/host.ts'
import type { Destination } from '../destination.ts'
import { detailsOf } from '../errors.ts'
import { isUnknownJob, jobDescription, listJobs } from './jobs.ts'

/** Everything that shapes a job, so that asking for it twice is asking once. */
export interface BatchJobSpec {
  readonly accountId: string
  readonly roleArn: string
  readonly destination: Destination
  /** Key of the manifest in the destination bucket, and its ETag. */
  readonly manifest: { readonly key: string; readonly etag: string; readonly rows: number }
  /** Prefix of the report in the destination bucket, without a trailing slash. */
  readonly report: string
  /** Objects changed after this are not copied. */
  readonly unmodifiedSince?: Date
  readonly run: string
}

/** Derived from the spec: S3 takes two requests with one token for one. */
const tokenOf = ({ manifest, destination, roleArn }: BatchJobSpec): string =>
  createHash('sha256')
    .update(JSON.stringify([manifest.key, manifest.etag, destination, roleArn]))
    .digest('hex')

const describes = (spec: BatchJobSpec): string => jobDescription(spec.run, tokenOf(spec))

/** Creates the job, parked until its task count is known. Returns its id. */
export async function createBatchJob(client: S3ControlClient, spec: BatchJobSpec): Promise<string> {
  try {
    const { JobId } = await client.send(new CreateJobCommand(jobInput(spec)))
    if (JobId === undefined) throw new Error('S3 answered CreateJob without a JobId')
    return JobId
  } catch (error) {
    // The answer to the first try was lost. That the second one is answered alike is documented nowhere.
    const made = detailsOf(error).code === 'IdempotencyException' ? await findBatchJob(client, spec) : undefined
    if (made === undefined) throw error
    return made
  }
}

function jobInput(spec: BatchJobSpec): CreateJobCommandInput {
  const { manifest } = spec
  const bucketArn = bucketArnOf(spec)
  return {
    AccountId: spec.accountId,
    ConfirmationRequired: true,
    ClientRequestToken: tokenOf(spec),
    Description: describes(spec),
    Priority: 10,
    RoleArn: spec.roleArn,
    Operation: { S3PutObjectCopy: copyOperation(spec) },
    Manifest: {
      Spec: { Format: 'S3BatchOperations_CSV_20180820', Fields: ['Bucket', 'Key'] },
      Location: { ObjectArn: `${bucketArn}/${manifest.key}`, ETag: manifest.etag },
    },
    Report: {
      Enabled: true,
      Bucket: bucketArn,
      Prefix: spec.report,
      Format: 'Report_CSV_20180820',
      ReportScope: 'FailedTasksOnly',
    },
  }
}

/** In the partition of the role: GovCloud and China have their own. */
const bucketArnOf = ({ destination, roleArn }: BatchJobSpec): string =>
  `arn:${roleArn.split(':')[1]}:s3:::${destination.bucket}`

function copyOperation(spec: BatchJobSpec): S3CopyObjectOperation {
  const { destination, unmodifiedSince } = spec
  const { prefix, storageClass, kmsKey, tags, source } = destination
  return {
    TargetResource: bucketArnOf(spec),
    // S3 puts the slash in itself.
    TargetKeyPrefix: prefix.replace(/\/$/, ''),
    MetadataDirective: 'COPY',
    ...(storageClass !== undefined && {
      StorageClass: storageClass as NonNullable<S3CopyObjectOperation['StorageClass']>,
    }),
    ...(kmsKey !== undefined && {
      SSEAwsKmsKeyId: kmsKey,
      BucketKeyEnabled: true,
      NewObjectMetadata: { SSEAlgorithm: 'KMS' },
    }),
    ...(!tags && { NewObjectTagging: [] }),
    ...(unmodifiedSince !== undefined && { UnModifiedSinceConstraint: unmodifiedSince }),
    ...(source.requesterPays && { RequesterPays: true }),
  }
}

/** A job of this spec that exists although its id was never noted: a process died between the two. */
export async function findBatchJob(client: S3ControlClient, spec: BatchJobSpec): Promise<string | undefined> {
  for await (const { JobId, Description } of listJobs(client, spec.accountId))
    if (Description === describes(spec) && JobId !== undefined) return JobId
  return undefined
}

export interface PollSettings extends Waiting {
  readonly seconds: number
  onState(text: string, succeeded: number): void
}

/** Waits for a job's end, letting it run once its task count is what the manifest has. @throws UserError when it fails */
export async function finishBatchJob(
  client: S3ControlClient,
  spec: BatchJobSpec,
  jobId: string,
  settings: PollSettings,
): Promise<JobDescriptor> {
  for (let tries = 0, refusals = 0; ; tries++) {
    const job = await describeJob(client, { AccountId: spec.accountId, JobId: jobId }, tries, settings)
    const {
      NumberOfTasksSucceeded: succeeded = 0,
      NumberOfTasksFailed: failed = 0,
      TotalNumberOfTasks: total = 0,
    } = job.ProgressSummary ?? {}
    settings.onState(
      `job ${jobId} ${job.Status}${noteOn(job.Status)}${failed > 0 ? `, ${count(failed)} failed` : ''}`,
      succeeded,
    )
    switch (job.Status) {
      case 'Complete':
        return job
      case 'Failed':
        if (succeeded + failed > 0) return job
        throw failedAtOnce(job)
      case 'Cancelled':
        throw new UserError(`job ${jobId} was cancelled${because(job)}`, { hint: ANOTHER_JOB })
      case 'Suspended':
        await confirmJob(client, spec, jobId, total).catch((error: unknown) => {
          // Confirmed already, and S3 does not show it yet.
          refusals += 1
          if (detailsOf(error).code !== 'JobStatusException' || refusals > MOST_REFUSALS) throw error
        })
        break
    }
    await settings.sleep(waitOf(settings.seconds, job.Status))
  }
}

const MOST_REFUSALS = 5

const OVER: readonly unknown[] = ['Complete', 'Cancelling', 'Cancelled', 'Failing', 'Failed']

/** Whether a job has still to come to its end, which nobody pays for again. */
export async function isBatchJobRunning(client: S3ControlClient, AccountId: string, JobId: string): Promise<boolean> {
  try {
    const { Job } = await client.send(new DescribeJobCommand({ AccountId, JobId }))
    return !OVER.includes(Job?.Status)
  } catch (error) {
    if (isUnknownJob(error)) return false
    throw error
  }
}

/** Right after CreateJob, S3 may not know the job yet. */
async function describeJob(
  client: S3ControlClient,
  id: { readonly AccountId: string; readonly JobId: string },
  tries: number,
  { seconds, signal, sleep }: PollSettings,
): Promise<JobDescriptor> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { Job } = await client.send(new DescribeJobCommand(id), { abortSignal: signal })
      if (Job === undefined) throw new Error('S3 answered DescribeJob without a job')
      return Job
    } catch (error) {
      const isYoung = isUnknownJob(error) && tries === 0 && attempt < 5
      if (!isYoung) throw error
      await sleep(Math.min(seconds, 2 ** attempt) * 1000)
    }
  }
}

async function confirmJob(client: S3ControlClient, spec: BatchJobSpec, JobId: string, total: number): Promise<void> {
  const { accountId: AccountId, manifest } = spec
  // Whether a waiting job tells its number of tasks is documented nowhere; the proof finds what is missing.
  if (total > 0 && total !== manifest.rows) {
    await client.send(
      new UpdateJobStatusCommand({
        AccountId,
        JobId,
        RequestedJobStatus: 'Cancelled',
        StatusUpdateReason: 'task count differs from the plan',
      }),
    )
    throw new UserError(
      `job ${JobId} counts ${plural(total, 'task')}, the manifest has ${plural(manifest.rows, 'row')}: cancelled`,
    )
  }
  await client.send(
    new UpdateJobStatusCommand({ AccountId, JobId, RequestedJobStatus: 'Ready', StatusUpdateReason: 'plan approved' }),
  )
}

/** Before a job runs there is little to wait for; polling a running one faster than AWS asks for brings throttling. */
const SOON: readonly unknown[] = ['New', 'Preparing', 'Suspended', 'Ready']

/** The jitter keeps several runs apart. */
const waitOf = (seconds: number, status: string | undefined): number =>
  (SOON.includes(status) ? seconds / 3 : seconds) * 1000 * (0.9 + Math.random() * 0.2)

const noteOn = (status: string | undefined): string =>
  status === 'Paused' ? ' (S3 works on jobs of a higher priority first; it goes on by itself)' : ''

const because = ({ StatusUpdateReason: reason }: JobDescriptor): string => (reason ? `: ${reason}` : '')

const ANOTHER_JOB = 'the same command copies what is missing, with a new job'

/** The failure of a job that ended before its first task. */
function failedAtOnce(job: JobDescriptor): UserError {
  const reasons =
    job.FailureReasons?.map(({ FailureCode, FailureReason }) => `${FailureCode}: ${FailureReason}`).join('; ') ||
    'S3 gives no reason'
  const message = `job ${job.JobId} failed: ${reasons}`
  if (!/manifest/i.test(reasons)) return new UserError(message, { hint: ANOTHER_JOB })
  return new UserError(message, {
    hint: `may ${job.RoleArn} read the manifest (s3:GetObject, s3:GetObjectVersion), and does it trust batchoperations.s3.amazonaws.com? Then ${ANOTHER_JOB}`,
    ...(/forbidden|denied|403/i.test(reasons) && { exitCode: 4 }),
  })
}
