import type { S3Client } from '@aws-sdk/client-s3'
import type { Destination } from '../../lib/aws/destination.ts'
import { copyObject } from '../../lib/stores/s3-copy.ts'
import type { Store } from '../../lib/stores/store.ts'
import { type Copier, type Limits, oneByOne } from './copier.ts'

/** Bucket to bucket, object by object: for small sets, and for what a batch job cannot copy. */
export const directCopier = (client: S3Client, from: Pick<Store, 'head'>, to: Destination, limits: Limits): Copier =>
  oneByOne('CopyObject', from, limits, (object) => copyObject(client, object, to, limits.signal))
