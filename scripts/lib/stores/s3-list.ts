import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { answerOf, type Bucket, listing } from './s3-bucket.ts'
import { type Entry, takeEntries } from './s3-page.ts'
import type { ListOptions, ObjectInfo } from './store.ts'

/** Keys are relative to `root`; so is what is asked for. */
export async function* list(bucket: Bucket, root: string, options: ListOptions): AsyncGenerator<ObjectInfo> {
  for await (const { entries, decode } of pages(bucket, root, options))
    for (const entry of entries) {
      const key = decode(entry.key).slice(root.length)
      // Else it is the object that stands for the folder itself, as the console makes them.
      if (key !== '') yield { ...entry, key }
    }
}

/** Common prefixes, relative to `root` as well. */
export async function prefixes(
  bucket: Bucket,
  root: string,
  options: ListOptions & { delimiter?: string },
): Promise<string[]> {
  const found: string[] = []
  for await (const { groups, decode } of pages(bucket, root, { delimiter: '/', ...options }))
    for (const group of groups) found.push(decode(group).slice(root.length))
  return found
}

interface Page {
  readonly entries: readonly Entry[]
  /** Common prefixes. */
  readonly groups: readonly string[]
  /** Makes a key of one that was sent. */
  readonly decode: (text: string) => string
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
    const page = await answerOf(bucket.client.send(command, bucket.stoppable), listing(bucket, input.Prefix))
    const { CommonPrefixes = [], EncodingType, NextContinuationToken } = page
    const decode = EncodingType === 'url' ? decoded : (text: string) => text
    yield { entries: entries(), groups: CommonPrefixes.map(({ Prefix = '' }) => Prefix), decode }
    if (NextContinuationToken === undefined) return
    from = { ContinuationToken: NextContinuationToken }
  }
}

/** S3 encodes as forms do: a plus is a space. */
const decoded = (text: string): string => (/[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', '%20')) : text)
