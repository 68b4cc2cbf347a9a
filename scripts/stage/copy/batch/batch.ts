import { createHash } from 'node:crypto'
import type { S3ControlClient } from '@aws-sdk/client-s3-control'
import type { Destination } from '../../../lib/aws/destination.ts'
import { explained } from '../../../lib/aws/errors.ts'
import {
  type BatchJobSpec,
  createBatchJob,
  findBatchJob,
  finishBatchJob,
  isBatchJobRunning,
} from '../../../lib/aws/s3-batch/job.ts'
import { isUnknownJob } from '../../../lib/aws/s3-batch/jobs.ts'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { count } from '../../../lib/cli/format.ts'
import type { Waiting } from '../../../lib/cli/host.ts'
import type { BatchJob, Checkpoint, Saved } from '../../../lib/runs/checkpoints.ts'
import { paths } from '../../../lib/runs/paths.ts'
import { isArchived } from '../../../lib/runs/read-cost.ts'
import { COPY_LIMIT } from '../../../lib/stores/s3-copy.ts'
import type { ObjectInfo, Store } from '../../../lib/stores/store.ts'
import { keyIn } from '../../../lib/stores/uri.ts'
import { outstanding } from '../../proof.ts'
import { type Draft, draftSelection, manifestOf } from '../../selection.ts'
import { type Copier, type CopyReport, isPermanent, reasonOfCode } from '../copier.ts'
import { hopeless, hopelessUnread } from './hopeless.ts'
import { type FailedTask, failedTasks } from './report.ts'

export interface BatchSettings extends Waiting {
  readonly control: S3ControlClient
  readonly accountId: string
  readonly roleArn: string
  readonly destination: Destination
  readonly run: string
  /** Names the plan: the time at which it was made. */
  readonly plan: string
  /** The run's. */
  readonly store: Store
  /** The bucket that the run is in, at its root. */
  readonly bucket: Store
  readonly checkpoint: Checkpoint<Saved<'stage'>>
  readonly unmodifiedSince?: Date
  readonly pollSeconds: number
  /** Copies what a job cannot or what is not worth a job. */
  readonly direct: Copier
}

/** Failed tasks up to this many are tried again one by one, more of them by another job. */
const FEW = 1000
/** Jobs that follow the first one. */
const ROUNDS = 2

type Settings = BatchSettings & { readonly attempts: Attempts }

/** Whether the job that an earlier attempt has left is under way. */
export async function isLeftUnderWay(given: BatchSettings): Promise<boolean> {
  const { control, accountId } = given
  const { job: left } = given.checkpoint.saved
  if (!left) return false
  try {
    const id = left.id ?? (await findBatchJob(control, jobSpecOf(given, left.manifest)))
    return id !== undefined && (await isBatchJobRunning(control, accountId, id))
  } catch (error) {
    throw explained(error, asked(given))
  }
}

/** Bucket to bucket by S3 Batch Operations. A job that an earlier attempt left is waited for before anything new is asked. */
export function batchCopier(given: BatchSettings): Copier {
  const settings = { ...given, attempts: attemptsOf(given.checkpoint) }
  return {
    name: 'S3 Batch Operations',
    async copy(objects, report) {
      const { job: left } = settings.checkpoint.saved
      try {
        if (left) await takeUp(settings, left, report)
        await rounds(settings, objects, report)
      } catch (error) {
        settings.signal.throwIfAborted()
        throw explained(error, asked(settings))
      }
    },
  }
}

const asked = ({ accountId, destination }: BatchSettings) => ({
  what: `S3 Batch Operations in account ${accountId}`,
  action: 's3:CreateJob, s3:DescribeJob, s3:ListJobs, s3:UpdateJobStatus and iam:PassRole',
  resource: '*',
  bucket: destination.bucket,
})

/** Jobs that have ended, over all attempts at the step. */
interface Attempts {
  ended: number
  end(): Promise<void>
}

function attemptsOf(checkpoint: Checkpoint<Saved<'stage'>>): Attempts {
  const attempts = {
    ended: checkpoint.saved.endedJobs ?? 0,
    end: () => {
      attempts.ended += 1
      return checkpoint.save({ job: null, endedJobs: attempts.ended })
    },
  }
  return attempts
}

/** Finishes the job of an earlier attempt; what it did not copy is outstanding afterwards, so its failures are not read. */
async function takeUp(settings: Settings, note: BatchJob, report: CopyReport): Promise<void> {
  const spec = jobSpecOf(settings, note.manifest)
  const id = note.id ?? (await findBatchJob(settings.control, spec))
  if (id === undefined) return
  report.state(`going on with job ${id}`)
  await settings.checkpoint.save({ job: { ...note, id } })
  await finishBatchJob(settings.control, spec, id, pollOf(settings, report)).catch((error: unknown) => {
    settings.signal.throwIfAborted()
    if (!(error instanceof UserError) && !isUnknownJob(error)) throw error
    report.state(`another job is needed: ${messageOf(error)}`)
  })
  await settings.attempts.end()
}

async function rounds(settings: Settings, objects: AsyncIterable<ObjectInfo>, report: CopyReport): Promise<void> {
  const apart: ObjectInfo[] = []
  const draft = await draftSelection(forJob(objects, apart))
  try {
    if (draft.totals.objects > 0) await runJobs(settings, draft, report)
  } finally {
    await draft.dispose()
  }
  await settings.direct.copy(each(apart), report)
}

