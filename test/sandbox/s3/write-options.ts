import { AwsError } from '../http.ts'
import type { Bucket, S3State } from './state.ts'
import type { Encryption, StoredObject } from './stored.ts'

type Headers = Readonly<Record<string, string>>

export const STORAGE_CLASSES = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
]

const KEPT = ['content-type', 'cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires']

const invalid = (message: string): AwsError => new AwsError('InvalidArgument', 400, message)

/** Content-Type and the like; `aws-chunked` is about the transfer and does not stay. */
export function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of KEPT) {
    const value = headers[name]?.replace(/(^|,\s*)aws-chunked(,\s*|$)/, '$1').replace(/,\s*$/, '')
    if (value !== undefined && value !== '') kept[name] = value
  }
  return { 'content-type': 'binary/octet-stream', ...kept }
}

const META = 'x-amz-meta-'

/** @throws AwsError MetadataTooLarge */
export function metadataOf(headers: Headers): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith(META))
  const size = entries.reduce((sum, [name, value]) => sum + name.length - META.length + Buffer.byteLength(value), 0)
  if (size > 2048)
    throw new AwsError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size')
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(META.length), value]))
}

/** @throws AwsError InvalidTag */
function checkedTags(tags: Record<string, string>): Record<string, string> {
  const wrong = Object.entries(tags).some(([k, v]) => k === '' || k.length > 128 || v.length > 256)
  if (wrong || Object.keys(tags).length > 10) throw new AwsError('InvalidTag', 400, 'The tag provided was not valid')
  return tags
}

export const tagsOf = (header: string | undefined): Record<string, string> =>
  checkedTags(Object.fromEntries(new URLSearchParams(header ?? '')))

/** @throws AwsError InvalidStorageClass */
export function storageClassOf(headers: Headers): string {
  const storageClass = headers['x-amz-storage-class'] ?? 'STANDARD'
  if (STORAGE_CLASSES.includes(storageClass)) return storageClass
  throw new AwsError('InvalidStorageClass', 400, 'The storage class you specified is not valid')
}

/** @throws AwsError InvalidArgument */
export function encryptionOf(s3: S3State, bucket: Bucket, headers: Headers): Encryption {
  const algorithm = headers['x-amz-server-side-encryption']
  const keyId = headers['x-amz-server-side-encryption-aws-kms-key-id']
  if (headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined)
    throw new AwsError('NotImplemented', 501, 'SSE-C is not in this sandbox')
  if (algorithm === undefined) {
    if (keyId === undefined) return bucket.encryption
    throw invalid('Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption')
  }
  if (algorithm === 'AES256') return { algorithm }
  if (algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse')
    throw invalid('The encryption method specified is not supported')
  const bucketKey = headers['x-amz-server-side-encryption-bucket-key-enabled'] === 'true'
  return { algorithm, keyId: s3.keyArn(keyId), ...(bucketKey && { bucketKey }) }
}

/** @throws AwsError: buckets of today have ACLs switched off */
export function refuseAcl(headers: Headers): void {
  const acl = headers['x-amz-acl']
  const grants = Object.keys(headers).some((name) => name.startsWith('x-amz-grant-'))
  if (grants || (acl !== undefined && acl !== 'bucket-owner-full-control'))
    throw new AwsError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs')
}

/** The parts of an object that the headers of a write decide. */
export function written(
  s3: S3State,
  bucket: Bucket,
  key: string,
  headers: Headers,
): Omit<StoredObject, 'content' | 'size' | 'etag' | 'modified'> {
  refuseAcl(headers)
  return {
    key,
    storageClass: storageClassOf(headers),
    headers: keptHeaders(headers),
    metadata: metadataOf(headers),
    tags: tagsOf(headers['x-amz-tagging']),
    encryption: encryptionOf(s3, bucket, headers),
    checksums: {},
  }
}

export function encryptionHeaders({ algorithm, keyId, bucketKey }: Encryption): Record<string, string> {
  return {
    'x-amz-server-side-encryption': algorithm,
    ...(keyId !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
    ...(bucketKey && { 'x-amz-server-side-encryption-bucket-key-enabled': 'true' }),
  }
}
