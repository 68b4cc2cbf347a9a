import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  type MultipartUpload,
  type S3Client,
} from '@aws-sdk/client-s3'
import pMap from 'p-map'
import { partitionOf } from '../aws/arn.ts'
import { detailsOf, explained } from '../aws/errors.ts'
import type { Leftover } from '../aws/leftover.ts'
import { UserError } from '../cli/errors.ts'
import { plural } from '../cli/format.ts'
import { batchesOf, type ObjectInfo, type Store, sizeOf } from './store.ts'
import { keyIn } from './uri.ts'

/** Keys in one request: DeleteObjects, S3 API reference. */
const KEYS = 1000
/** Requests in flight. */
const CONCURRENCY = 4

/** Where the objects of a run are. */
export interface RunPlace {
  readonly client: S3Client
  readonly bucket: string
  /** Every key of the run in the bucket begins with one of these. */
  readonly roots: readonly string[]
  readonly store: Store
  /** Called when the bucket keeps deleted objects as older versions. */
  onVersions(): void
}

/** The objects of a part of the run, as one leftover. Undefined when there are none. */
export async function objectsBelow(
  place: RunPlace,
  what: string,
  prefix: string,
  isMeant: (key: string) => boolean = () => true,
): Promise<Leftover | undefined> {
  const meant = () => filtered(place.store.list({ prefix }), isMeant)
  const { objects, bytes } = await sizeOf(meant())
  if (objects === 0) return undefined
  const removeBatch = async (batch: ObjectInfo[], signal: AbortSignal) => {
    const keys = batch.map(({ key }) => keyIn(place.store.uriOf(key)))
    if (await removeKeys(place.client, place.bucket, keys, signal)) place.onVersions()
  }
  const remove = (signal: AbortSignal) =>
    pMap(batchesOf(meant(), KEYS), (batch) => removeBatch(batch, signal), { concurrency: CONCURRENCY, signal })
  return { what, files: objects, bytes, remove }
}

async function* filtered(objects: AsyncIterable<ObjectInfo>, isMeant: (key: string) => boolean) {
  for await (const object of objects) if (isMeant(object.key)) yield object
}

/** @returns whether older versions stay. @throws UserError when an object could not be deleted */
async function removeKeys(
  client: S3Client,
  Bucket: string,
  keys: readonly string[],
  abortSignal: AbortSignal,
): Promise<boolean> {
  // Only an answer in verbose mode names delete markers: "DeleteObjects", S3 API reference.
  const Delete = { Objects: keys.map((Key) => ({ Key })) }
  const asked = { what: `s3://${Bucket}/${keys[0]}`, action: 's3:DeleteObject', resource: `arn:aws:s3:::${Bucket}/*` }
  try {
    const command = new DeleteObjectsCommand({ Bucket, Delete })
    const { Deleted = [], Errors = [] } = await client.send(command, { abortSignal })
    const [first] = Errors
    if (first === undefined) return Deleted.some(({ DeleteMarker }) => DeleteMarker === true)
    throw new UserError(
      `s3://${Bucket}/${first.Key}: could not be deleted (${first.Code}: ${first.Message})${Errors.length > 1 ? `, nor ${plural(Errors.length - 1, 'other')}` : ''}`,
      {
        hint: `ask for s3:DeleteObject on arn:${partitionOf(await client.config.region())}:s3:::${Bucket}/*; the same command then continues`,
        exitCode: /AccessDenied/.test(first.Code ?? '') ? 4 : 1,
      },
    )
  } catch (error) {
    throw explained(error, asked)
  }
}

/** Multipart uploads that were never completed: they are invisible, and their parts are paid for. Undefined when there are none. */
export async function failedUploads({ client, bucket, roots }: RunPlace): Promise<Leftover | undefined> {
  const uploads = (await Promise.all(roots.map((root) => listUploads(client, bucket, root)))).flat()
  if (uploads.length === 0) return undefined
  return {
    what: 'failed uploads',
    files: uploads.length,
    bytes: 0,
    note: `${plural(uploads.length, 'that was', 'that were')} never completed`,
    done: 'aborted',
    remove: async (signal) => {
      await pMap(uploads, ({ Key, UploadId }) => abort(client, { Bucket: bucket, Key, UploadId }), {
        concurrency: CONCURRENCY,
        signal,
      })
    },
  }
}

async function listUploads(client: S3Client, Bucket: string, Prefix: string): Promise<MultipartUpload[]> {
  const uploads: MultipartUpload[] = []
  let from: { KeyMarker?: string; UploadIdMarker?: string } = {}
  try {
    while (true) {
      const page = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...from }))
      uploads.push(...(page.Uploads ?? []))
      const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
      if (!IsTruncated || KeyMarker === undefined) return uploads
      from = { KeyMarker, ...(UploadIdMarker !== undefined && { UploadIdMarker }) }
    }
  } catch (error) {
    throw explained(error, {
      what: `unfinished uploads below s3://${Bucket}/${Prefix}`,
      action: 's3:ListBucketMultipartUploads',
      resource: `arn:aws:s3:::${Bucket}`,
      bucket: Bucket,
    })
  }
}

async function abort(
  client: S3Client,
  upload: { Bucket: string; Key: string | undefined; UploadId: string | undefined },
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(upload))
  } catch (error) {
    if (detailsOf(error).code === 'NoSuchUpload') return
    throw explained(error, {
      what: `upload of s3://${upload.Bucket}/${upload.Key}`,
      action: 's3:AbortMultipartUpload',
      resource: `arn:aws:s3:::${upload.Bucket}/${upload.Key}`,
    })
  }
}
