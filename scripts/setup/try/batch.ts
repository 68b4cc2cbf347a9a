import { randomUUID } from 'node:crypto'
import { text as textOf } from 'node:stream/consumers'
import { DescribeJobCommand, type S3ControlClient } from '@aws-sdk/client-s3-control'
import { parse } from 'csv-parse/sync'
import * as v from 'valibot'
import { s3Client, s3ControlClient } from '../../lib/aws/clients.ts'
import { explained } from '../../lib/aws/errors.ts'
import { type BatchJobSpec, createBatchJob, finishBatchJob } from '../../lib/aws/s3-batch/job.ts'
import { isUnknownJob } from '../../lib/aws/s3-batch/jobs.ts'
import { plural } from '../../lib/cli/format.ts'
import { fitted } from '../../lib/cli/shapes.ts'
import { refuses, type Seen, succeeds } from './beliefs.ts'
import { ARCHIVED_KEY, METADATA, madeObjects } from './objects.ts'
import { bucketKey, TRY, type TryStep } from './place.ts'
import { looked, sourceKey, targetOfCopies } from './s3.ts'

const encoded = (key: string): string => key.split('/').map(encodeURIComponent).join('/')

/** Copies the made objects, and one that is archived, by a job of S3 Batch Operations, and reads its report. */
export async function tryBatch(step: TryStep): Promise<void> {
  const { comparisons, aws, region } = step
  const control = await s3ControlClient(aws, region)
  step.say('a job of S3 Batch Operations')
  await comparisons.compare('batch-missing-job', () => missingJob(control, step))
  const spec = await jobSpec(step)
  let id = ''
  await comparisons.compare('batch-create', () =>
    succeeds(async () => {
      id = await createBatchJob(control, spec).catch((error: unknown) => {
        throw explained(error, { what: 'CreateJob', action: 's3:CreateJob', resource: '*' })
      })
      return 'created'
    }),
  )
  if (id === '') return
  await comparisons.compare('batch-same-token', async () => {
    const again = await createBatchJob(control, spec)
    return { seen: again === id ? 'the same job' : 'another job', isBelieved: again === id }
  })
  let isFinished = false
  await comparisons.compare('batch-copies', () =>
    succeeds(async () => {
      const seen = await finished(control, spec, id, step)
      isFinished = true
      return seen
    }),
  )
  if (!isFinished) return
  await lookAtCopies(step)
  await lookAtReport(step, spec, id)
}

async function missingJob(control: S3ControlClient, { account }: TryStep): Promise<Seen> {
  const asked = new DescribeJobCommand({ AccountId: account, JobId: randomUUID() })
  return refuses(() => control.send(asked), isUnknownJob)
}

/** Writes the manifest. The nonce makes it another job than that of an earlier try. */
async function jobSpec(step: TryStep): Promise<BatchJobSpec> {
  const folder = `jobs/${step.nonce}`
  const keys = [...madeObjects.map((made) => sourceKey(step, made)), sourceKey(step, { key: ARCHIVED_KEY })]
  const rows = keys.map((key) => `${step.bucket},${encoded(key)}\n`).join('')
  const { etag = '' } = await step.store.write(`${folder}/manifest.csv`, rows, { sse: 'AES256' })
  return {
    accountId: step.account,
    roleArn: step.batchRole,
    destination: targetOfCopies(step, 'batch'),
    manifest: { key: bucketKey(step, `${folder}/manifest.csv`), etag, rows: keys.length },
    report: bucketKey(step, folder),
    run: TRY,
  }
}

async function finished(control: S3ControlClient, spec: BatchJobSpec, id: string, step: TryStep): Promise<string> {
  const { poll: seconds, signal, sleep, say } = step
  const job = await finishBatchJob(control, spec, id, { seconds, signal, sleep, onState: say })
  const { NumberOfTasksSucceeded: done = 0, NumberOfTasksFailed: failed = 0 } = job.ProgressSummary ?? {}
  const seen = `${job.Status}, ${done} copied, ${failed} failed`
  if (done < madeObjects.filter(({ isTagged }) => !isTagged).length) throw new Error(seen)
  return seen
}

/** Whether copies are where they should be, with their metadata and without their tags. */
async function lookAtCopies(step: TryStep): Promise<void> {
  const { comparisons, bucket } = step
  const client = await s3Client(step.aws, bucket)
  const { prefix } = targetOfCopies(step, 'batch')
  const copies = new Map(
    await Promise.all(
      madeObjects.map(async (made) => [made, await looked(client, bucket, prefix + sourceKey(step, made))] as const),
    ),
  )
  const plain = madeObjects.filter(({ isTagged }) => !isTagged)
  const found = plain.flatMap((made) => copies.get(made) ?? [])
  await comparisons.compare('batch-prefix', async () => {
    const seen = `${found.length} of ${plain.length} copies lie below the prefix and a slash`
    return { seen, isBelieved: found.length === plain.length }
  })
  await comparisons.compare('batch-metadata', () => {
    if (found.length === 0) return { seen: 'no copy was found', isBelieved: undefined }
    const isKept = found.every(({ metadata }) => metadata['prestage-try'] === METADATA['prestage-try'])
    return { seen: isKept ? 'kept' : 'lost', isBelieved: isKept }
  })
  await comparisons.compare('batch-no-tags', () => {
    if (found.length === 0) return { seen: 'no copy was found', isBelieved: undefined }
    const isThere = madeObjects.filter(({ isTagged }) => isTagged).every((made) => copies.get(made) !== undefined)
    return { seen: `an object with a tag was ${isThere ? '' : 'not '}copied`, isBelieved: isThere }
  })
}

/** "Examples: S3 Batch Operations completion reports", S3 user guide. */
const reportSchema = v.object({
  Format: v.string(),
  Results: v.array(v.object({ TaskExecutionStatus: v.string(), Key: v.string() })),
})

async function lookAtReport(step: TryStep, spec: BatchJobSpec, id: string): Promise<void> {
  const { comparisons, store } = step
  const folder = `jobs/${step.nonce}/`
  let rows: string[][] = []
  await comparisons.compare('batch-report-place', async () => {
    const text = await store.text(`${folder}job-${id}/manifest.json`)
    if (text === undefined) return { seen: 'no manifest.json', isBelieved: false }
    const { Format, Results } = fitted(reportSchema, JSON.parse(text))
    for (const { Key } of Results) {
      const key = Key.startsWith(spec.report) ? `${folder}${Key.slice(spec.report.length + 1)}` : undefined
      if (key === undefined) return { seen: 'a file elsewhere', isBelieved: false }
      rows = [...rows, ...rowsIn(await textOf(await store.read(key)))]
    }
    return { seen: `${Format}, ${plural(rows.length, 'row')}`, isBelieved: rows.length > 0 }
  })
  const row = rows.find(([, key]) => key?.includes('archived')) ?? rows[0]
  if (row === undefined) return
  await comparisons.compare('batch-report-columns', () => {
    const seen = `${row.length} columns: bucket, key, version, ${row.slice(3).join(', ')}`
    return { seen, isBelieved: row.length === 7 && row[3] === 'failed' }
  })
  await comparisons.compare('batch-report-slashes', () => {
    const key = row[1] ?? ''
    const shown = key.slice(key.lastIndexOf('AWSLogs'))
    return { seen: shown, isBelieved: key === encoded(sourceKey(step, { key: ARCHIVED_KEY })) }
  })
}

const rowsIn = (text: string): string[][] => parse(text, { relax_column_count: true })
