import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { answerOf, type Bucket, bareEtag, listing } from './s3-bucket.ts'
import type { ListOptions, ObjectInfo } from './store.ts'

/** Keys are relative to `root`; so is what is asked for. */
export async function* list(bucket: Bucket, root: string, options: ListOptions): AsyncGenerator<ObjectInfo> {
  for await (const { Contents = [] } of pages(bucket, root, options))
    for (const { Key = '', Size = 0, ETag, LastModified, StorageClass } of Contents) {
      const key = decoded(Key).slice(root.length)
      // The object that stands for the folder itself, as the console makes them.
      if (key === '') continue
      const etag = bareEtag(ETag)
      yield {
        key,
        size: Size,
        ...(etag !== undefined && { etag }),
        ...(LastModified && { modified: LastModified }),
        ...(StorageClass && { storageClass: StorageClass }),
      }
    }
}

export async function prefixes(
  bucket: Bucket,
  root: string,
  options: ListOptions & { delimiter?: string },
): Promise<string[]> {
  const found: string[] = []
  for await (const { CommonPrefixes = [] } of pages(bucket, root, { delimiter: '/', ...options }))
    for (const { Prefix = '' } of CommonPrefixes) found.push(decoded(Prefix).slice(root.length))
  return found
}

/** A page is asked for when the one before it was read to its end: who stops costs no request more. */
async function* pages(
  bucket: Bucket,
  root: string,
  { prefix = '', startAfter = '', delimiter }: ListOptions & { delimiter?: string },
): AsyncGenerator<ListObjectsV2CommandOutput> {
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
    const page = await answerOf(bucket.client.send(command, bucket.stoppable), listing(bucket, input.Prefix))
    yield page
    if (page.NextContinuationToken === undefined) return
    from = { ContinuationToken: page.NextContinuationToken }
  }
}

/** S3 encodes as forms do: a plus is a space. */
const decoded = (text: string): string => (/[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', '%20')) : text)
