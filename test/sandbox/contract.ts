import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type Sandbox, startSandbox } from './start.ts'

/**
 * What any S3 does, tested through the real client. Runs against the sandbox, or against the server that
 * PRESTAGE_TEST_S3_ENDPOINT names, so that the sandbox is not its own judge.
 */
const elsewhere = process.env.PRESTAGE_TEST_S3_ENDPOINT
export const Bucket = `contract-${randomBytes(4).toString('hex')}`

/** The other server's name, where it is known to differ from S3. */
export const judge = process.env.PRESTAGE_TEST_S3_SERVER ?? ''

/** Where moto 5.2 or versitygw 1.8 differ from S3: skipped there, with the reason. */
export const unless = (differs: { readonly moto?: string; readonly versitygw?: string }) => {
  const why = judge === 'moto' || judge === 'versitygw' ? differs[judge] : undefined
  return { skip: why !== undefined && `${judge} ${why}` }
}

let sandbox: Sandbox | undefined
export let client: s3.S3Client

before(async () => {
  sandbox = elsewhere === undefined ? await startSandbox() : undefined
  client = new s3.S3Client({
    endpoint: sandbox?.url ?? elsewhere ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: sandbox?.env.AWS_ACCESS_KEY_ID ?? 'test',
      secretAccessKey: sandbox?.env.AWS_SECRET_ACCESS_KEY ?? 'test',
    },
  })
  await client.send(new s3.CreateBucketCommand({ Bucket }))
})

after(async () => {
  client.destroy()
  await sandbox?.close()
  assert.deepEqual(sandbox?.violations ?? [], [])
})

export const put = (Key: string, Body: string | Buffer, more: Partial<s3.PutObjectCommandInput> = {}) =>
  client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...more }))

export async function body(Key: string, more: Partial<s3.GetObjectCommandInput> = {}): Promise<string> {
  const answer = await client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }))
  return (await answer.Body?.transformToString()) ?? ''
}

export const list = (Prefix: string, more: Partial<s3.ListObjectsV2CommandInput> = {}) =>
  client.send(new s3.ListObjectsV2Command({ Bucket, Prefix, ...more }))

export const keys = (answer: s3.ListObjectsV2CommandOutput): string[] =>
  (answer.Contents ?? []).map(({ Key }) => Key ?? '')
export const groups = (answer: s3.ListObjectsV2CommandOutput): string[] =>
  (answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? '')

export const fails = (asked: Promise<unknown>, status: number, name?: string): Promise<void> =>
  assert.rejects(asked, (error: s3.S3ServiceException) => {
    assert.equal(error.$metadata?.httpStatusCode, status, `${error.name}: ${error.message}`)
    if (name !== undefined) assert.equal(error.name, name)
    return true
  })

export const md5 = (data: Buffer | string): string => createHash('md5').update(data).digest('hex')

export const getBytes = async (Key: string): Promise<Uint8Array> => {
  const answer = await client.send(new s3.GetObjectCommand({ Bucket, Key }))
  return (await answer.Body?.transformToByteArray()) ?? new Uint8Array()
}
