import { AwsError, collect } from '../http.ts'
import { etagMatches } from '../s3/call.ts'
import type { Caller, S3State } from '../s3/state.ts'
import { objectIn } from '../s3/state.ts'
import type { ManifestAt, Task } from './job.ts'

/** Why a job fails before its first task. */
export class ManifestError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const invalid = (message: string): ManifestError => new ManifestError('InvalidManifest', message)

/** Read the manifest with the job's role. @throws ManifestError */
export async function readManifest(s3: S3State, role: Caller, at: ManifestAt): Promise<Task[]> {
  const object = fetchObject(s3, role, at)
  if (!etagMatches(at.etag, object.etag))
    throw new ManifestError('ManifestETagMismatch', `The ETag of manifest ${at.bucket}/${at.key} is not ${at.etag}`)
  if (object.encryption.algorithm !== 'AES256')
    throw new ManifestError('UnsupportedEncryption', 'Manifests encrypted with SSE-KMS or SSE-C are not supported')
  const text = (await collect(object.content.read(0, object.size))).toString()
  return parseManifest(text, at.fields, (bucket) => s3.buckets.has(bucket))
}

function fetchObject(s3: S3State, role: Caller, { bucket, key }: ManifestAt) {
  try {
    const found = s3.bucket(bucket)
    s3.authorize(role, 's3:GetObject', `${bucket}/${key}`)
    return objectIn(found, key)
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    if (error.status === 403) throw new ManifestError('Forbidden', 'Reading the manifest is forbidden: 403')
    throw new ManifestError(error.code, `The manifest ${bucket}/${key} cannot be read: ${error.message}`)
  }
}

/** Rows of a CSV manifest: no header, no quotes, keys percent-encoded. @throws ManifestError */
function parseManifest(text: string, fields: readonly string[], exists: (bucket: string) => boolean): Task[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/)
  if (text === '') throw invalid('The manifest is empty')
  const [bucketAt, keyAt] = [fields.indexOf('Bucket'), fields.indexOf('Key')]
  const tasks = lines.map((line, index) => {
    const columns = line.split(',')
    if (columns.length !== fields.length || line.includes('"'))
      throw invalid(`Row ${index + 1} of the manifest has not ${fields.length} columns`)
    return { bucket: columns[bucketAt] ?? '', key: decoded(columns[keyAt] ?? '', index) }
  })
  // A row about a bucket that does not exist fails as a task; so does a header row.
  const buckets = new Set(tasks.map(({ bucket }) => bucket).filter(exists))
  if (buckets.size > 1) throw invalid(`The manifest names several buckets: ${[...buckets].join(', ')}`)
  return tasks
}

function decoded(key: string, index: number): string {
  try {
    return decodeURIComponent(key)
  } catch {
    throw invalid(`Row ${index + 1} of the manifest has a key that is not URL-encoded`)
  }
}