/** Sets aside what a job cannot copy, or only if it was restored. */
async function* forJob(objects: AsyncIterable<ObjectInfo>, apart: ObjectInfo[]) {
  for await (const object of objects)
    if (isArchived(object) || object.size > COPY_LIMIT) apart.push(object)
    else yield object
}

async function runJobs(settings: Settings, first: Draft, report: CopyReport): Promise<void> {
  let draft = first
  for (let round = 0; ; round++) {
    const { id, failed, isWhole, gaveUp } = await runJob(settings, draft, report)
    const lasting = new Set<string>()
    for (const { key, code, message } of failed.values())
      if (isPermanent(code)) {
        lasting.add(key)
        report.failed({ key, ...reasonOfCode(code, message) })
      }
    if (gaveUp && lasting.size > failed.size / 2) throw hopeless(id, failed)
    // Of a job that S3 gave up, what is not there was not tried either. A report may tell less than what failed.
    const missing =
      gaveUp || !isWhole ? outstanding(draft, settings.store.within(paths.staged)) : only(draft.rows(), failed)
    const next = await draftSelection(without(missing, lasting))
    if (draft !== first) await draft.dispose()
    draft = next
    const left = next.totals.objects
    if (left > FEW && round < ROUNDS)
      report.state(`${count(left)} tasks ${gaveUp ? 'are left' : 'failed'}: another job for them`)
    else {
      await settings.direct.copy(next.rows(), report)
      return next.dispose()
    }
  }
}

/**
 * One job from its manifest to its report: its failed tasks by key, whether these are all of them, and whether S3 gave up because of them.
 */
async function runJob(settings: Settings, draft: Draft, report: CopyReport) {
  const { store, bucket, control, checkpoint } = settings
  // The same plan is the same job until that job has ended; then it is another attempt.
  const attempt = settings.attempts.ended
  const name = createHash('sha256')
    .update(`${settings.plan} ${draft.totals.digest} ${attempt}`)
    .digest('hex')
    .slice(0, 12)
  const key = `${paths.jobs}${name}/manifest.csv`
  const written = await writeManifest(settings, key, draft)
  const manifest = { key: keyIn(store.uriOf(key)), etag: written.etag ?? '', rows: draft.totals.objects }
  const spec = jobSpecOf(settings, manifest)
  await checkpoint.save({ job: { manifest } })
  const id = await createBatchJob(control, spec)
  await checkpoint.save({ job: { manifest, id } })
  report.state(`job ${id} created`)
  let told = 0
  const tell = (succeeded: number) => {
    report.copied(succeeded - told)
    told = succeeded
  }
  const job = await finishBatchJob(control, spec, id, pollOf(settings, report, tell))
  const { NumberOfTasksSucceeded: succeeded = 0, NumberOfTasksFailed: failures = 0 } = job.ProgressSummary ?? {}
  const failed = new Map<string, FailedTask>()
  let unread: UserError | undefined
  try {
    if (failures > 0) for await (const task of failedTasks(bucket, spec.report, id)) failed.set(task.key, task)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    unread = error
  }
  tell(succeeded)
  await settings.attempts.end()
  const gaveUp = job.Status === 'Failed'
  if (unread !== undefined && gaveUp && failures > succeeded) throw hopelessUnread(id, failures, unread)
  if (unread !== undefined) report.state(`${unread.message}; S3 is asked what is not there`)
  return { id, failed, isWhole: failed.size >= failures, gaveUp }
}

/** A manifest must not be encrypted with KMS, whatever the bucket's default. @throws UserError */
async function writeManifest({ store, destination }: Settings, key: string, draft: Draft): Promise<ObjectInfo> {
  try {
    return await store.write(key, manifestOf(draft, destination.source.bucket), { sse: 'AES256' })
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 4) throw error
    throw new UserError(error.message, {
      hint: `${error.hint}; the manifest of a job must be encrypted with SSE-S3: a bucket policy that demands KMS has to let it pass, or use --copy direct`,
      cause: error,
      exitCode: 4,
    })
  }
}

const jobSpecOf = (settings: BatchSettings, manifest: BatchJob['manifest']): BatchJobSpec => ({
  accountId: settings.accountId,
  roleArn: settings.roleArn,
  destination: settings.destination,
  manifest,
  report: manifest.key.replace(/\/manifest\.csv$/, ''),
  ...(settings.unmodifiedSince && { unmodifiedSince: settings.unmodifiedSince }),
  run: settings.run,
})

const pollOf = (
  { pollSeconds, signal, sleep }: BatchSettings,
  report: CopyReport,
  onSucceeded: (objects: number) => void = () => {},
) => ({
  seconds: pollSeconds,
  signal,
  sleep,
  onState: (text: string, succeeded: number) => {
    onSucceeded(succeeded)
    report.state(`${text}, ${count(succeeded)} copied`)
  },
})

async function* only(objects: AsyncIterable<ObjectInfo>, keys: ReadonlyMap<string, unknown>) {
  for await (const object of objects) if (keys.has(object.key)) yield object
}

async function* without(objects: AsyncIterable<ObjectInfo>, keys: ReadonlySet<string>) {
  for await (const object of objects) if (!keys.has(object.key)) yield object
}

async function* each<T>(items: readonly T[]) {
  yield* items
}
