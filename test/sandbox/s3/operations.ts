import type { Reply } from '../http.ts'
import * as buckets from './buckets.ts'
import type { BucketCall, S3Call } from './call.ts'
import { copyObject } from './copy.ts'
import { listObjectsV2 } from './list.ts'
import * as multipart from './multipart.ts'
import * as objects from './objects.ts'

type About = 'service' | 'bucket' | 'object'

interface Known {
  readonly about: About
  readonly method: string
  /** Query names that tell it from others with the same method. */
  readonly query: readonly string[]
  readonly copies?: true
  /** Permission on the bucket or object in the address. */
  readonly action: string
  readonly run: ((call: BucketCall) => Reply | Promise<Reply>) | { unchecked: (call: S3Call) => Reply | Promise<Reply> }
}

const known = (
  about: About,
  method: string,
  query: string,
  action: string,
  run: Known['run'],
  copies?: true,
): Known => ({
  about,
  method,
  query: query.split('&').filter((name) => name !== ''),
  action,
  run,
  ...(copies && { copies }),
})

/** What this S3 can do. The most specific entry that fits a request is meant. */
export const OPERATIONS: Readonly<Record<string, Known>> = {
  ListBuckets: known('service', 'GET', '', 's3:ListAllMyBuckets', { unchecked: buckets.listBuckets }),
  HeadBucket: known('bucket', 'HEAD', '', 's3:ListBucket', buckets.headBucket),
  CreateBucket: known('bucket', 'PUT', '', 's3:CreateBucket', { unchecked: buckets.createBucket }),
  DeleteBucket: known('bucket', 'DELETE', '', 's3:DeleteBucket', buckets.deleteBucket),
  GetBucketLocation: known('bucket', 'GET', 'location', 's3:GetBucketLocation', buckets.getBucketLocation),
  GetBucketVersioning: known('bucket', 'GET', 'versioning', 's3:GetBucketVersioning', buckets.getBucketVersioning),
  GetBucketEncryption: known(
    'bucket',
    'GET',
    'encryption',
    's3:GetEncryptionConfiguration',
    buckets.getBucketEncryption,
  ),
  GetBucketMetadataConfiguration: known(
    'bucket',
    'GET',
    'metadataConfiguration',
    's3:GetBucketMetadataTableConfiguration',
    buckets.getBucketMetadataConfiguration,
  ),
  GetBucketRequestPayment: known(
    'bucket',
    'GET',
    'requestPayment',
    's3:GetBucketRequestPayment',
    buckets.getBucketRequestPayment,
  ),
  ListObjectsV2: known('bucket', 'GET', 'list-type', 's3:ListBucket', listObjectsV2),
  ListMultipartUploads: known(
    'bucket',
    'GET',
    'uploads',
    's3:ListBucketMultipartUploads',
    multipart.listMultipartUploads,
  ),
  DeleteObjects: known('bucket', 'POST', 'delete', '', objects.deleteObjects),
  GetObject: known('object', 'GET', '', 's3:GetObject', objects.getObject),
  HeadObject: known('object', 'HEAD', '', 's3:GetObject', objects.headObject),
  PutObject: known('object', 'PUT', '', 's3:PutObject', objects.putObject),
  CopyObject: known('object', 'PUT', '', 's3:PutObject', copyObject, true),
  DeleteObject: known('object', 'DELETE', '', 's3:DeleteObject', objects.deleteObject),
  GetObjectTagging: known('object', 'GET', 'tagging', 's3:GetObjectTagging', objects.getObjectTagging),
  GetObjectAttributes: known('object', 'GET', 'attributes', 's3:GetObjectAttributes', objects.getObjectAttributes),
  CreateMultipartUpload: known('object', 'POST', 'uploads', 's3:PutObject', multipart.createMultipartUpload),
  UploadPart: known('object', 'PUT', 'partNumber&uploadId', 's3:PutObject', multipart.uploadPart),
  UploadPartCopy: known('object', 'PUT', 'partNumber&uploadId', 's3:PutObject', multipart.uploadPartCopy, true),
  CompleteMultipartUpload: known('object', 'POST', 'uploadId', 's3:PutObject', multipart.completeMultipartUpload),
  AbortMultipartUpload: known(
    'object',
    'DELETE',
    'uploadId',
    's3:AbortMultipartUpload',
    multipart.abortMultipartUpload,
  ),
  ListParts: known('object', 'GET', 'uploadId', 's3:ListMultipartUploadParts', multipart.listParts),
}

/** Parameters that make a request another operation than its method alone; without an entry above, one that is missing here. */
const SUBRESOURCES = new Set(
  [
    'accelerate acl analytics cors intelligent-tiering inventory legal-hold lifecycle logging metrics notification',
    'object-lock ownershipControls policy policyStatus publicAccessBlock replication restore retention select session',
    'tagging torrent uploads versions website attributes delete encryption location requestPayment versioning',
    'uploadId partNumber list-type metadataConfiguration metadataTable',
  ]
    .join(' ')
    .split(' '),
)

/** Name of the operation that a request means, or undefined for one that is not in this S3. */
export function operationOf(
  about: About,
  method: string,
  query: ReadonlyMap<string, string>,
  copies: boolean,
): string | undefined {
  const wanted = [...query.keys()].filter((name) => SUBRESOURCES.has(name))
  const fits = Object.entries(OPERATIONS).filter(
    ([, entry]) =>
      entry.about === about &&
      entry.method === method &&
      (entry.copies === true) === copies &&
      entry.query.every((name) => query.has(name)),
  )
  const [best] = fits.sort(([, a], [, b]) => b.query.length - a.query.length)
  if (best === undefined) return undefined
  // GetObject and HeadObject take a part number without an upload.
  const covered = [...best[1].query, ...(method === 'GET' || method === 'HEAD' ? ['partNumber'] : [])]
  return wanted.every((name) => covered.includes(name)) ? best[0] : undefined
}
