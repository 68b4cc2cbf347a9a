import {
  type JobListDescriptor,
  type JobStatus,
  paginateListJobs,
  type S3ControlClient,
} from '@aws-sdk/client-s3-control'
import { detailsOf } from '../errors.ts'

/** A job of S3 Batch Operations has no name: its description says whose it is, and for which order. */
export const jobDescription = (run: string, token: string): string =>
  `prestage ${run} ${token.slice(0, 12)}`.slice(0, 256)

/** Whether a job may be one of the run. Another workspace can have a run of the same id: its manifest tells them apart. */
export const describesRun = (description: string | undefined, run: string): boolean =>
  description?.startsWith(jobDescription(run, '')) ?? false

/**
 * Whether S3 does not know a job: it forgets one 90 days after its end, and may not know one that was just created. The API reference calls
 * it NotFoundException, "Troubleshooting S3 Batch Operations" NoSuchJobException, what people quote NoSuchJob.
 */
export const isUnknownJob = (error: unknown): boolean =>
  /^(NoSuchJob|NotFound)(Exception)?$/.test(detailsOf(error).code)

/** Jobs of an account, newest first. @param JobStatuses all when absent */
export async function* listJobs(
  client: S3ControlClient,
  AccountId: string,
  JobStatuses?: JobStatus[],
): AsyncGenerator<JobListDescriptor> {
  const asked = { AccountId, ...(JobStatuses && { JobStatuses }) }
  for await (const { Jobs = [] } of paginateListJobs({ client, pageSize: 1000 }, asked)) yield* Jobs
}
