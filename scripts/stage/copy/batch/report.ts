import { parse } from 'csv-parse'
import * as v from 'valibot'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { fitted } from '../../../lib/cli/shapes.ts'
import type { Store } from '../../../lib/stores/store.ts'
import { decodeKey } from '../../selection.ts'

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

/** Reads the failed tasks of a job's completion report. `bucket` is the store of the bucket that holds it, at its root. */
export async function* failedTasks(bucket: Store, prefix: string, jobId: string): AsyncGenerator<FailedTask> {
  const key = `${prefix}/job-${jobId}/manifest.json`
  const text = await bucket.text(key)
  if (text === undefined)
    throw new UserError(`the completion report of job ${jobId} is missing: ${bucket.uriOf(key)}`, {
      hint: 'may the job role write there, and does the bucket policy allow objects with SSE-S3? The same command proves and copies what is missing',
    })
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
  const rows = (await bucket.read(key)).pipe(parse({ relax_column_count: true }))
  for await (const row of rows) {
    const task = failedTask(row as string[])
    if (task === undefined)
      throw new UserError(`a row of the report ${bucket.uriOf(key)} cannot be read: ${String(row)}`)
    if (task !== 'succeeded') yield task
  }
}

/**
 * One row: `bucket,key,version,status,code,HTTP status,message`. AWS documents the two in the middle in this order and shows them
 * in the other one: the one of three digits is the HTTP status.
 */
export function failedTask(row: readonly string[]): FailedTask | 'succeeded' | undefined {
  const [, key, , taskStatus, fifth = '', sixth = '', message = ''] = row
  if (key === undefined || (taskStatus !== 'failed' && taskStatus !== 'succeeded')) return undefined
  if (taskStatus === 'succeeded') return 'succeeded'
  const [code, status] = /^\d{3}$/.test(fifth) ? [sixth, fifth] : [fifth, sixth]
  return { key: decodeKey(key), code, status, message }
}
