import { detailsOf, explained } from './errors.ts'
import type { AwsSettings } from './settings.ts'

/**
 * The key for what SageMaker writes into a bucket where none is named: "If you don't provide a KMS key ID, SageMaker uses the default KMS
 * key for Amazon S3 for your role's account" (OutputDataConfig, API reference), not the bucket's. The key of a stack's bucket is a
 * setting of the stack, so that nobody needs to look.
 */
export const bucketKeyFor = async (
  { kmsKey, stack }: { readonly kmsKey?: string | undefined; readonly stack?: string | undefined },
  settings: AwsSettings,
  bucket: string,
): Promise<string | undefined> =>
  kmsKey === undefined && stack === undefined ? keyOfBucket(settings, bucket) : undefined

/**
 * The KMS key that a bucket encrypts with by default, if it is one of somebody's own: an id, an alias or an ARN. Undefined where S3's or
 * AWS's keys do, and where the caller may not look, which takes `s3:GetEncryptionConfiguration`.
 */
async function keyOfBucket(settings: AwsSettings, bucket: string): Promise<string | undefined> {
  const [{ GetBucketEncryptionCommand }, { s3Client }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('./clients.ts'),
  ])
  const client = await s3Client(settings, bucket)
  try {
    const { ServerSideEncryptionConfiguration } = await client.send(new GetBucketEncryptionCommand({ Bucket: bucket }))
    const [rule] = ServerSideEncryptionConfiguration?.Rules ?? []
    const { SSEAlgorithm = '', KMSMasterKeyID: key } = rule?.ApplyServerSideEncryptionByDefault ?? {}
    return /^aws:kms/.test(SSEAlgorithm) && key && !/(^|:)alias\/aws\/s3$/.test(key) ? key : undefined
  } catch (error) {
    const { status = 0 } = detailsOf(error)
    // Refused, not configured, or another S3 that has no such call.
    if ((status >= 400 && status < 500) || status === 501) return undefined
    throw explained(error, {
      what: `s3://${bucket}`,
      action: 's3:GetEncryptionConfiguration',
      resource: `arn:aws:s3:::${bucket}`,
      bucket,
    })
  } finally {
    client.destroy()
  }
}
