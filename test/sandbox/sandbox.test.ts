import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import * as s3 from '@aws-sdk/client-s3'
import { client, clientFor, copy, fails, get, list, sandbox, start } from './client.ts'
import { FolderBackend } from './s3/folder.ts'
import { virtualLogs } from './s3/virtual-logs.ts'

describe('objects', () => {
  test('an archived object, and when it is restored', async () => {
    sandbox.s3.put('logs', 'cold', 'brr', { storageClass: 'GLACIER' })
    await fails(get('cold'), { status: 403, name: 'InvalidObjectState' })
    await fails(copy('cold'), { status: 403 })
    sandbox.s3.put('logs', 'cold', 'brr', { storageClass: 'GLACIER', restored: true })
    await copy('cold')
    assert.equal(sandbox.s3.head('staging', 'cold')?.storageClass, 'STANDARD')
  })

  test('over 5 GB only in parts', async () => {
    const size = 5 * 2 ** 30 + 1
    sandbox.s3.put('logs', 'big', size)
    await fails(copy('big'), { status: 400, name: 'InvalidRequest' })
    const at = { Bucket: 'staging', Key: 'big' }
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(at))
    const ranges = [`bytes=0-${2 ** 30 - 1}`, `bytes=${2 ** 30}-${size - 1}`]
    const Parts: s3.CompletedPart[] = []
    for (const [i, CopySourceRange] of ranges.entries()) {
      const input = { ...at, UploadId, PartNumber: i + 1, CopySource: 'logs/big', CopySourceRange }
      const { CopyPartResult } = await client.send(new s3.UploadPartCopyCommand(input))
      Parts.push({ PartNumber: i + 1, ETag: CopyPartResult?.ETag })
    }
    assert.deepEqual(sandbox.s3.unfinished('staging'), ['big'])
    await client.send(new s3.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }))
    assert.equal(sandbox.s3.head('staging', 'big')?.size, size)
    assert.deepEqual(sandbox.s3.unfinished('staging'), [])
  })

  test('what a copy says of its encryption and class', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    const SSEKMSKeyId = 'arn:aws:kms:us-east-1:111122223333:key/k1'
    const answer = await copy('a', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId, StorageClass: 'STANDARD_IA' })
    assert.equal(answer.SSEKMSKeyId, SSEKMSKeyId)
    const { encryption, storageClass, etag } = sandbox.s3.head('staging', 'a') ?? {}
    assert.deepEqual([encryption?.algorithm, storageClass], ['aws:kms', 'STANDARD_IA'])
    assert.notEqual(etag, sandbox.s3.head('logs', 'a')?.etag)
  })

  test('a bucket may encrypt with KMS by default', async () => {
    const keyId = 'arn:aws:kms:us-east-1:111122223333:key/k1'
    await start({ buckets: { logs: { encryption: { algorithm: 'aws:kms', keyId } } } })
    await client.send(new s3.PutObjectCommand({ Bucket: 'logs', Key: 'a', Body: 'x' }))
    assert.equal(sandbox.s3.head('logs', 'a')?.encryption.algorithm, 'aws:kms')
    await client.send(new s3.PutObjectCommand({ Bucket: 'logs', Key: 'b', Body: 'x', ServerSideEncryption: 'AES256' }))
    assert.equal(sandbox.s3.head('logs', 'b')?.encryption.algorithm, 'AES256')
  })
})

describe('requests that AWS would not understand', () => {
  afterEach(() => sandbox.violations.splice(0))

  // Through a middleware, because the client would not send them by itself.
  async function altered(
    change: (request: { headers: Record<string, string>; query: Record<string, string> }) => void,
  ) {
    const odd = clientFor(sandbox)
    odd.middlewareStack.add(
      (next) => (args) => {
        change(args.request as Parameters<typeof change>[0])
        return next(args)
      },
      { step: 'build' },
    )
    const asked = odd.send(new s3.ListObjectsV2Command({ Bucket: 'logs' })).finally(() => odd.destroy())
    await fails(asked, { status: 400, name: 'InvalidRequest' })
  }

  test('an unknown parameter', async () => {
    await altered(({ query }) => {
      query['starts-after'] = 'x'
    })
    assert.match(sandbox.violations.join(), /ListObjectsV2 request: query parameter starts-after is unknown/)
  })

  test('an unknown header', async () => {
    await altered(({ headers }) => {
      headers['x-amz-storage-class'] = 'STANDARD'
    })
    assert.match(sandbox.violations.join(), /header x-amz-storage-class is unknown/)
  })

  test('a value outside its enumeration', async () => {
    await altered(({ headers }) => {
      headers['x-amz-request-payer'] = 'me'
    })
    assert.match(sandbox.violations.join(), /x-amz-request-payer "me"/)
  })

  test('an operation that is not here', async () => {
    await fails(client.send(new s3.GetBucketPolicyCommand({ Bucket: 'logs' })), { status: 501 })
    assert.equal(sandbox.violations.length, 1)
  })
})

