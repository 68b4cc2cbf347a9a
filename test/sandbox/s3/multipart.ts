import { randomBytes } from 'node:crypto'
import { AwsError, md5, type Reply } from '../http.ts'
import { childText, type Element, parseXml } from '../xml.ts'
import { compositeChecksum, readUpload } from './body.ts'
import { type BucketCall, checksumHeaders, checksumNodes, ok, okXml, quoted, wholeNumber } from './call.ts'
import { bufferContent, joinContents, sliceContent } from './content.ts'
import { copySource } from './copy.ts'
import { checkWriteConditions } from './objects.ts'
import { type Part, store, type Upload } from './state.ts'
import { encryptionHeaders, written } from './write-options.ts'

const SMALLEST_PART = 5 * 2 ** 20
const LARGEST_PART = 5 * 2 ** 30
const MOST_PARTS = 10_000

export function createMultipartUpload({ s3, caller, bucket, key, headers }: BucketCall): Reply {
  const id = randomBytes(24).toString('base64url')
  const object = written(s3, bucket, key, headers)
  s3.authorizeKey(caller, 'kms:GenerateDataKey', object.encryption)
  const checksumAlgorithm = headers['x-amz-checksum-algorithm']
  const checksumType = headers['x-amz-checksum-type'] ?? (checksumAlgorithm && 'COMPOSITE')
  bucket.uploads.set(id, { id, object, checksumAlgorithm, checksumType, started: s3.now(), parts: new Map() })
  const result = { Bucket: bucket.name, Key: key, UploadId: id }
  return okXml('InitiateMultipartUploadResult', result, {
    ...encryptionHeaders(object.encryption),
    ...(checksumAlgorithm && { 'x-amz-checksum-algorithm': checksumAlgorithm }),
    ...(checksumType && { 'x-amz-checksum-type': checksumType }),
  })
}

function uploadOf({ bucket, key, query }: BucketCall): Upload {
  const upload = bucket.uploads.get(query.get('uploadId') ?? '')
  if (upload?.object.key === key) return upload
  throw new AwsError(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  )
}

/** "Uploading and copying objects using multipart upload", S3 user guide: S3 has to read the encrypted parts, too. */
const authorizeParts = ({ s3, caller }: BucketCall, { object }: Upload): void =>
  s3.authorizeKey(caller, 'kms:Decrypt', object.encryption)

const partNumber = ({ query }: BucketCall): number =>
  wholeNumber(query.get('partNumber'), 'partNumber', 1, 1, MOST_PARTS)

export async function uploadPart(call: BucketCall): Promise<Reply> {
  const upload = uploadOf(call)
  const number = partNumber(call)
  authorizeParts(call, upload)
  const { bytes, checksums } = await readUpload(call.request)
  const etag = md5(bytes)
  upload.parts.set(number, { content: bufferContent(bytes), etag, modified: call.s3.now(), checksums })
  const { 'x-amz-checksum-type': _, ...sums } = checksumHeaders(checksums)
  return ok({ etag: quoted(etag), ...sums, ...encryptionHeaders(upload.object.encryption) })
}

export async function uploadPartCopy(call: BucketCall): Promise<Reply> {
  const upload = uploadOf(call)
  const number = partNumber(call)
  authorizeParts(call, upload)
  const { object } = copySource(call)
  const { from, to } = copyRange(call.headers['x-amz-copy-source-range'], object.size)
  if (to - from > LARGEST_PART)
    throw new AwsError(
      'InvalidRequest',
      400,
      'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
    )
  const content = sliceContent(object.content, from, to)
  const part: Part = { content, etag: await content.md5(), modified: call.s3.now(), checksums: {} }
  upload.parts.set(number, part)
  const result = { LastModified: part.modified, ETag: quoted(part.etag) }
  return okXml('CopyPartResult', result, encryptionHeaders(upload.object.encryption))
}

function copyRange(header: string | undefined, size: number): { from: number; to: number } {
  if (header === undefined) return { from: 0, to: size }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? []
  const [from, to] = [Number(first), Number(last) + 1]
  if (from < to && to <= size) return { from, to }
  throw new AwsError('InvalidArgument', 400, `Range specified is not valid for source object of size: ${size}`)
}

