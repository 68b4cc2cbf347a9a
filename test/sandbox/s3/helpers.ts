import { createHash } from 'node:crypto'
import { collect, md5 } from '../http.ts'
import { bufferContent, type Content, zeroContent } from './content.ts'
import { FolderBackend } from './folder.ts'
import { type Bucket, type BucketSettings, type Denial, type S3State, store } from './state.ts'
import { type Entry, plain, type StoredObject } from './stored.ts'

export type PutSettings = Partial<Omit<StoredObject, 'key' | 'content' | 'size'>>

/** The buckets of a sandbox as a test reaches into them: without requests, permissions or faults. */
export class Buckets {
  readonly state: S3State

  constructor(state: S3State) {
    this.state = state
  }

  create(name: string, settings: BucketSettings = {}): Bucket {
    return this.state.createBucket(name, settings)
  }

  /** Put an object; a number as the body stands for so many zeros, that take no memory. */
  put(bucket: string, key: string, body: string | Buffer | number, settings: PutSettings = {}): StoredObject {
    const content: Content = typeof body === 'number' ? zeroContent(body) : bufferContent(Buffer.from(body))
    const etag = typeof body === 'number' ? md5(`${body} zeros`) : md5(Buffer.from(body))
    const object = { ...plain, etag, modified: this.state.now(), ...settings, key, content, size: content.size }
    store(this.state.bucket(bucket), object)
    return object
  }

  /** Copy every file of a folder into a bucket. */
  async load(bucket: string, folder: string): Promise<void> {
    const from = new FolderBackend(folder)
    const { encryption } = this.state.bucket(bucket)
    for (const { key } of from.scan('', '')) {
      const object = from.get(key)
      if (object) this.put(bucket, key, await bytesOf(object), { modified: object.modified, encryption })
    }
  }

  head(bucket: string, key: string): StoredObject | undefined {
    return this.state.bucket(bucket).backend.get(key)
  }

  async get(bucket: string, key: string): Promise<Buffer> {
    const object = this.head(bucket, key)
    if (!object) throw new Error(`no object ${bucket}/${key}`)
    return bytesOf(object)
  }

  async sha256(bucket: string, key: string): Promise<string> {
    return createHash('sha256')
      .update(await this.get(bucket, key))
      .digest('hex')
  }

  list(bucket: string, prefix = ''): Entry[] {
    return [...this.state.bucket(bucket).backend.scan(prefix, '')]
  }

  keys(bucket: string, prefix = ''): string[] {
    return this.list(bucket, prefix).map(({ key }) => key)
  }

  delete(bucket: string, key: string): void {
    this.state.bucket(bucket).backend.delete?.(key)
  }

  /** Multipart uploads that were neither completed nor aborted. */
  unfinished(bucket: string): string[] {
    return [...this.state.bucket(bucket).uploads.values()].map(({ object }) => object.key)
  }

  /** Remove a permission. @returns restores it */
  deny(denial: Denial): () => void {
    return this.state.deny(denial)
  }
}

const bytesOf = (object: StoredObject): Promise<Buffer> => collect(object.content.read(0, object.size))
