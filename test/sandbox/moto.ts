import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { after } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import type { Model } from '../../scripts/lib/insights/model.ts'
import { answerOf, load } from './sagemaker/container.ts'
import { startSandbox } from './start.ts'

// The scripts against another AWS than ours: moto where PRESTAGE_TEST_MOTO names one, else the sandbox, so that both are asked the same.

const elsewhere = process.env.PRESTAGE_TEST_MOTO
export const isMoto = elsewhere !== undefined

/** What moto 5.2 does not have: skipped there, with the reason. */
export const unlessMoto = (lacks: string) => ({ skip: isMoto && `moto ${lacks}` })

/** What only moto has. */
export const onlyMoto = (lacks: string) => ({ skip: !isMoto && `the sandbox ${lacks}` })

/** An account, and what its scripts need in their environment. */
export async function anAccount() {
  const sandbox = elsewhere === undefined ? await startSandbox() : undefined
  const env: Record<string, string> = { ...(sandbox?.env ?? { ...PLAIN, AWS_ENDPOINT_URL: elsewhere ?? '' }) }
  const client = new s3.S3Client({
    endpoint: env.AWS_ENDPOINT_URL ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
  })
  after(async () => {
    client.destroy()
    await sandbox?.close()
  })
  const put = async (Bucket: string, Key: string, Body: string | Buffer) =>
    void (await client.send(new s3.PutObjectCommand({ Bucket, Key, Body })))
  const get = async (Bucket: string, Key: string) =>
    Buffer.from(
      (await (await client.send(new s3.GetObjectCommand({ Bucket, Key }))).Body?.transformToByteArray()) ?? [],
    )
  const keys = async (Bucket: string, Prefix: string) =>
    ((await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(({ Key = '' }) => Key)
  return { env, client, put, get, keys, violations: sandbox?.violations ?? [] }
}

export type Account = Awaited<ReturnType<typeof anAccount>>

const PLAIN = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
}

/** The container behind an endpoint, which moto does not have: answers for one model, whatever the endpoint is called. */
export async function container(artifact: Buffer): Promise<{ env: Record<string, string>; model: Model }> {
  const model = await load(artifact)
  async function answer(request: IncomingMessage, reply: ServerResponse) {
    const { accept, 'content-type': contentType } = request.headers
    const { status, type, body } = answerOf(model, { accept, contentType }, Buffer.concat(await request.toArray()))
    if (status < 400) return reply.writeHead(200, { 'content-type': type }).end(body)
    const fields = { OriginalStatusCode: status, OriginalMessage: body, Message: body }
    return reply.writeHead(424, { 'x-amzn-errortype': 'ModelError' }).end(JSON.stringify(fields))
  }
  const server = createServer((request, reply) => void answer(request, reply))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { model, env: { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: `http://127.0.0.1:${port}` } }
}
