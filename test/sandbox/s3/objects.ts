import { AwsError, md5, type Reply } from '../http.ts'
import { childText, parseXml } from '../xml.ts'
import { readUpload } from './body.ts'
import {
  type BucketCall,
  checksumHeaders,
  etagMatches,
  ok,
  okXml,
  preconditionFailed,
  quoted,
  wholeNumber,
} from './call.ts'
import { bufferContent } from './content.ts'
import { objectFor, objectIn, readable, store } from './state.ts'
import type { StoredObject } from './stored.ts'
import { encryptionHeaders, written } from './write-options.ts'

// Values beyond ASCII travel as RFC 2047 words, as in S3.
const headerText = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`

function describe(object: StoredObject): Record<string, string> {
  const { storageClass, tags, restored, restoring } = object
  const count = Object.keys(tags).length
  const metadata = Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, headerText(value)])
  return {
    ...object.headers,
    ...Object.fromEntries(metadata),
    ...encryptionHeaders(object.encryption),
    etag: quoted(object.etag),
    'last-modified': object.modified.toUTCString(),
    'accept-ranges': 'bytes',
    ...(storageClass !== 'STANDARD' && { 'x-amz-storage-class': storageClass }),
    ...(count > 0 && { 'x-amz-tagging-count': String(count) }),
    ...(restored && { 'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 21 Dec 2035 00:00:00 GMT"' }),
    ...(restoring && { 'x-amz-restore': 'ongoing-request="true"' }),
  }
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000)

/** Answer of a read whose conditions do not hold. @throws AwsError PreconditionFailed */
function unmodified(headers: BucketCall['headers'], object: StoredObject): Reply | undefined {
  const { 'if-match': match, 'if-none-match': none, 'if-modified-since': since, 'if-unmodified-since': until } = headers
  if (match !== undefined && !etagMatches(match, object.etag)) throw preconditionFailed('If-Match')
  if (match === undefined && until !== undefined && seconds(object.modified) > seconds(new Date(until)))
    throw preconditionFailed('If-Unmodified-Since')
  const same = none !== undefined && etagMatches(none, object.etag)
  const old = none === undefined && since !== undefined && seconds(object.modified) <= seconds(new Date(since))
  return same || old ? { status: 304, headers: { etag: quoted(object.etag) } } : undefined
}

function overrides({ query }: BucketCall): Record<string, string> {
  const asked = [...query].filter(([name]) => name.startsWith('response-'))
  return Object.fromEntries(asked.map(([name, value]) => [name.slice('response-'.length), value]))
}

function read(call: BucketCall, withBody: boolean): Reply {
  const { s3, caller, bucket, key, headers, query } = call
  const version = query.get('versionId')
  if (version !== undefined && version !== 'null')
    throw new AwsError('InvalidArgument', 400, 'Invalid version id specified')
  const object = objectFor(s3, caller, bucket, key)
  const stop = unmodified(headers, object)
  if (stop) return stop
  if (withBody) readable(object)
  s3.authorizeKey(caller, 'kms:Decrypt', object.encryption)
  const part = byteRange(call, object)
  const whole = part.to - part.from === object.size
  const summed = headers['x-amz-checksum-mode'] === 'ENABLED' && (whole || !withBody)
  return {
    status: part.partial ? 206 : 200,
    headers: {
      ...describe(object),
      ...overrides(call),
      ...(summed && checksumHeaders(object.checksums)),
      ...part.headers,
      'content-length': String(part.to - part.from),
    },
    ...(withBody && { body: object.content.read(part.from, part.to) }),
  }
}

export const getObject = (call: BucketCall): Reply => read(call, true)
export const headObject = (call: BucketCall): Reply => read(call, false)

/** Conditions of a write, to be asked when everything else is ready. @throws AwsError */
export function checkWriteConditions({ bucket, key, headers }: BucketCall): void {
  const { 'if-match': match, 'if-none-match': none } = headers
  const there = bucket.backend.get(key)
  if (none !== undefined && none !== '*')
    throw new AwsError('NotImplemented', 501, 'A header you provided implies functionality that is not implemented')
  if (none !== undefined && there) throw preconditionFailed('If-None-Match')
  if (match === undefined) return
  if (!there) throw new AwsError('NoSuchKey', 404, 'The specified key does not exist.', { fields: { Key: key } })
  if (!etagMatches(match, there.etag)) throw preconditionFailed('If-Match')
}

export async function putObject(call: BucketCall): Promise<Reply> {
  const { s3, caller, bucket, key, headers, request } = call
  if (Buffer.byteLength(key) > 1024) throw new AwsError('KeyTooLongError', 400, 'Your key is too long')
  const description = written(s3, bucket, key, headers)
  s3.authorizeKey(caller, 'kms:GenerateDataKey', description.encryption)
  const { bytes, checksums } = await readUpload(request)
  checkWriteConditions(call)
  const kms = description.encryption.algorithm !== 'AES256'
  const etag = kms ? md5(`kms ${md5(bytes)}`) : md5(bytes)
  const content = bufferContent(bytes)
  store(bucket, { ...description, content, size: bytes.length, etag, modified: s3.now(), checksums })
  return ok({ etag: quoted(etag), ...checksumHeaders(checksums), ...encryptionHeaders(description.encryption) })
}

export function deleteObject({ bucket, key }: BucketCall): Reply {
  bucket.backend.delete?.(key)
  return { status: 204, headers: {} }
}

export async function deleteObjects({ s3, caller, bucket, request, headers }: BucketCall): Promise<Reply> {
  if (!Object.keys(headers).some((name) => /^content-md5$|^x-amz-checksum-|^x-amz-trailer$/.test(name)))
    throw new AwsError('InvalidRequest', 400, 'Missing required header for this request: Content-MD5')
  const root = parseXml((await readUpload(request)).bytes.toString())
  const keys = root.children.filter((c) => c.name === 'Object').map((c) => childText(c, 'Key') ?? '')
  if (keys.length === 0 || keys.length > 1000)
    throw new AwsError('MalformedXML', 400, 'The XML you provided was not well-formed')
  const failed: { Key: string; Code: string; Message: string }[] = []
  const gone = keys.filter((key) => {
    try {
      s3.authorize(caller, 's3:DeleteObject', `${bucket.name}/${key}`)
      bucket.backend.delete?.(key)
      return true
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      failed.push({ Key: key, Code: error.code, Message: error.message })
      return false
    }
  })
  const quiet = childText(root, 'Quiet') === 'true'
  const marker = bucket.versioned ? { DeleteMarker: true, DeleteMarkerVersionId: md5(Buffer.from('marker')) } : {}
  return okXml('DeleteResult', { Deleted: quiet ? [] : gone.map((Key) => ({ Key, ...marker })), Error: failed })
}

export function getObjectTagging({ bucket, key }: BucketCall): Reply {
  const tags = Object.entries(objectIn(bucket, key).tags)
  return okXml('Tagging', { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } })
}

export function getObjectAttributes({ bucket, key, headers }: BucketCall): Reply {
  const object = objectIn(bucket, key)
  const wanted = (headers['x-amz-object-attributes'] ?? '').split(',').map((name) => name.trim())
  const parts = object.parts && { PartsCount: object.parts.length }
  const all = { ETag: object.etag, ObjectParts: parts, ObjectSize: object.size, StorageClass: object.storageClass }
  const node = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)))
  return okXml('GetObjectAttributesResponse', node, { 'last-modified': object.modified.toUTCString() })
}

export interface Range {
  readonly from: number
  readonly to: number
  readonly partial: boolean
  readonly headers: Record<string, string>
}

/** The bytes that a read asks for, by part number or range; a range that cannot be read is ignored, as HTTP says. */
function byteRange({ headers, query }: BucketCall, object: StoredObject): Range {
  const part = query.get('partNumber')
  if (part !== undefined) return partRange(wholeNumber(part, 'partNumber', 1, 1, 10_000), object)
  const { size } = object
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return { from: 0, to: size, partial: false, headers: {} }
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < from) return { from: 0, to: size, partial: false, headers: {} }
  if (from >= size || (first === '' && Number(last) === 0))
    throw new AwsError('InvalidRange', 416, 'The requested range is not satisfiable', {
      fields: { ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    })
  return { from, to, partial: true, headers: { 'content-range': `bytes ${from}-${to - 1}/${size}` } }
}

function partRange(number: number, object: StoredObject): Range {
  const { size, parts = [size] } = object
  const multipart = object.parts !== undefined
  const length = parts[number - 1]
  if (length === undefined) throw new AwsError('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable')
  const from = parts.slice(0, number - 1).reduce((sum, one) => sum + one, 0)
  if (size === 0) return { from: 0, to: 0, partial: false, headers: {} }
  const headers = {
    'content-range': `bytes ${from}-${from + length - 1}/${size}`,
    ...(multipart && { 'x-amz-mp-parts-count': String(parts.length) }),
  }
  return { from, to: from + length, partial: true, headers }
}
