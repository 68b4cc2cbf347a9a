import { parse } from 'csv-parse'
import * as v from 'valibot'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { fitted } from '../../../lib/cli/shapes.ts'
import { decodeKey } from '../../../lib/runs/selected.ts'
import type { Store } from '../../../lib/stores/store.ts'

/** What is used of a completion report's manifest.json: "Examples: S3 Batch Operations completion reports", S3 user guide. */
const manifestSchema = v.object({
  Format: v.literal('Report_CSV_20180820'),
  Results: v.array(v.object({ TaskExecutionStatus: v.string(), Bucket: v.string(), Key: v.string() })),
})

/** A task that did not succeed. */
export interface FailedTask {
  readonly key: string
  /** S3's error code; '' when the report has none. */
  readonly code: string
  readonly status: string
  readonly message: string
}

/**
 * Reads the failed tasks of a job's completion report, as far as its rows can be read.
 * @param bucket the bucket that holds it, at its root
 * @throws UserError when there is no report: S3 delivers none to a bucket with retention by Object Lock, or one whose policy demands KMS
 */
export async function* failedTasks(bucket: Store, prefix: string, jobId: string): AsyncGenerator<FailedTask> {
  const key = `${prefix}/job-${jobId}/manifest.json`
  const text = await bucket.text(key)
  if (text === undefined) throw new UserError(`the completion report of job ${jobId} is missing: ${bucket.uriOf(key)}`)
  for (const { TaskExecutionStatus, Key } of resultsIn(text, bucket.uriOf(key)))
    if (TaskExecutionStatus !== 'succeeded') yield* failedRows(bucket, Key)
}

function resultsIn(manifest: string, uri: string): v.InferOutput<typeof manifestSchema>['Results'] {
  try {
    return fitted(manifestSchema, JSON.parse(manifest)).Results
  } catch (error) {
    throw new UserError(`the completion report ${uri} cannot be read: ${messageOf(error)}`)
  }
}

async function* failedRows(bucket: Store, key: string): AsyncGenerator<FailedTask> {
  const lenient = { relax_column_count: true, relax_quotes: true, skip_records_with_error: true }
  const rows = (await bucket.read(key)).pipe(parse(lenient))
  for await (const row of rows) {
    const task = failedTask(row as string[])
    if (task !== undefined && task !== 'succeeded') yield task
  }
}

/**
 * One row: `bucket,key,version,status,code,HTTP status,message`. AWS documents the two codes in this order and shows them in the other
 * one: that of three digits is the HTTP status. Under "Troubleshooting S3 Batch Operations" it prints rows without the version. Undefined for
 * any other row: who counts the failed tasks knows that some are missing.
 */
export function failedTask([, key, ...rest]: readonly string[]): FailedTask | 'succeeded' | undefined {
  const at = rest.slice(0, 2).findIndex((field) => field === 'failed' || field === 'succeeded')
  if (!key || at === -1) return undefined
  const [status, first = '', second = '', message = ''] = rest.slice(at)
  if (status === 'succeeded') return 'succeeded'
  const [code, httpStatus] = /^\d{3}$/.test(first) ? [second, first] : [first, second]
  return { key: decoded(key), code, status: httpStatus, message }
}

/** A key that is not encoded is taken as it is. */
function decoded(key: string): string {
  try {
    return decodeKey(key)
  } catch {
    return key
  }
}
