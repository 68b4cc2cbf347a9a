import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { AwsError, type Incoming } from '../http.ts'

/** What was uploaded: the bytes without framing, and the checksums that came with them and are right. */
export interface Uploaded {
  readonly bytes: Buffer
  readonly checksums: Record<string, string>
}

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
  return c >>> 0
})

function crc32c(bytes: Buffer): number {
  let c = 0xffffffff
  for (const byte of bytes) c = (CASTAGNOLI[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

function fourBytes(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value >>> 0)
  return buffer
}

const ALGORITHMS: Record<string, (bytes: Buffer) => Buffer> = {
  crc32: (bytes) => fourBytes(crc32(bytes)),
  crc32c: (bytes) => fourBytes(crc32c(bytes)),
  sha1: (bytes) => createHash('sha1').update(bytes).digest(),
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
}

/** Base64 checksum of bytes. @throws AwsError for an algorithm that the sandbox lacks */
export function checksum(algorithm: string, bytes: Buffer): string {
  const compute = ALGORITHMS[algorithm.toLowerCase()]
  if (!compute) throw new AwsError('NotImplemented', 501, `checksum algorithm ${algorithm} is not in this sandbox`)
  return compute(bytes).toString('base64')
}

/** Checksum of a multipart object from those of its parts. */
export const compositeChecksum = (algorithm: string, parts: readonly string[]): string =>
  `${checksum(algorithm, Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))))}-${parts.length}`

/** Read an upload: chunked signing taken off, lengths and checksums verified. @throws AwsError */
export async function readUpload(request: Incoming): Promise<Uploaded> {
  const { headers } = request
  const raw = await request.bytes()
  const sha256 = headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD'
  if (headers['content-length'] === undefined && headers['x-amz-decoded-content-length'] === undefined)
    throw new AwsError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.')
  const { bytes, trailers } = sha256.startsWith('STREAMING-') ? unchunk(raw) : { bytes: raw, trailers: {} }
  const announced = headers['x-amz-decoded-content-length']
  if (announced !== undefined && Number(announced) !== bytes.length)
    throw new AwsError('IncompleteBody', 400, 'The request body terminated unexpectedly')
  if (/^[0-9a-f]{64}$/.test(sha256) && createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new AwsError(
      'XAmzContentSHA256Mismatch',
      400,
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
  const md5 = headers['content-md5']
  if (md5 !== undefined && createHash('md5').update(bytes).digest('base64') !== md5)
    throw new AwsError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
  const promised = headers['x-amz-trailer']
  if (promised !== undefined && !(promised.toLowerCase() in trailers))
    throw new AwsError('MalformedTrailerError', 400, 'The request contained trailing data that was not well-formed')
  return { bytes, checksums: verified({ ...headers, ...trailers }, bytes) }
}

function verified(headers: Readonly<Record<string, string>>, bytes: Buffer): Record<string, string> {
  const checksums: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const algorithm = /^x-amz-checksum-(?!mode|type|algorithm)(.+)$/.exec(name)?.[1]
    if (algorithm === undefined) continue
    if (checksum(algorithm, bytes) !== value) {
      const message = `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`
      throw new AwsError('BadDigest', 400, message)
    }
    checksums[algorithm] = value
  }
  return checksums
}

const incomplete = (): AwsError => new AwsError('IncompleteBody', 400, 'The request body terminated unexpectedly')

/** The aws-chunked coding: `size[;extension] CRLF bytes CRLF`, a chunk of size 0, trailers. */
function unchunk(raw: Buffer): { bytes: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const end = raw.indexOf('\r\n', at)
    if (end < 0) throw incomplete()
    const size = Number.parseInt(raw.toString('latin1', at, end), 16)
    if (Number.isNaN(size)) throw incomplete()
    at = end + 2
    if (size === 0) return { bytes: Buffer.concat(chunks), trailers: trailersOf(raw.toString('latin1', at)) }
    chunks.push(raw.subarray(at, at + size))
    at += size + 2
  }
}

function trailersOf(text: string): Record<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
}
