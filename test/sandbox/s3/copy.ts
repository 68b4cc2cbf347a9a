import { AwsError, md5, type Reply, splitOnce } from '../http.ts'
import { type BucketCall, checksumNodes, etagMatches, okXml, preconditionFailed, quoted } from './call.ts'
import { checkWriteConditions } from './objects.ts'
import { accessDenied, type Bucket, type Caller, objectFor, readable, type S3State, store } from './state.ts'
import type { StoredObject } from './stored.ts'
import {
  encryptionHeaders,
  encryptionOf,
  keptHeaders,
  metadataOf,
  refuseAcl,
  storageClassOf,
  tagsOf,
} from './write-options.ts'

const LARGEST_COPY = 5 * 2 ** 30

const invalid = (message: string): AwsError => new AwsError('InvalidRequest', 400, message)

/** The object that x-amz-copy-source names, if the caller may read it and its conditions hold. @throws AwsError */
export function copySource(call: BucketCall): { bucket: Bucket; object: StoredObject } {
  const { s3, headers, caller } = call
  const [address, version] = splitOnce(headers['x-amz-copy-source'] ?? '', '?versionId=')
  const [name, encoded] = splitOnce(address.replace(/^\//, ''), '/')
  if (encoded === undefined || encoded === '')
    throw new AwsError(
      'InvalidArgument',
      400,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    )
  if (version !== undefined && version !== 'null')
    throw new AwsError('InvalidArgument', 400, 'Invalid version id specified')
  const bucket = s3.bucket(name)
  const key = decodeSource(encoded)
  const owner = headers['x-amz-source-expected-bucket-owner']
  if (owner !== undefined && owner !== bucket.owner) throw accessDenied()
  const object = readSource(s3, caller, bucket, key, headers['x-amz-request-payer'] === 'requester')
  checkSourceConditions(headers, object)
  return { bucket, object }
}

function decodeSource(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AwsError('InvalidArgument', 400, 'The copy source is not properly encoded')
  }
}

/** An object to copy from, with all that can stand in the way. @throws AwsError */
export function readSource(s3: S3State, caller: Caller, bucket: Bucket, key: string, pays: boolean): StoredObject {
  if (bucket.requesterPays && bucket.owner !== caller.account && !pays) throw accessDenied()
  s3.authorize(caller, 's3:GetObject', `${bucket.name}/${key}`)
  const object = objectFor(s3, caller, bucket, key)
  readable(object, "Operation is not valid for the source object's storage class")
  s3.authorizeKey(caller, 'kms:Decrypt', object.encryption)
  return object
}

function checkSourceConditions(headers: BucketCall['headers'], object: StoredObject): void {
  const match = headers['x-amz-copy-source-if-match']
  const none = headers['x-amz-copy-source-if-none-match']
  const since = headers['x-amz-copy-source-if-modified-since']
  const until = headers['x-amz-copy-source-if-unmodified-since']
  const at = Math.floor(object.modified.getTime() / 1000) * 1000
  if (match !== undefined && !etagMatches(match, object.etag)) throw preconditionFailed('x-amz-copy-source-If-Match')
  if (none !== undefined && etagMatches(none, object.etag)) throw preconditionFailed('x-amz-copy-source-If-None-Match')
  if (none === undefined && since !== undefined && at <= Date.parse(since))
    throw preconditionFailed('x-amz-copy-source-If-Modified-Since')
  if (match === undefined && until !== undefined && at > Date.parse(until))
    throw preconditionFailed('x-amz-copy-source-If-Unmodified-Since')
}

/** What a copy gets that differs from its source. */
export type Changes = Partial<Pick<StoredObject, 'headers' | 'metadata' | 'tags' | 'storageClass'>> &
  Pick<StoredObject, 'encryption'>

/** Put a copy into a bucket. It is of one part, whatever the source was; then its ETag is another. @throws AwsError */
export async function putCopy(
  s3: S3State,
  caller: Caller,
  source: StoredObject,
  to: { bucket: Bucket; key: string },
  changes: Changes,
) {
  if (source.size > LARGEST_COPY)
    throw invalid('The specified copy source is larger than the maximum allowable size for a copy source: 5368709120')
  s3.authorizeKey(caller, 'kms:GenerateDataKey', changes.encryption)
  const etag = await copiedEtag(source, changes)
  const { key, content, size, headers, metadata, tags } = { ...source, key: to.key }
  const checksums = source.parts ? {} : source.checksums
  const kept = { key, content, size, headers, metadata, tags, checksums, storageClass: 'STANDARD' }
  const copy: StoredObject = { ...kept, ...changes, etag, modified: s3.now() }
  return { copy, write: () => store(to.bucket, copy) }
}

async function copiedEtag(source: StoredObject, { encryption }: Changes): Promise<string> {
  if (encryption.algorithm !== 'AES256') return md5(`kms ${source.etag} ${Math.random()}`)
  return source.parts || source.encryption.algorithm !== 'AES256' ? source.content.md5() : source.etag
}

function directive(call: BucketCall, name: string): boolean {
  const value = call.headers[name] ?? 'COPY'
  if (value !== 'COPY' && value !== 'REPLACE') throw new AwsError('InvalidArgument', 400, `Unknown ${name}: ${value}`)
  return value === 'REPLACE'
}

export async function copyObject(call: BucketCall): Promise<Reply> {
  const { s3, caller, bucket, key, headers } = call
  refuseAcl(headers)
  const { bucket: from, object } = copySource(call)
  const [newMetadata, newTags] = [
    directive(call, 'x-amz-metadata-directive'),
    directive(call, 'x-amz-tagging-directive'),
  ]
  const storageClass = storageClassOf(headers)
  const encryption = encryptionOf(s3, bucket, headers)
  const unchanged =
    !newMetadata && storageClass === object.storageClass && headers['x-amz-server-side-encryption'] === undefined
  if (from === bucket && object.key === key && unchanged)
    throw invalid(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  if (!newTags && Object.keys(object.tags).length > 0) {
    s3.authorize(caller, 's3:GetObjectTagging', `${from.name}/${object.key}`)
    s3.authorize(caller, 's3:PutObjectTagging', `${bucket.name}/${key}`)
  }
  const { copy, write } = await putCopy(
    s3,
    caller,
    object,
    { bucket, key },
    {
      encryption,
      storageClass,
      ...(newMetadata && { headers: keptHeaders(headers), metadata: metadataOf(headers) }),
      ...(newTags && { tags: tagsOf(headers['x-amz-tagging']) }),
    },
  )
  checkWriteConditions(call)
  write()
  const result = { LastModified: copy.modified, ETag: quoted(copy.etag), ...checksumNodes(copy.checksums) }
  return okXml('CopyObjectResult', result, encryptionHeaders(copy.encryption))
}
