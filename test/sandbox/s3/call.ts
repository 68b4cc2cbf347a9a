import { AwsError, type Incoming, type Reply } from '../http.ts'
import { type Node, toXml } from '../xml.ts'
import type { Bucket, Caller, S3State } from './state.ts'

/** A request to S3, its address taken apart. */
export interface S3Call {
  readonly s3: S3State
  readonly request: Incoming
  readonly caller: Caller
  readonly headers: Readonly<Record<string, string>>
  readonly query: ReadonlyMap<string, string>
  readonly bucketName: string
  /** Decoded; empty for a request about a bucket. */
  readonly key: string
}

export interface BucketCall extends S3Call {
  readonly bucket: Bucket
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

export const ok = (headers: Record<string, string> = {}, body?: Reply['body']): Reply => ({
  status: 200,
  headers,
  ...(body !== undefined && { body }),
})

export const okXml = (root: string, node: Record<string, Node>, headers: Record<string, string> = {}): Reply =>
  ok({ 'content-type': 'application/xml', ...headers }, toXml(root, node, NAMESPACE))

export const quoted = (etag: string): string => `"${etag}"`

const bare = (etag: string): string =>
  etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')

/** Whether an If-Match header, a list of ETags with or without quotes or a star, names this one. */
export const etagMatches = (header: string, etag: string): boolean =>
  header.split(',').some((one) => one.trim() === '*' || bare(one) === etag)

export const preconditionFailed = (condition: string): AwsError =>
  new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    fields: { Condition: condition },
  })

/** A whole number from a query or header. @throws AwsError InvalidArgument */
export function wholeNumber(
  text: string | undefined,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new AwsError('InvalidArgument', 400, `${name} must be an integer between ${min} and ${max}`, {
    fields: { ArgumentName: name, ArgumentValue: text },
  })
}

/** Elements of checksums as answers and parts lists have them: ChecksumCRC32 and so on. */
export const checksumNodes = (checksums: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(checksums).map(([name, value]) => [`Checksum${name.toUpperCase()}`, value]))

export const checksumHeaders = (checksums: Readonly<Record<string, string>>): Record<string, string> => {
  const [any] = Object.values(checksums)
  if (any === undefined) return {}
  const type = any.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT'
  const values = Object.entries(checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value])
  return { ...Object.fromEntries(values), 'x-amz-checksum-type': type }
}
