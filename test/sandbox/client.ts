import assert from 'node:assert/strict'
import { afterEach, beforeEach } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type Sandbox, type SandboxSettings, startSandbox } from './start.ts'

export let sandbox: Sandbox
export let client: s3.S3Client

export async function start(settings: SandboxSettings): Promise<void> {
  await sandbox?.close()
  client?.destroy()
  sandbox = await startSandbox(settings)
  client = clientFor(sandbox)
}

export function clientFor(of: Sandbox, more: s3.S3ClientConfig = {}): s3.S3Client {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = of.env
  const credentials = { accessKeyId, secretAccessKey }
  return new s3.S3Client({ endpoint: of.url, region: 'us-east-1', maxAttempts: 1, credentials, ...more })
}

beforeEach(() => start({ buckets: { logs: {}, staging: {} } }))

afterEach(async () => {
  client.destroy()
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

export const get = (Key: string, more: Partial<s3.GetObjectCommandInput> = {}) =>
  client.send(new s3.GetObjectCommand({ Bucket: 'logs', Key, ...more }))
export const copy = (Key: string, more: Partial<s3.CopyObjectCommandInput> = {}) =>
  client.send(new s3.CopyObjectCommand({ Bucket: 'staging', Key, CopySource: `logs/${Key}`, ...more }))
export const list = (more: Partial<s3.ListObjectsV2CommandInput> = {}) =>
  client.send(new s3.ListObjectsV2Command({ Bucket: 'logs', ...more }))

export type Expected = { status?: number; name?: string; message?: RegExp }

export const fails = (asked: Promise<unknown>, expected: Expected): Promise<void> =>
  assert.rejects(asked, (error: s3.S3ServiceException) => {
    if (expected.status !== undefined) assert.equal(error.$metadata?.httpStatusCode, expected.status, String(error))
    if (expected.name !== undefined) assert.equal(error.name, expected.name)
    if (expected.message !== undefined) assert.match(error.message, expected.message)
    return true
  })