describe('a folder as a bucket', () => {
  let folder: string

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
    for (const key of ['a/1', 'a/b/2', 'a-b', 'a.c', 'z']) {
      mkdirSync(join(folder, dirname(key)), { recursive: true })
      writeFileSync(join(folder, key), key)
    }
    await start({ buckets: { logs: { backend: new FolderBackend(folder) }, staging: {} } })
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  test('is listed in the order of keys and read', async () => {
    const { Contents } = await list()
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ['a-b', 'a.c', 'a/1', 'a/b/2', 'z'],
    )
    assert.equal(await (await get('a/b/2')).Body?.transformToString(), 'a/b/2')
    await copy('a/1')
    assert.equal((await sandbox.s3.get('staging', 'a/1')).toString(), 'a/1')
    await fails(get('a'), { status: 404 })
  })

  test('shows what is added', async () => {
    writeFileSync(join(folder, 'a', '0'), 'new')
    assert.equal((await list({ StartAfter: 'a/' })).Contents?.[0]?.Key, 'a/0')
  })

  test('is not written', async () => {
    await fails(client.send(new s3.PutObjectCommand({ Bucket: 'logs', Key: 'x', Body: 'x' })), { status: 403 })
  })
})

describe('a bucket of millions of keys', () => {
  const regions = ['us-east-1', 'eu-west-1', 'us-west-2', 'ap-south-1']
  const services = ['CloudTrail', 'WAFLogs', 'vpcflowlogs', 'Config'] as const
  const organization = 'o-exampleorg1'

  beforeEach(() =>
    start({
      buckets: {
        logs: { backend: virtualLogs({ organization, accounts: 20, regions, from: '2026-08-25', days: 90, services }) },
      },
    }),
  )

  test('is descended by delimiter', async () => {
    const folders = async (Prefix: string) =>
      (await list({ Prefix, Delimiter: '/' })).CommonPrefixes?.map((p) => p.Prefix?.slice(Prefix.length))
    assert.equal((await folders(`AWSLogs/${organization}/`))?.length, 20)
    const account = `AWSLogs/${organization}/100000000000/`
    assert.deepEqual(await folders(account), ['CloudTrail/', 'Config/', 'WAFLogs/', 'vpcflowlogs/'])
    assert.deepEqual(await folders(`${account}CloudTrail/us-east-1/2026/`), ['08/', '09/', '10/', '11/'])
    assert.deepEqual(await folders(`${account}Config/us-east-1/2026/`), ['10/', '11/', '8/', '9/'])
  })

  test('is read from the middle, and its objects are as large as the listing says', async () => {
    const day = `AWSLogs/${organization}/100000000000/CloudTrail/eu-west-1/2026/11/20/`
    const head = `${day}100000000000_CloudTrail_eu-west-1_20261120T`
    const { Contents = [] } = await list({ Prefix: day, StartAfter: `${head}1200`, MaxKeys: 3 })
    assert.ok(Contents[0]?.Key?.startsWith(`${head}1200Z_`))
    const [object] = Contents
    const bytes = (await (await get(object?.Key ?? '')).Body?.transformToByteArray()) ?? new Uint8Array()
    assert.equal(bytes.length, object?.Size)
    const { Records } = JSON.parse(gunzipSync(bytes).toString()) as { Records: { eventTime: string }[] }
    assert.deepEqual(
      Records.map((r) => r.eventTime),
      ['2026-11-20T11:56:00Z', '2026-11-20T11:57:00Z', '2026-11-20T11:58:00Z'],
    )
  })

  for (const service of services)
    test(`keys of ${service} are in order and found one by one`, () => {
      const prefix = `AWSLogs/${organization}/100000000000/${service}/eu-west-1/`
      const backend = sandbox.s3.state.bucket('logs').backend
      let [before, count] = ['', 0]
      for (const { key, size } of backend.scan(prefix, '')) {
        if (count++ > 500) break
        assert.ok(Buffer.compare(Buffer.from(before), Buffer.from(key)) < 0, `${before} before ${key}`)
        if (count % 50 === 1) assert.equal(backend.get(key)?.size, size)
        before = key
      }
      assert.ok(count > 100)
    })
})
