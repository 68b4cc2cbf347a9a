import { randomBytes } from 'node:crypto'
import { AwsError, md5 } from '../http.ts'
import { bufferContent } from '../s3/content.ts'
import { type Caller, type S3State, store } from '../s3/state.ts'
import { plain } from '../s3/stored.ts'
import type { Job, ReportAt, TaskResult } from './job.ts'

/**
 * `status-first` is what real rows have; `as-schema` what the manifest of the report says; `six-columns`, without the version, what the user
 * guide prints under "Troubleshooting"; `careless` leaves keys and messages as they are, neither encoded nor quoted.
 */
export type ColumnOrder = 'status-first' | 'as-schema' | 'six-columns' | 'careless'

const SCHEMA = 'Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage'

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

const encodedKey = (key: string): string => encodeURIComponent(key).replaceAll('%2F', '/')

function reportRow({ bucket, key, error }: TaskResult, order: ColumnOrder): string {
  const status = error ? 'failed' : 'succeeded'
  const codes = [String(error?.status ?? 200), error?.code ?? '']
  if (order === 'as-schema') codes.reverse()
  const message = error?.message ?? 'Successful'
  if (order === 'six-columns') return [bucket, encodedKey(key), status, ...codes, quoted(message)].join(',')
  if (order === 'careless') return [bucket, key, '', status, ...codes, `He said "${message}`].join(',')
  return [bucket, encodedKey(key), '', status, ...codes, error ? quoted(error.message) : 'Successful'].join(',')
}

/** Write the completion report of a job with its role; none when no task ran. @throws AwsError */
export function writeReport(s3: S3State, role: Caller, job: Job, at: ReportAt, order: ColumnOrder): void {
  if (job.results.length === 0) return
  const bucket = s3.bucket(at.bucket)
  if (at.expectedOwner !== undefined && at.expectedOwner !== bucket.owner)
    throw new AwsError('AccessDenied', 403, 'The owner of the report bucket is not the expected one')
  const folder = `${at.prefix === '' ? '' : `${at.prefix.replace(/\/$/, '')}/`}job-${job.id}`
  const put = (key: string, text: string): string => {
    // Reports are always SSE-S3, whatever the bucket's default.
    const context = { 's3:x-amz-server-side-encryption': 'AES256' }
    s3.authorize(role, 's3:PutObject', `${bucket.name}/${key}`, { context })
    const bytes = Buffer.from(text)
    const content = bufferContent(bytes)
    store(bucket, { ...plain, key, content, size: bytes.length, etag: md5(bytes), modified: s3.now() })
    return md5(bytes)
  }
  const statuses = at.failedOnly ? ['failed'] : ['failed', 'succeeded']
  const files = statuses.flatMap((status) => {
    const rows = job.results.filter(({ error }) => (error ? 'failed' : 'succeeded') === status)
    if (rows.length === 0) return []
    const key = `${folder}/results/${randomBytes(20).toString('hex')}.csv`
    const sum = put(key, rows.map((row) => `${reportRow(row, order)}\n`).join(''))
    return [{ TaskExecutionStatus: status, Bucket: bucket.name, MD5Checksum: sum, Key: key }]
  })
  const manifest = {
    Format: 'Report_CSV_20180820',
    ReportCreationDate: s3.now().toISOString(),
    Results: files,
    ReportSchema: SCHEMA,
  }
  put(`${folder}/manifest.json`, JSON.stringify(manifest))
}
