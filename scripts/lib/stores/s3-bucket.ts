import type { S3Client } from '@aws-sdk/client-s3'
import type { Asked } from '../aws/errors.ts'
import { type AwsSettings, sleepOf } from '../aws/settings.ts'

/** A bucket as the settings reach it; all views of a store share one. */
export interface Bucket {
  readonly name: string
  readonly client: S3Client
  /** Members of every request. */
  readonly common: { Bucket: string; ExpectedBucketOwner?: string; RequestPayer?: 'requester' }
  /** Options of requests that may be broken off. */
  readonly stoppable: { abortSignal?: AbortSignal }
  sleep(ms: number): Promise<unknown>
  /** Other causes of a refusal than a missing permission. */
  readonly hints: readonly string[]
  listRequests: number
}

export function bucketOf(client: S3Client, name: string, settings: AwsSettings): Bucket {
  const { expectedBucketOwner: owner, requesterPays = false, signal } = settings
  return {
    name,
    client,
    common: {
      Bucket: name,
      ...(owner !== undefined && { ExpectedBucketOwner: owner }),
      ...(requesterPays && { RequestPayer: 'requester' }),
    },
    stoppable: { ...(signal && { abortSignal: signal }) },
    sleep: sleepOf(settings),
    hints: [
      ...(requesterPays ? [] : ['if the requester pays for this bucket, add --requester-pays']),
      ...(owner === undefined ? [] : [`the bucket may belong to another account than ${owner}`]),
    ],
    listRequests: 0,
  }
}

/** Describes a request about a bucket for its error; `prefix` is what was listed. */
export const listing = ({ name, hints }: Bucket, prefix: string): Asked => ({
  what: `s3://${name}/${prefix}`,
  action: 's3:ListBucket',
  resource: `arn:aws:s3:::${name}`,
  bucket: name,
  hints,
})

/** Describes a request about an object for its error. */
export const about = ({ name, hints }: Bucket, key: string, action: string): Asked => ({
  what: `s3://${name}/${key}`,
  action,
  resource: `arn:aws:s3:::${name}/${key}`,
  bucket: name,
  hints,
})

/** S3 writes ETags in quotes. */
export const bareEtag = (etag: string | undefined): string | undefined => etag?.replace(/^"(.*)"$/, '$1')
