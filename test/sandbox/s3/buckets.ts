import { AwsError, type Reply } from '../http.ts'
import { type BucketCall, ok, okXml, type S3Call, wholeNumber } from './call.ts'

export function listBuckets({ s3, query, caller }: S3Call): Reply {
  const prefix = query.get('prefix') ?? ''
  const region = query.get('bucket-region')
  const after = query.get('continuation-token') ?? ''
  const most = wholeNumber(query.get('max-buckets'), 'max-buckets', 10_000, 1, 10_000)
  const all = [...s3.buckets.values()]
    .filter(({ owner, name }) => owner === caller.account && name.startsWith(prefix) && name > after)
    .filter((bucket) => region === undefined || bucket.region === region)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const page = all.slice(0, most)
  return okXml('ListAllMyBucketsResult', {
    Buckets: { Bucket: page.map((b) => ({ Name: b.name, CreationDate: b.created, BucketRegion: b.region })) },
    Owner: { ID: caller.account },
    ContinuationToken: page.length < all.length ? page.at(-1)?.name : undefined,
    Prefix: query.get('prefix'),
  })
}

export const headBucket = ({ bucket }: BucketCall): Reply =>
  ok({ 'x-amz-bucket-region': bucket.region, 'x-amz-access-point-alias': 'false' })

export const getBucketLocation = ({ bucket }: BucketCall): Reply =>
  // us-east-1 is the empty constraint; the root holds the text itself.
  ok(
    { 'content-type': 'application/xml' },
    `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
      bucket.region === 'us-east-1' ? '' : bucket.region
    }</LocationConstraint>`,
  )

export const getBucketVersioning = (): Reply => okXml('VersioningConfiguration', {})

export const getBucketRequestPayment = ({ bucket }: BucketCall): Reply =>
  okXml('RequestPaymentConfiguration', { Payer: bucket.requesterPays ? 'Requester' : 'BucketOwner' })

export function getBucketEncryption({ bucket: { encryption } }: BucketCall): Reply {
  const byDefault = { SSEAlgorithm: encryption.algorithm, KMSMasterKeyID: encryption.keyId }
  const rule = { ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: encryption.bucketKey ?? false }
  return okXml('ServerSideEncryptionConfiguration', { Rule: rule })
}

/** The error is what terraform-provider-aws handles. */
export function getBucketMetadataConfiguration({ s3, bucket }: BucketCall): Reply {
  const { metadata, name } = bucket
  if (metadata === undefined)
    throw new AwsError('MetadataConfigurationNotFound', 404, 'The metadata configuration does not exist')
  const { inventory } = metadata
  const table = inventory && {
    ConfigurationState: inventory.state,
    TableStatus: inventory.status,
    Error: inventory.error && { ErrorCode: inventory.error.code, ErrorMessage: inventory.error.message },
    TableName: 'inventory',
  }
  return okXml('GetBucketMetadataConfigurationResult', {
    MetadataConfigurationResult: {
      DestinationResult: {
        TableBucketType: 'aws',
        TableBucketArn: s3.arn('s3tables', 'bucket/aws-s3'),
        TableNamespace: `b_${name.replaceAll('.', '_')}`,
      },
      JournalTableConfigurationResult: {
        TableStatus: 'ACTIVE',
        TableName: 'journal',
        RecordExpiration: { Expiration: 'DISABLED' },
      },
      InventoryTableConfigurationResult: table,
    },
  })
}

const NAME = /^(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]$/

export async function createBucket({ s3, bucketName, request, caller }: S3Call): Promise<Reply> {
  if (!NAME.test(bucketName)) throw new AwsError('InvalidBucketName', 400, 'The specified bucket is not valid.')
  const there = s3.buckets.get(bucketName)
  if (there?.owner === caller.account)
    throw new AwsError('BucketAlreadyOwnedByYou', 409, 'Your previous request to create the named bucket succeeded')
  if (there) throw new AwsError('BucketAlreadyExists', 409, 'The requested bucket name is not available')
  const region = /<LocationConstraint[^>]*>([^<]+)</.exec((await request.bytes()).toString())?.[1]
  s3.createBucket(bucketName, { region: region ?? request.scope?.region ?? s3.region, owner: caller.account })
  return ok({ location: `/${bucketName}` })
}

export function deleteBucket({ s3, bucket }: BucketCall): Reply {
  for (const _ of bucket.backend.scan('', ''))
    throw new AwsError('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty')
  s3.buckets.delete(bucket.name)
  return { status: 204, headers: {} }
}
