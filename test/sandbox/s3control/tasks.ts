import { AwsError } from '../http.ts'
import { putCopy, readSource } from '../s3/copy.ts'
import type { Caller, S3State } from '../s3/state.ts'
import type { Encryption, StoredObject } from '../s3/stored.ts'
import type { CopyOperation, Task, TaskResult } from './job.ts'

/** Whether S3 puts a slash between a prefix without one and the key, as seen in the field, or not. */
export type PrefixRule = 'slash' | 'literal'

/** Where a copy goes: the prefix before the whole source key. */
function targetKey({ prefix }: CopyOperation, key: string, rule: PrefixRule): string {
  if (prefix === undefined) return key
  return rule === 'slash' && !prefix.endsWith('/') ? `${prefix}/${key}` : prefix + key
}

/** Copy one object with the job's role; what goes wrong is the task's result, not the job's. */
export async function runTask(
  s3: S3State,
  role: Caller,
  copy: CopyOperation,
  task: Task,
  rule: PrefixRule,
): Promise<TaskResult> {
  try {
    await copyOne(s3, role, copy, task, targetKey(copy, task.key, rule))
    return { ...task, error: undefined }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    const { code, status, message } = error
    return { ...task, error: { code, status, message } }
  }
}

async function copyOne(s3: S3State, role: Caller, copy: CopyOperation, task: Task, key: string): Promise<void> {
  const [from, to] = [s3.bucket(task.bucket), s3.bucket(copy.bucket)]
  const source = readSource(s3, role, from, task.key, copy.requesterPays)
  const { notBefore, notAfter } = copy
  if ((notBefore && source.modified < notBefore) || (notAfter && source.modified > notAfter))
    throw new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold')
  s3.authorize(role, 's3:PutObject', `${to.name}/${key}`)
  if (copy.tags === undefined && Object.keys(source.tags).length > 0) {
    s3.authorize(role, 's3:GetObjectTagging', `${from.name}/${task.key}`)
    s3.authorize(role, 's3:PutObjectTagging', `${to.name}/${key}`)
  }
  const { write } = await putCopy(s3, role, source, { bucket: to, key }, changes(s3, copy, source, to.encryption))
  write()
}

function changes(s3: S3State, copy: CopyOperation, source: StoredObject, byDefault: Encryption) {
  const { sse, kmsKeyId, bucketKey, metadata, contentType, tags, storageClass } = copy
  const kms: Encryption = { algorithm: 'aws:kms', keyId: s3.keyArn(kmsKeyId), ...(bucketKey && { bucketKey }) }
  const encryption: Encryption = sse === 'aws:kms' ? kms : sse === 'AES256' ? { algorithm: sse } : byDefault
  const headers = { 'content-type': contentType ?? source.headers['content-type'] ?? 'binary/octet-stream' }
  return { encryption, storageClass, ...(metadata && { metadata, headers }), ...(tags && { tags }) }
}
