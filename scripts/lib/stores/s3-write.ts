import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import pMap from 'p-map'
import { detailsOf, explaining } from '../aws/errors.ts'
import { about, type Bucket, bareEtag } from './s3-bucket.ts'
import { head, readText } from './s3-read.ts'
import { ConditionFailed, type ObjectInfo, type WriteOptions } from './store.ts'

const ACTION = 's3:PutObject'
/** Times 10,000, the most parts of an upload: 78 GiB. */
const PART_BYTES = 8 * 2 ** 20
/** In the metadata of an object, which upload it comes from: under a KMS key an ETag proves nothing. */
const MARK = 'prestage-upload'
/** As many parts are in memory. */
const PARTS_AT_ONCE = 4

type Written = Omit<ObjectInfo, 'key'>

/** @throws ConditionFailed when the condition does not hold */
export function write(
  bucket: Bucket,
  key: string,
  body: string | Uint8Array | Readable,
  options: WriteOptions = {},
): Promise<Written> {
  return typeof body === 'string' || body instanceof Uint8Array
    ? put(bucket, key, Buffer.from(body), options)
    : stream(bucket, key, body, options)
}

/** Removing what is not there is no error. */
export async function remove(bucket: Bucket, key: string): Promise<void> {
  const command = new DeleteObjectCommand({ ...bucket.common, Key: key })
  await explaining(bucket.client.send(command), about(bucket, key, 's3:DeleteObject'))
}

const conditions = ({ ifAbsent, ifMatch }: WriteOptions) => ({
  ...(ifAbsent && { IfNoneMatch: '*' }),
  ...(ifMatch !== undefined && { IfMatch: `"${ifMatch}"` }),
})

const encryption = ({ sse }: WriteOptions) => ({ ...(sse && { ServerSideEncryption: sse }) })

const written = (size: number, etag: string | undefined): Written => ({ size, ...(etag !== undefined && { etag }) })

async function put(bucket: Bucket, key: string, bytes: Buffer, options: WriteOptions): Promise<Written> {
  const input = { ...bucket.common, Key: key, Body: bytes, ...conditions(options), ...encryption(options) }
  try {
    const { ETag } = await bucket.client.send(new PutObjectCommand(input))
    return written(bytes.length, bareEtag(ETag))
  } catch (error) {
    return lost({ bucket, key, options }, error, async () => (await readText(bucket, key)) === bytes.toString())
  }
}

/**
 * A write that failed, unless it was done: when the answer to the first try is lost, the condition of the second one
 * fails because of the first.
 */
async function lost(
  { bucket, key, options }: { bucket: Bucket; key: string; options: WriteOptions },
  error: unknown,
  isOurs: () => Promise<boolean>,
): Promise<Written> {
  const { status, code, attempts } = detailsOf(error)
  // 409: another conditional write of this key was under way. 404: with If-Match there has to be something.
  const refused = status === 412 || status === 409 || (options.ifMatch !== undefined && code === 'NoSuchKey')
  if (attempts > 1 && (refused || code === 'NoSuchUpload')) {
    const there = await head(bucket, key)
    if (there !== undefined && (await isOurs())) return there
  }
  if (refused) throw new ConditionFailed(key)
  return explaining(Promise.reject(error), about(bucket, key, ACTION))
}

/** Puts a stream of unknown length, in parts when it is long. */
async function stream(bucket: Bucket, key: string, body: Readable, options: WriteOptions): Promise<Written> {
  const parts = slices(body)
  const [first, second] = [await parts.next(), await parts.next()]
  if (first.done || second.done) return put(bucket, key, first.value ?? Buffer.alloc(0), options)
  const mark = randomUUID()
  // The SDK sends CRC32 with every part; S3 wants to know at the start, and to have them again at the end.
  const input = { ...bucket.common, Key: key, ChecksumAlgorithm: 'CRC32' as const, ...encryption(options) }
  const command = new CreateMultipartUploadCommand({ ...input, Metadata: { [MARK]: mark } })
  const { UploadId } = await explaining(bucket.client.send(command), about(bucket, key, ACTION))
  const upload = { ...bucket.common, Key: key, UploadId }
  try {
    const sent = await pMap(
      chained([first.value, second.value], parts),
      async (bytes, index) => {
        const part = new UploadPartCommand({ ...upload, Body: bytes, PartNumber: index + 1 })
        const { ETag, ChecksumCRC32 } = await explaining(bucket.client.send(part), about(bucket, key, ACTION))
        return { size: bytes.length, part: { ETag, ChecksumCRC32, PartNumber: index + 1 } }
      },
      { concurrency: PARTS_AT_ONCE },
    )
    const size = sent.reduce((sum, part) => sum + part.size, 0)
    const whole = { ...upload, MultipartUpload: { Parts: sent.map(({ part }) => part) }, ...conditions(options) }
    return await complete(bucket, whole, options, { size, mark })
  } catch (error) {
    // Parts that stay cost money. Its own failure hides nothing.
    await bucket.client.send(new AbortMultipartUploadCommand(upload)).catch(() => {})
    throw error
  }
}

async function complete(
  bucket: Bucket,
  whole: CompleteMultipartUploadCommandInput & { readonly Key: string },
  options: WriteOptions,
  { size, mark }: { size: number; mark: string },
): Promise<Written> {
  try {
    const { ETag } = await bucket.client.send(new CompleteMultipartUploadCommand(whole))
    return written(size, bareEtag(ETag))
  } catch (error) {
    return lost({ bucket, key: whole.Key, options }, error, async () => {
      const command = new HeadObjectCommand({ ...bucket.common, Key: whole.Key })
      return (await bucket.client.send(command)).Metadata?.[MARK] === mark
    })
  }
}

/** The bytes of a stream in pieces of at least PART_BYTES, but for the last. */
async function* slices(body: Readable): AsyncGenerator<Buffer, undefined> {
  let held: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<string | Uint8Array>) {
    const piece = Buffer.from(chunk)
    held.push(piece)
    bytes += piece.length
    if (bytes < PART_BYTES) continue
    yield Buffer.concat(held)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}

async function* chained<T>(begin: Iterable<T>, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* begin
  yield* rest
}
