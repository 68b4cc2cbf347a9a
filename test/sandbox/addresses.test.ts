import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import type { LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { ListJobsCommand, S3ControlClient } from '@aws-sdk/client-s3-control'
import { type Sandbox, startSandbox } from './start.ts'

/** Every name is this machine: `*.localhost` does not resolve everywhere. */
const here: LookupFunction = (_, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

const credentialsOf = (env: Readonly<Record<string, string>>) => ({
  accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
  secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
})

describe('names in the host', () => {
  let sandbox: Sandbox
  const config = () => ({
    endpoint: sandbox.url.replace('127.0.0.1', 'localhost'),
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: credentialsOf(sandbox.env),
    requestHandler: { httpAgent: new Agent({ lookup: here }) },
  })

  before(async () => {
    sandbox = await startSandbox({ buckets: { logs: {} } })
  })

  after(async () => {
    await sandbox.close()
    assert.deepEqual(sandbox.violations, [])
  })

  test('the bucket', async () => {
    const client = new S3Client(config())
    await client.send(new PutObjectCommand({ Bucket: 'logs', Key: 'a/b c', Body: 'x' }))
    assert.deepEqual(sandbox.s3.keys('logs'), ['a/b c'])
    client.destroy()
  })

  test('the account of S3 Control', async () => {
    const client = new S3ControlClient(config())
    const answer = await client.send(new ListJobsCommand({ AccountId: sandbox.account }))
    assert.deepEqual(answer.Jobs ?? [], [])
    client.destroy()
  })
})

test('a signed request through HTTP_PROXY, without a hash of its body in a header', async () => {
  const sandbox = await startSandbox()
  const { url, account } = sandbox
  const { accessKeyId, secretAccessKey } = credentialsOf(sandbox.env)
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const [date, scope] = ['20261130T120000Z', '20261130/us-east-1/sts/aws4_request']
  const signed = `host:sts.localhost\nx-amz-date:${date}\n\nhost;x-amz-date`
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(`POST\n/\n\n${signed}\n${sha256(body)}`)].join('\n')
  const signature = hmac(scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`), text).toString('hex')
  const headers = {
    host: 'sts.localhost',
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  }
  const ask = async (sent: string) => {
    const asked = request(url, { method: 'POST', path: 'http://sts.localhost/', headers }).end(sent)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    return [answer.statusCode, await readText(answer)] as const
  }
  const [status, answer] = await ask(body)
  assert.equal(status, 200, answer)
  assert.match(answer, new RegExp(`<Account>${account}</Account>`))
  assert.match((await ask(`${body}&`))[1], /<Code>SignatureDoesNotMatch</)
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

describe('npm run sandbox -- --logs DIR', () => {
  let folder: string
  let child: ChildProcess
  let exited: Promise<number | null>
  const env: Record<string, string> = {}

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
    writeFileSync(join(folder, 'key'), 'value')
    child = spawn(process.execPath, ['--import', 'tsx', 'test/sandbox/sandbox.ts', '--logs', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    exited = new Promise((resolve) => child.once('exit', resolve))
    let text = ''
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk)
      if (text.includes('export AWS_SDK_JS')) break
    }
    for (const [, name = '', value = ''] of text.matchAll(/^export (\w+)=(.*)$/gm)) env[name] = value
  })

  after(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })

  test('serves the folder, and stops when told to', async () => {
    const client = new S3Client({
      endpoint: env.AWS_ENDPOINT_URL ?? '',
      region: env.AWS_REGION ?? '',
      credentials: credentialsOf(env),
    })
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'org-logs' }))
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ['key'],
    )
    await client.send(new PutObjectCommand({ Bucket: 'org-staging', Key: 'x', Body: 'y' }))
    client.destroy()
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
  })
})
