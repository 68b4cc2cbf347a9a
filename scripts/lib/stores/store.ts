import type { Readable } from 'node:stream'
import { UserError } from '../cli/errors.ts'

/** One object, its key relative to the store's root. */
export interface ObjectInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly etag?: string
  readonly modified?: Date
  readonly storageClass?: string
  /** Of an archived object, when it was asked about alone: whether it can be read again for a time, or will be. */
  readonly restored?: 'yes' | 'soon'
  /** When it was asked about alone: encrypted with KMS, under a data key of its own or one of its bucket. */
  readonly kms?: 'object' | 'bucket'
  /** Of the uncompressed content, where an index of the logs names it. */
  readonly sha256?: string
}

export interface ListOptions {
  readonly prefix?: string
  /** Keys up to and including this one are left out; need not exist. */
  readonly startAfter?: string
}

export interface PrefixOptions extends ListOptions {
  readonly delimiter?: string
  /**
   * Called with keys that lie beside the prefixes, for a listing need not read all of them: returns the text up to which keys may be
   * skipped, if any.
   */
  readonly pass?: (key: string) => string | undefined
}

/** Inclusive byte range; `ifMatch`: only of the version with this ETag. */
export interface ReadOptions {
  readonly start?: number
  readonly end?: number
  readonly ifMatch?: string
}

/** `ifAbsent`: only create. `ifMatch`: only replace the version with this ETag. */
export interface WriteOptions {
  readonly ifAbsent?: boolean
  readonly ifMatch?: string
  /** Encrypt with S3's own keys whatever the bucket's default; folders ignore it. */
  readonly sse?: 'AES256'
}

/** A bucket prefix or a folder that holds objects under keys. Keys are '/'-separated and ordered as UTF-8 bytes. */
export interface Store {
  /** `s3://bucket/prefix` or the folder's absolute path, without a trailing slash. */
  readonly uri: string
  /** URI of an object, or of all whose keys begin so. */
  uriOf(key: string): string
  /** LIST requests (or folders read) so far. */
  readonly listRequests: number
  /** Objects in key order, streamed; stop reading and no further page is asked for. */
  list(options?: ListOptions): AsyncIterable<ObjectInfo>
  /** Common prefixes up to the next delimiter, each ending in it, in key order. */
  prefixes(options?: PrefixOptions): Promise<string[]>
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>
  /** @throws NoSuchObject, ConditionFailed when the object is not that version */
  read(key: string, options?: ReadOptions): Promise<Readable>
  /** A small object's text; undefined when there is no such object. */
  text(key: string): Promise<string | undefined>
  /** @throws ConditionFailed when the condition does not hold */
  write(key: string, body: string | Uint8Array | Readable, options?: WriteOptions): Promise<ObjectInfo>
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>
  /** The same store seen from a prefix below (`a/b/`). */
  within(prefix: string): Store
  /** Keys of links that lead out of a folder of logs, as far as they were met; such links count as absent. */
  readonly outwardLinks?: ReadonlySet<string>
  /** Where the object lies or would lie on this machine's disk; only folder stores have it. */
  localPath?(key: string): string
}

/** There is nothing to read. */
export class NoSuchObject extends UserError {}

/** A conditional write met another version. */
export class ConditionFailed extends Error {
  constructor(key: string) {
    super(`${key} was written by somebody else meanwhile`)
    this.name = 'ConditionFailed'
  }
}

/** Order of keys in S3: UTF-8 bytes. JavaScript compares UTF-16 units, which differs above U+D7FF. */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return utf8Rank(x) - utf8Rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above the rest of the basic plane, so they sort last. */
const utf8Rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

interface Keyed {
  readonly key: string
}

/** Pairs two sequences in key order: every key once, with what either side has of it. Holds one item of each. */
export async function* matched<A extends Keyed, B extends Keyed>(
  left: AsyncIterable<A>,
  right: AsyncIterable<B>,
): AsyncGenerator<{ left?: A; right?: B }> {
  const [a, b] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()]
  let [x, y] = [await a.next(), await b.next()]
  try {
    while (!x.done || !y.done) {
      const order = x.done ? 1 : y.done ? -1 : compareKeys(x.value.key, y.value.key)
      yield { ...(order <= 0 && { left: x.value }), ...(order >= 0 && { right: y.value }) }
      if (order <= 0) x = await a.next()
      if (order >= 0) y = await b.next()
    }
  } finally {
    await a.return?.()
    await b.return?.()
  }
}

/** Both sequences in key order as one; where both have a key, the left one's stands. */
export async function* united<A extends Keyed>(left: AsyncIterable<A>, right: AsyncIterable<A>): AsyncGenerator<A> {
  for await (const pair of matched(left, right)) {
    const item = pair.left ?? pair.right
    if (item !== undefined) yield item
  }
}

/** How many objects a listing has, and their bytes. */
export async function sizeOf(objects: AsyncIterable<ObjectInfo>): Promise<{ objects: number; bytes: number }> {
  const sum = { objects: 0, bytes: 0 }
  for await (const { size } of objects) {
    sum.objects += 1
    sum.bytes += size
  }
  return sum
}

/** Whether there is any object whose key begins so. */
export async function hasAny(store: Store, prefix: string): Promise<boolean> {
  for await (const _ of store.list({ prefix })) return true
  return false
}

/** Items in batches of so many; the last may have fewer. */
export async function* batchesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    if (batch.push(item) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