export function listParts(call: BucketCall): Reply {
  const { query, bucket, key } = call
  const upload = uploadOf(call)
  const most = Math.min(wholeNumber(query.get('max-parts'), 'max-parts', 1000, 0, 2 ** 31 - 1), 1000)
  const after = wholeNumber(query.get('part-number-marker'), 'part-number-marker', 0, 0, MOST_PARTS)
  const parts = [...upload.parts].sort(([a], [b]) => a - b).filter(([number]) => number > after)
  const page = parts.slice(0, most)
  return okXml('ListPartsResult', {
    Bucket: bucket.name,
    Key: key,
    UploadId: upload.id,
    StorageClass: upload.object.storageClass,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
    MaxParts: most,
    IsTruncated: page.length < parts.length,
    Part: page.map(([number, part]) => ({
      PartNumber: number,
      LastModified: part.modified,
      ETag: quoted(part.etag),
      Size: part.content.size,
      ...checksumNodes(part.checksums),
    })),
  })
}

export function listMultipartUploads({ bucket, query }: BucketCall): Reply {
  const prefix = query.get('prefix') ?? ''
  const uploads = [...bucket.uploads.values()].filter(({ object }) => object.key.startsWith(prefix))
  const sorted = uploads.sort((a, b) => (a.object.key < b.object.key ? -1 : 1))
  return okXml('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    Prefix: prefix,
    MaxUploads: 1000,
    IsTruncated: false,
    Upload: sorted.map(({ id, object, started }) => ({
      Key: object.key,
      UploadId: id,
      StorageClass: object.storageClass,
      Initiated: started,
    })),
  })
}

function chosenParts(upload: Upload, root: Element): Part[] {
  const asked = root.children.filter((c) => c.name === 'Part')
  if (asked.length === 0) throw new AwsError('MalformedXML', 400, 'The XML you provided was not well-formed')
  let before = 0
  return asked.map((element, index) => {
    const number = Number(childText(element, 'PartNumber'))
    if (number <= before)
      throw new AwsError(
        'InvalidPartOrder',
        400,
        'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
      )
    before = number
    const part = upload.parts.get(number)
    if (part === undefined || childText(element, 'ETag')?.replaceAll('"', '') !== part.etag || !sameSums(part, element))
      throw new AwsError(
        'InvalidPart',
        400,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      )
    if (index < asked.length - 1 && part.content.size < SMALLEST_PART)
      throw new AwsError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size')
    return part
  })
}

const sameSums = (part: Part, element: Element): boolean =>
  Object.entries(checksumNodes(part.checksums)).every(([name, value]) => (childText(element, name) ?? value) === value)

function checksumsOf({ checksumAlgorithm }: Upload, parts: readonly Part[]): Record<string, string> {
  const algorithm = checksumAlgorithm?.toLowerCase()
  if (algorithm === undefined) return {}
  const sums = parts.flatMap((part) => part.checksums[algorithm] ?? [])
  return sums.length === parts.length ? { [algorithm]: compositeChecksum(algorithm, sums) } : {}
}

export async function completeMultipartUpload(call: BucketCall): Promise<Reply> {
  const { bucket, key, s3, request } = call
  const upload = uploadOf(call)
  authorizeParts(call, upload)
  const parts = chosenParts(upload, parseXml((await request.bytes()).toString()))
  checkWriteConditions(call)
  const sizes = parts.map(({ content }) => content.size)
  const whole = md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex'))))
  const kms = upload.object.encryption.algorithm !== 'AES256'
  const etag = `${kms ? md5(`kms ${whole}`) : whole}-${parts.length}`
  const content = joinContents(parts.map((part) => part.content))
  const checksums = checksumsOf(upload, parts)
  store(bucket, { ...upload.object, content, size: content.size, etag, modified: s3.now(), checksums, parts: sizes })
  bucket.uploads.delete(upload.id)
  const location = `http://${request.host}/${bucket.name}/${encodeURIComponent(key)}`
  const result = { Location: location, Bucket: bucket.name, Key: key, ETag: quoted(etag), ...checksumNodes(checksums) }
  return okXml('CompleteMultipartUploadResult', result, encryptionHeaders(upload.object.encryption))
}

export function abortMultipartUpload(call: BucketCall): Reply {
  call.bucket.uploads.delete(uploadOf(call).id)
  return { status: 204, headers: {} }
}
