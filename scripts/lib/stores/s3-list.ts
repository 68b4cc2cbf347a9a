import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { explaining } from '../aws/errors.ts'
import { type Bucket, bareEtag, listing } from './s3-bucket.ts'
import { compareKeys, type ListOptions, type ObjectInfo, type PrefixOptions } from './store.ts'

/** Keys are relative to `root`; so is what is asked for. */
export async function* listObjects(bucket: Bucket, root: string, options: ListOptions): AsyncGenerator<ObjectInfo> {
  for await (const { entries, decode } of pages(bucket, root, options))
    for (const entry of entries) {
      const key = decode(entry.key).slice(root.length)
      // Else it is the object that stands for the folder itself, as the console makes them.
      if (key !== '') yield { ...entry, key }
    }
}

/** Common prefixes, relative to `root` as well. */
export async function prefixes(bucket: Bucket, root: string, options: PrefixOptions): Promise<string[]> {
  const found = new Set<string>()
  for await (const page of pages(bucket, root, { delimiter: '/', ...options })) {
    const { entries, groups, decode } = page
    for (const group of groups) found.add(decode(group).slice(root.length))
    if (options.pass === undefined) continue
    let [skipTo, last] = ['', [...found].at(-1) ?? '']
    for (const { key } of entries) {
      const name = decode(key).slice(root.length)
      if (compareKeys(name, last) > 0) last = name
      if (compareKeys(name, skipTo) > 0) skipTo = options.pass(name) ?? ''
    }
    // Never back.
    if (compareKeys(skipTo, last) > 0) page.skipTo = root + skipTo
  }
  return [...found]
}

interface Page {
  readonly entries: readonly Entry[]
  /** Common prefixes. */
  readonly groups: readonly string[]
  /** Makes a key of one that was sent. */
  readonly decode: (text: string) => string
  /** Where the next page is to begin, if not where this one ends. */
  skipTo?: string
}

/** A page is asked for when the one before it was read to its end: who stops costs no request more. */
async function* pages(
  bucket: Bucket,
  root: string,
  { prefix = '', startAfter = '', delimiter }: ListOptions & { delimiter?: string },
): AsyncGenerator<Page> {
  const input = {
    ...bucket.common,
    Prefix: root + prefix,
    // Keys may hold what XML cannot.
    EncodingType: 'url' as const,
    ...(delimiter !== undefined && { Delimiter: delimiter }),
  }
  let from: { StartAfter?: string; ContinuationToken?: string } = startAfter ? { StartAfter: root + startAfter } : {}
  while (true) {
    bucket.listRequests += 1
    const command = new ListObjectsV2Command({ ...input, ...from })
    const entries = takeEntries(command)
    const page = await explaining(bucket.client.send(command, bucket.stoppable), listing(bucket, input.Prefix))
    const { CommonPrefixes = [], EncodingType, NextContinuationToken } = page
    const decode = EncodingType === 'url' ? decoded : (text: string) => text
    const read: Page = { entries: entries(), groups: CommonPrefixes.map(({ Prefix = '' }) => Prefix), decode }
    yield read
    if (NextContinuationToken === undefined) return
    from = read.skipTo === undefined ? { ContinuationToken: NextContinuationToken } : { StartAfter: read.skipTo }
  }
}

/** S3 encodes as forms do: a plus is a space. */
const decoded = (text: string): string => (/[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', '%20')) : text)

/** An entry of a page, its key as it was sent. */
type Entry = Omit<ObjectInfo, 'sha256'>

/**
 * Reads the objects of a page before the SDK does, and leaves it the rest: its parser needs ten times as long for a key,
 * which is what a listing of millions would mostly be.
 * @returns the objects, once the command was answered
 */
function takeEntries(command: ListObjectsV2Command): () => Entry[] {
  let entries: Entry[] = []
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const response = result.response as { statusCode: number; body: Readable }
      if (response.statusCode !== 200) return result
      const page = await text(response.body)
      const [start, end] = [page.indexOf(OPEN), page.lastIndexOf(CLOSE)]
      entries = start === -1 ? [] : page.slice(start, end).split(CLOSE).map(entryOf)
      const rest = start === -1 ? page : page.slice(0, start) + page.slice(end + CLOSE.length)
      response.body = Readable.from([Buffer.from(rest)])
      return result
    },
    // Innermost, so that what breaks here is tried again.
    { step: 'deserialize', priority: 'low', name: 'takeEntries', override: true },
  )
  return () => entries
}

const OPEN = '<Contents>'
const CLOSE = '</Contents>'

function entryOf(xml: string): Entry {
  const etag = bareEtag(textOf(xml, 'ETag'))
  const modified = textOf(xml, 'LastModified')
  const storageClass = textOf(xml, 'StorageClass')
  return {
    key: textOf(xml, 'Key') ?? '',
    size: Number(textOf(xml, 'Size') ?? 0),
    ...(etag !== undefined && { etag }),
    ...(modified !== undefined && { modified: new Date(modified) }),
    ...(storageClass !== undefined && { storageClass }),
  }
}

/** Text of an element without attributes that holds nothing but text. */
function textOf(xml: string, name: string): string | undefined {
  const at = xml.indexOf(`<${name}>`)
  if (at === -1) return undefined
  const start = at + name.length + 2
  const value = xml.slice(start, xml.indexOf('<', start))
  return value.includes('&') ? value.replace(ENTITY, (_, entity: string) => characterOf(entity)) : value
}

const ENTITY = /&(#x[0-9a-f]+|#\d+|quot|apos|amp|lt|gt);/gi
const NAMED: Readonly<Record<string, string>> = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>' }

const characterOf = (entity: string): string =>
  NAMED[entity] ?? String.fromCodePoint(Number(entity.replace('#', '').replace(/^x/i, '0x')))
