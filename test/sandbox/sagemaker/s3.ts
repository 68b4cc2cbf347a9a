import { AwsError, collect, md5 } from '../http.ts'
import { bufferContent } from '../s3/content.ts'
import { type Caller, readable, type S3State, store } from '../s3/state.ts'
import { plain } from '../s3/stored.ts'

/** An `s3://bucket/key` of a request. */
export function locationOf(uri: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(uri) ?? []
  return { bucket, key }
}

/** The bytes of an object for a role. @throws AwsError */
export async function download(s3: S3State, role: Caller, bucket: string, key: string): Promise<Buffer> {
  const from = s3.bucket(bucket)
  s3.authorize(role, 's3:GetObject', `${bucket}/${key}`)
  const object = from.backend.get(key)
  if (object === undefined) throw new AwsError('NoSuchKey', 404, 'The specified key does not exist.')
  s3.authorizeKey(role, 'kms:Decrypt', object.encryption)
  readable(object)
  return collect(object.content.read(0, object.size))
}

/** Keys below a prefix for a role. @throws AwsError */
export function keysBelow(s3: S3State, role: Caller, uri: string): string[] {
  const { bucket, key } = locationOf(uri)
  const { backend } = s3.bucket(bucket)
  s3.authorize(role, 's3:ListBucket', bucket, { context: { 's3:prefix': key } })
  return [...backend.scan(key, '')].filter((entry) => !entry.key.endsWith('/')).map((entry) => entry.key)
}

/**
 * Write an object for a role. Without a key SageMaker takes that of the account for S3, whatever the bucket has: OutputDataConfig and
 * TransformOutput, API reference. @throws AwsError
 */
export function upload(s3: S3State, role: Caller, uri: string, bytes: Buffer, kmsKey?: string): void {
  const { bucket: name, key } = locationOf(uri)
  const bucket = s3.bucket(name)
  s3.authorize(role, 's3:PutObject', `${name}/${key}`)
  const encryption = { algorithm: 'aws:kms' as const, keyId: s3.keyArn(kmsKey || undefined) }
  s3.authorizeKey(role, 'kms:GenerateDataKey', encryption)
  // OutputDataConfig and TransformOutput, API reference: a role needs it where a request names a key.
  if (kmsKey) s3.authorizeKey(role, 'kms:Encrypt', encryption)
  const content = bufferContent(bytes)
  store(bucket, { ...plain, key, content, size: bytes.length, etag: md5(bytes), modified: s3.now(), encryption })
}
