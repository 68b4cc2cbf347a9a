import { createHash } from 'node:crypto'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { s3Client } from '../../lib/aws/clients.ts'
import type { Destination } from '../../lib/aws/destination.ts'
import { detailsOf } from '../../lib/aws/errors.ts'
import { bareEtag } from '../../lib/stores/s3-bucket.ts'
import { copyObject } from '../../lib/stores/s3-copy.ts'
import { refuses, type Seen } from './beliefs.ts'
import { ARCHIVED_KEY, type MadeObject, METADATA, madeObjects } from './objects.ts'
import { bucketKey, type TryStep } from './place.ts'

/** Where the made objects lie: the batch role may read what is below `jobs/`. */
export const sourceKey = (step: TryStep, { key }: Pick<MadeObject, 'key'>): string =>
  bucketKey(step, `jobs/source/${key}`)

/** Where copies go. */
export const targetOfCopies = (step: TryStep, name: string): Destination => ({
  source: { bucket: step.bucket, requesterPays: false },
  bucket: step.bucket,
  prefix: bucketKey(step, `staged/${name}/`),
  tags: false,
})

/** Puts the made objects into the workspace, and copies them by CopyObject. @throws what S3 refuses */
export async function tryS3(step: TryStep): Promise<void> {
  const { comparisons, aws, bucket } = step
  const client = await s3Client(aws, bucket)
  step.say('three objects, and their copies')
  for (const made of madeObjects) await put(client, step, made)
  const archived = { Bucket: bucket, Key: sourceKey(step, { key: ARCHIVED_KEY }), StorageClass: 'GLACIER' } as const
  await client.send(new PutObjectCommand({ ...archived, Body: Buffer.from('archived') }))
  await comparisons.compare('copy-etag', () => copied(client, step))
  await comparisons.compare('copy-multipart-etag', () => copiedFromParts(client, step))
  await comparisons.compare('list-start-after', () => startedAfter(client, step))
  await comparisons.compare('s3-wrong-region', () => askedElsewhere(step))
}

async function put(client: S3Client, step: TryStep, made: MadeObject): Promise<void> {
  const tags = made.isTagged ? { Tagging: 'prestage=try' } : {}
  const object = { Bucket: step.bucket, Key: sourceKey(step, made), Body: made.body, Metadata: METADATA }
  await client.send(new PutObjectCommand({ ...object, ...tags }))
}

/** ETag of an object, whether a KMS key encrypts it, and its metadata; undefined when there is none. */
export async function looked(client: S3Client, Bucket: string, Key: string) {
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }))
    return {
      etag: bareEtag(head.ETag) ?? '',
      hasKey: head.ServerSideEncryption?.startsWith('aws:kms') ?? false,
      metadata: head.Metadata ?? {},
    }
  } catch (error) {
    if (detailsOf(error).status === 404) return undefined
    throw error
  }
}

const WITH_KEY: Seen = { seen: 'the workspace is encrypted with a KMS key', isBelieved: undefined }

async function copied(client: S3Client, step: TryStep): Promise<Seen> {
  let kept = 0
  const to = targetOfCopies(step, 'direct')
  for (const made of madeObjects) {
    const before = await looked(client, step.bucket, sourceKey(step, made))
    const object = { key: sourceKey(step, made), size: made.body.length, ...(before && { etag: before.etag }) }
    await copyObject(client, object, to, step.signal)
    const after = await looked(client, step.bucket, to.prefix + object.key)
    if (before?.hasKey) continue
    if (after?.etag === before?.etag) kept += 1
  }
  const [first = { key: '' }] = madeObjects
  if ((await looked(client, step.bucket, sourceKey(step, first)))?.hasKey) return WITH_KEY
  return { seen: `${kept} of ${madeObjects.length} copies have the ETag`, isBelieved: kept === madeObjects.length }
}

async function copiedFromParts(client: S3Client, step: TryStep): Promise<Seen> {
  const Body = Buffer.from('in one part')
  const Key = bucketKey(step, 'jobs/parts/source')
  const upload = { Bucket: step.bucket, Key }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload))
  const { ETag } = await client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body }))
  const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] }
  await client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }))
  const to = targetOfCopies(step, 'parts')
  await copyObject(client, { key: Key, size: Body.length }, to, step.signal)
  const after = await looked(client, step.bucket, to.prefix + Key)
  if (after?.hasKey) return WITH_KEY
  const isMd5 = after?.etag === createHash('md5').update(Body).digest('hex')
  return {
    seen: isMd5 ? 'the MD5' : `an ETag ${/-\d+$/.test(after?.etag ?? '') ? 'of parts' : 'of its own'}`,
    isBelieved: isMd5,
  }
}

/** The folders of the copies, begun after the first of them. */
async function startedAfter(client: S3Client, step: TryStep): Promise<Seen> {
  const prefix = bucketKey(step, 'staged/')
  const asked = { Bucket: step.bucket, Prefix: prefix, Delimiter: '/', StartAfter: `${prefix}direct/` }
  const { CommonPrefixes = [] } = await client.send(new ListObjectsV2Command(asked))
  const found = CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(prefix.length))
  return { seen: `after direct/: ${found.join(', ')}`, isBelieved: found.join() === 'parts/' }
}

async function askedElsewhere({ aws, bucket, region }: TryStep): Promise<Seen> {
  const client = await s3Client(aws, bucket)
  client.config.region = async () => (region === 'us-east-1' ? 'eu-west-1' : 'us-east-1')
  const isMeant = (error: unknown): boolean => {
    const { code, status, region: told } = detailsOf(error)
    return told === region && (status === 301 || code === 'AuthorizationHeaderMalformed')
  }
  return refuses(() => client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 })), isMeant)
}
