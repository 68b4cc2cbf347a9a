import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { detailsOf, explaining } from '../aws/errors.ts'
import { about, type Bucket, bareEtag } from './s3-bucket.ts'
import { ConditionFailed, NoSuchObject, type ObjectInfo, type ReadOptions } from './store.ts'

const ACTION = 's3:GetObject'
/** In a row, without one byte between them. */
const MOST_CUTS = 6
const FIRST_PAUSE_MS = 50

/** What is stored under a key, without the key itself; undefined when there is no such object. */
export async function head(bucket: Bucket, key: string): Promise<Omit<ObjectInfo, 'key'> | undefined> {
  try {
    const command = new HeadObjectCommand({ ...bucket.common, Key: key })
    const found = await bucket.client.send(command)
    const { ETag, ContentLength, LastModified, StorageClass = 'STANDARD', Restore } = found
    const { ServerSideEncryption = '', BucketKeyEnabled = false } = found
    const etag = bareEtag(ETag)
    return {
      size: ContentLength ?? 0,
      storageClass: StorageClass,
      ...(etag !== undefined && { etag }),
      ...(LastModified && { modified: LastModified }),
      ...(ServerSideEncryption.startsWith('aws:kms') && { kms: BucketKeyEnabled ? 'bucket' : 'object' }),
      ...(Restore !== undefined && { restored: /ongoing-request="true"/.test(Restore) ? 'soon' : 'yes' }),
    }
  } catch (error) {
    const { status } = detailsOf(error)
    if (status === 404) return undefined
    const asked = about(bucket, key, ACTION)
    // A refused HEAD has no words; a GET says why.
    if (status === 400 || status === 403) {
      const { body } = await explaining(get(bucket, key, { start: 0, end: 0 }), asked)
      body.destroy()
    }
    return explaining(Promise.reject(error), asked)
  }
}

/** The bytes of an object; after a cut connection they go on from where they were. */
export async function read(bucket: Bucket, key: string, options: ReadOptions = {}): Promise<Readable> {
  const first = await open(bucket, key, options)
  if (first === undefined) throw new NoSuchObject(`no object s3://${bucket.name}/${key}`)
  return resuming(bucket, key, options, first)
}

/** Undefined when there is no such object. */
export async function readText(bucket: Bucket, key: string): Promise<string | undefined> {
  const first = await open(bucket, key, {})
  return first && (await buffer(resuming(bucket, key, {}, first))).toString()
}

/** What a request for an object's bytes brought. */
interface Part {
  readonly body: Readable
  /** Bytes that the body should have. */
  readonly size: number
  readonly etag: string | undefined
}

async function get(bucket: Bucket, key: string, { start, end, ifMatch }: ReadOptions): Promise<Part> {
  const command = new GetObjectCommand({
    ...bucket.common,
    Key: key,
    ...((start !== undefined || end !== undefined) && { Range: `bytes=${start ?? 0}-${end ?? ''}` }),
    ...(ifMatch !== undefined && { IfMatch: `"${ifMatch}"` }),
  })
  const { Body, ContentLength, ETag } = await bucket.client.send(command, bucket.stoppable)
  return { body: Body as Readable, size: ContentLength ?? 0, etag: bareEtag(ETag) }
}

const NOTHING: Part = { body: Readable.from([]), size: 0, etag: undefined }

async function open(bucket: Bucket, key: string, options: ReadOptions): Promise<Part | undefined> {
  try {
    return await get(bucket, key, options)
  } catch (error) {
    const { code, status } = detailsOf(error)
    if (code === 'NoSuchKey') return undefined
    if (status === 412) throw new ConditionFailed(key)
    // The range begins behind the last byte.
    if (status === 416) return NOTHING
    return explaining(Promise.reject(error), about(bucket, key, ACTION))
  }
}

function resuming(bucket: Bucket, key: string, { start = 0, end }: ReadOptions, first: Part): Readable {
  let part = first
  const bytes = async function* (): AsyncGenerator<Buffer> {
    let got = 0
    for (let cuts = 0; got < first.size; cuts++) {
      let cut: unknown = new Error('the connection ended too early')
      try {
        for await (const chunk of part.body as AsyncIterable<Buffer>) {
          got += chunk.length
          cuts = 0
          yield chunk
        }
      } catch (error) {
        cut = error
      }
      if (got === first.size) return
      bucket.stoppable.abortSignal?.throwIfAborted()
      if (stream.destroyed || first.etag === undefined || cuts === MOST_CUTS)
        await explaining(Promise.reject(cut), about(bucket, key, ACTION))
      await bucket.sleep(FIRST_PAUSE_MS * 2 ** cuts)
      const more = { start: start + got, ...(end !== undefined && { end }), ...(first.etag && { ifMatch: first.etag }) }
      const next = await open(bucket, key, more)
      if (next === undefined) throw new NoSuchObject(`s3://${bucket.name}/${key} was deleted while it was read`)
      part = next
    }
  }
  const stream = Readable.from(bytes(), { objectMode: false })
  // Else the generator would wait for a chunk that nobody wants any more.
  return stream.once('close', () => part.body.destroy())
}
