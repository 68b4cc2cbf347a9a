import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { AwsSettings } from '../../../scripts/lib/aws/settings.ts'
import { type Sandbox, type SandboxSettings, startSandbox } from '../../sandbox/start.ts'

/** Another S3 to be judged by; only what any S3 does can be asked of it. */
export const elsewhere = process.env.PRESTAGE_TEST_S3_ENDPOINT

/** Makes this process a caller whom the sandbox knows. Where it is, only the settings of a store say. */
export async function startWithKeys(settings: SandboxSettings = {}): Promise<Sandbox & { settings: AwsSettings }> {
  const sandbox = await startSandbox(settings)
  const { AWS_ENDPOINT_URL: endpointUrl = '', AWS_REGION: awsRegion = '', ...env } = sandbox.env
  Object.assign(process.env, env)
  return { ...sandbox, settings: { endpointUrl, awsRegion } }
}

/** An empty bucket of the sandbox, or of the server that PRESTAGE_TEST_S3_ENDPOINT names. */
export async function emptyBucket(): Promise<{ bucket: string; settings: AwsSettings; close(): Promise<void> }> {
  const bucket = `contract-${randomBytes(4).toString('hex')}`
  if (elsewhere === undefined) {
    const sandbox = await startWithKeys({ buckets: { [bucket]: {} } })
    return { bucket, settings: sandbox.settings, close: sandbox.close }
  }
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })
  const client = new S3Client({ endpoint: elsewhere, region: 'us-east-1', forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return { bucket, settings: { endpointUrl: elsewhere, awsRegion: 'us-east-1' }, close: async () => {} }
}
