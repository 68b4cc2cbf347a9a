import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  type StorageClass,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import pMap from 'p-map'
import type { Destination } from '../aws/destination.ts'
import type { ObjectInfo } from './store.ts'

/** CopyObject's own limit; larger objects are copied in parts. "Copying objects", S3 user guide. */
export const COPY_LIMIT = 5 * 1024 ** 3

/** Size of a part: at most 10,000 parts, so this serves objects up to 5 TB. */
const PART = 512 * 1024 ** 2

/** Copies an object within S3, in parts where it is too large for CopyObject. */
export const copyObject = (
  client: S3Client,
  object: ObjectInfo,
  to: Destination,
  signal: AbortSignal,
): Promise<void> =>
  object.size > COPY_LIMIT ? copyInParts(client, object, to, signal) : copyWhole(client, object, to, signal)

const keyIn = ({ source }: Destination, key: string): string => (source.prefix ?? '') + key

/** The source as the copy calls want it; pinned to the listed version. */
const sourceOf = ({ key, etag }: ObjectInfo, to: Destination) => ({
  CopySource: `${to.source.bucket}/${keyIn(to, key).split('/').map(encodeURIComponent).join('/')}`,
  ...(etag !== undefined && { CopySourceIfMatch: `"${etag}"` }),
  ...(to.source.owner !== undefined && { ExpectedSourceBucketOwner: to.source.owner }),
  ...(to.source.requesterPays && { RequestPayer: 'requester' as const }),
})

const targetOf = ({ key }: ObjectInfo, to: Destination) => ({
  Bucket: to.bucket,
  Key: to.prefix + key,
  ...(to.owner !== undefined && { ExpectedBucketOwner: to.owner }),
})

const storedAs = (to: Destination) => ({
  ...(to.storageClass !== undefined && { StorageClass: to.storageClass as StorageClass }),
  ...(to.kmsKey !== undefined && {
    ServerSideEncryption: 'aws:kms' as const,
    SSEKMSKeyId: to.kmsKey,
    BucketKeyEnabled: true,
  }),
})

async function copyWhole(client: S3Client, object: ObjectInfo, to: Destination, signal: AbortSignal): Promise<void> {
  const input = {
    ...targetOf(object, to),
    ...sourceOf(object, to),
    ...storedAs(to),
    // Reading tags needs a right of its own; with REPLACE and none given they stay behind.
    ...(!to.tags && { TaggingDirective: 'REPLACE' as const }),
  }
  await client.send(new CopyObjectCommand(input), { abortSignal: signal })
}

async function copyInParts(client: S3Client, object: ObjectInfo, to: Destination, signal: AbortSignal): Promise<void> {
  const target = targetOf(object, to)
  const { source } = to
  const head = await client.send(
    new HeadObjectCommand({
      Bucket: source.bucket,
      Key: keyIn(to, object.key),
      ...(source.owner !== undefined && { ExpectedBucketOwner: source.owner }),
      ...(source.requesterPays && { RequestPayer: 'requester' as const }),
    }),
    { abortSignal: signal },
  )
  // A multipart upload copies no metadata by itself.
  const described = {
    ...(head.Metadata !== undefined && { Metadata: head.Metadata }),
    ...(head.ContentType !== undefined && { ContentType: head.ContentType }),
    ...(head.ContentEncoding !== undefined && { ContentEncoding: head.ContentEncoding }),
  }
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ...storedAs(to), ...described }),
    { abortSignal: signal },
  )
  try {
    const starts = Array.from({ length: Math.ceil(object.size / PART) }, (_, i) => i * PART)
    const copyPart = async (start: number, i: number) => {
      const range = `bytes=${start}-${Math.min(start + PART, object.size) - 1}`
      const part = { ...target, ...sourceOf(object, to), UploadId, PartNumber: i + 1, CopySourceRange: range }
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part), { abortSignal: signal })
      return { PartNumber: i + 1, ETag: CopyPartResult?.ETag }
    }
    const Parts = await pMap(starts, copyPart, { concurrency: 4, signal })
    const whole = { ...target, UploadId, MultipartUpload: { Parts } }
    await client.send(new CompleteMultipartUploadCommand(whole), { abortSignal: signal })
  } catch (error) {
    // Parts that are left behind cost money and are in no listing.
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {})
    throw error
  }
}
