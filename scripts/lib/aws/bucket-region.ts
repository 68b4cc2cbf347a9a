import type { S3Client } from '@aws-sdk/client-s3'
import { detailsOf, explained } from './errors.ts'
import type { AwsSettings } from './settings.ts'

/** What each process has found out. */
const found = new WeakMap<object, Map<string, Promise<string>>>()
const nobody = {}

/**
 * The region of a bucket, asked for once. Where S3 does not say it, the configured one.
 * @throws UserError when there is no such bucket, no credentials, or nobody to ask
 */
export function regionOfBucket(
  settings: AwsSettings,
  bucket: string,
  clientIn: (region: string | undefined) => Promise<S3Client>,
): Promise<string> {
  const { endpointUrl, profile, awsRegion, owner = nobody } = settings
  const known = found.get(owner) ?? new Map<string, Promise<string>>()
  found.set(owner, known)
  const id = JSON.stringify([endpointUrl, profile, awsRegion, bucket])
  const region = known.get(id) ?? ask(settings, bucket, clientIn)
  known.set(id, region)
  region.catch(() => known.delete(id))
  return region
}

// Where every region can be asked about.
const ANYWHERE = 'us-east-1'

async function ask(
  settings: AwsSettings,
  bucket: string,
  clientIn: (region: string | undefined) => Promise<S3Client>,
): Promise<string> {
  const { HeadBucketCommand } = await import('@aws-sdk/client-s3')
  const configured = await clientIn(settings.awsRegion)
  const region = await configured.config.region().catch(() => ANYWHERE)
  const client = await clientIn(region)
  try {
    const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket: bucket }))
    return BucketRegion ?? region
  } catch (error) {
    const { status, region: told } = detailsOf(error)
    if (told !== undefined) return told
    // Without a body S3 cannot say what is wrong: the first request that counts will.
    if (status === 400 || status === 403) return region
    throw explained(error, {
      what: `s3://${bucket}`,
      action: 's3:ListBucket',
      resource: `arn:aws:s3:::${bucket}`,
      bucket,
    })
  } finally {
    configured.destroy()
    client.destroy()
  }
}
