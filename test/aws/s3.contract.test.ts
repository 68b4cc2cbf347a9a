import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type Sandbox, startSandbox } from './start.ts'

/**
 * What any S3 does, asked through the real client. Runs against the sandbox, or against the server that
 * PRESTAGE_TEST_S3_ENDPOINT names, so that the sandbox is not its own judge.
 */
const elsewhere = process.env.PRESTAGE_TEST_S3_ENDPOINT
const Bucket = `contract-${randomBytes(4).toString('hex')}`

/** What moto 5.2 does otherwise than S3; skipped there, with the reason. */
const unlessMoto = (why: string) => ({ skip: elsewhere !== undefined && `moto ${why}` })

let sandbox: Sandbox | undefined
let client: s3.S3Client

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

const put = (Key: string, Body: string | Buffer, more: Partial<s3.PutObjectCommandInput> = {}) =>
  client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...more }))

async function body(Key: string, more: Partial<s3.GetObjectCommandInput> = {}): Promise<string> {
  const answer = await client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }))
  return (await answer.Body?.transformToString()) ?? ''
}

const list = (Prefix: string, more: Partial<s3.ListObjectsV2CommandInput> = {}) =>
  client.send(new s3.ListObjectsV2Command({ Bucket, Prefix, ...more }))

const keys = (answer: s3.ListObjectsV2CommandOutput): string[] => (answer.Contents ?? []).map(({ Key }) => Key ?? '')
const groups = (answer: s3.ListObjectsV2CommandOutput): string[] =>
  (answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? '')

const fails = (asked: Promise<unknown>, status: number, name?: string): Promise<void> =>
  assert.rejects(asked, (error: s3.S3ServiceException) => {
    assert.equal(error.$metadata?.httpStatusCode, status, `${error.name}: ${error.message}`)
    if (name !== undefined) assert.equal(error.name, name)
    return true
  })

const md5 = (data: Buffer | string): string => createHash('md5').update(data).digest('hex')

const ODD_KEYS = [
  'plain',
  'with space',
  'plus+sign',
  'per%cent',
  'per%2Fcent',
  'comma,quote"apostrophe\'',
  'ampersand&lt<gt>',
  'line\nfeed',
  'tab\tstop',
  'umlaut-ä-日本-😀',
  'back\\slash`tick',
  'a//b/./c/../d',
  'question?mark#hash',
  'colon::AWS::Config',
  '~tilde!(star)*',
]

describe('objects', () => {
  test('what was put is got', async () => {
    const answer = await put('a/put', 'hello', { ContentType: 'text/plain', Metadata: { one: '1' } })
    assert.equal(answer.ETag, `"${md5('hello')}"`)
    const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'a/put' }))
    assert.equal(await got.Body?.transformToString(), 'hello')
    assert.equal(got.ContentType, 'text/plain')
    assert.equal(got.ContentLength, 5)
    assert.equal(got.ETag, `"${md5('hello')}"`)
    assert.deepEqual(got.Metadata, { one: '1' })
  })

  test('a head says the same without the bytes', async () => {
    await put('a/head', 'hello', { StorageClass: 'STANDARD_IA' })
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'a/head' }))
    assert.equal(head.ContentLength, 5)
    assert.equal(head.ETag, `"${md5('hello')}"`)
    assert.equal(head.StorageClass, 'STANDARD_IA')
    assert.ok(head.LastModified && Math.abs(head.LastModified.getTime() - Date.now()) < 60_000)
  })

  for (const [range, expected] of [
    ['bytes=0-4', '01234'],
    ['bytes=5-', '56789'],
    ['bytes=-3', '789'],
    ['bytes=8-100', '89'],
  ] as const)
    test(`range ${range}`, async () => {
      await put('a/range', '0123456789')
      assert.equal(await body('a/range', { Range: range }), expected)
    })

  test('a range behind the end', async () => {
    await put('a/range', '0123456789')
    await fails(body('a/range', { Range: 'bytes=10-' }), 416, 'InvalidRange')
  })

  test('nothing there', async () => {
    await fails(body('a/nothing'), 404, 'NoSuchKey')
    await fails(client.send(new s3.HeadObjectCommand({ Bucket, Key: 'a/nothing' })), 404, 'NotFound')
    const wrong = { Bucket: 'no-such-bucket-of-ours', Key: 'x' }
    await fails(client.send(new s3.GetObjectCommand(wrong)), 404, 'NoSuchBucket')
    await fails(client.send(new s3.ListObjectsV2Command({ Bucket: wrong.Bucket })), 404, 'NoSuchBucket')
  })

  test('reads under a condition', async () => {
    const { ETag } = await put('a/if', 'one')
    assert.equal(await body('a/if', { IfMatch: ETag }), 'one')
    await fails(body('a/if', { IfMatch: '"0123"' }), 412, 'PreconditionFailed')
    await fails(body('a/if', { IfNoneMatch: ETag }), 304)
  })

  test('writes under a condition', async () => {
    const { ETag } = await put('a/cond', 'one', { IfNoneMatch: '*' })
    await fails(put('a/cond', 'two', { IfNoneMatch: '*' }), 412, 'PreconditionFailed')
    await fails(put('a/cond', 'two', { IfMatch: '"0123"' }), 412, 'PreconditionFailed')
    await put('a/cond', 'three', { IfMatch: ETag })
    assert.equal(await body('a/cond'), 'three')
  })

  test('a stream of unknown checksum goes up in chunks with a trailer', async () => {
    const data = randomBytes(300_000)
    await put('a/stream', '', {
      Body: Readable.from([data.subarray(0, 100_000), data.subarray(100_000)]),
      ContentLength: data.length,
    })
    assert.equal(md5(Buffer.from(await body('a/stream').then(() => getBytes('a/stream')))), md5(data))
  })

  for (const algorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)
    test(`checksum ${algorithm} is kept`, async () => {
      const answer = await put(`a/${algorithm}`, 'summed', { ChecksumAlgorithm: algorithm })
      const field = `Checksum${algorithm}` as const
      const head = await client.send(
        new s3.HeadObjectCommand({ Bucket, Key: `a/${algorithm}`, ChecksumMode: 'ENABLED' }),
      )
      assert.equal(head[field], answer[field])
      assert.ok(head[field])
    })

  test('deleted, and deleted again', async () => {
    await put('a/gone', 'x')
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'a/gone' }))
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'a/gone' }))
    await fails(body('a/gone'), 404, 'NoSuchKey')
  })
})

const getBytes = async (Key: string): Promise<Uint8Array> => {
  const answer = await client.send(new s3.GetObjectCommand({ Bucket, Key }))
  return (await answer.Body?.transformToByteArray()) ?? new Uint8Array()
}

describe('odd keys', () => {
  const storable = ODD_KEYS.filter((key) => elsewhere === undefined || !key.includes('\n')) // moto answers 404

  for (const key of storable) {
    test(`${JSON.stringify(key)} is got and copied`, async () => {
      await put(`odd/${key}`, key)
      assert.equal(await body(`odd/${key}`), key)
      const CopySource = `${Bucket}/${encodeURIComponent(`odd/${key}`)}`
      await client.send(new s3.CopyObjectCommand({ Bucket, Key: `copied/${key}`, CopySource }))
      assert.equal(await body(`copied/${key}`), key)
    })
  }

  test('listed in the order of their bytes', async () => {
    const expected = storable.map((key) => `odd/${key}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(keys(await list('odd/')), expected)
  })

  test('listed with encoding-type=url', async () => {
    const found = keys(await list('odd/', { EncodingType: 'url' }))
    const decoded = found.map((key) => decodeURIComponent(key.replaceAll('+', ' ')))
    assert.deepEqual(new Set(decoded), new Set(storable.map((key) => `odd/${key}`)))
    assert.ok(found.every((key) => /^[\x21-\x7e]+$/.test(key)))
  })

  test('deleted together', async () => {
    const Objects = storable.map((key) => ({ Key: `odd/${key}` }))
    const answer = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    assert.deepEqual(answer.Errors ?? [], [])
    assert.equal(answer.Deleted?.length, storable.length)
    assert.deepEqual(keys(await list('odd/')), [])
  })
})

describe('listing', () => {
  const KEYS = ['l/a', 'l/b/1', 'l/b/2', 'l/b_x/1', 'l/c', 'l/d/e/1', 'l/d/e/2', 'l/z']

  before(async () => {
    for (const key of KEYS) await put(key, 'x')
  })

  test('prefix', async () => assert.deepEqual(keys(await list('l/b')), ['l/b/1', 'l/b/2', 'l/b_x/1']))

  test('delimiter', async () => {
    const answer = await list('l/', { Delimiter: '/' })
    assert.deepEqual(keys(answer), ['l/a', 'l/c', 'l/z'])
    assert.deepEqual(groups(answer), ['l/b/', 'l/b_x/', 'l/d/'])
    assert.equal(answer.KeyCount, 6)
  })

  test('any text as delimiter', async () => {
    const answer = await list('l/b', { Delimiter: '_' })
    assert.deepEqual(keys(answer), ['l/b/1', 'l/b/2'])
    assert.deepEqual(groups(answer), ['l/b_'])
  })

  for (const [after, expected] of [
    ['l/a', 7],
    ['l/b/1', 6],
    ['l/b/', 7],
    ['l/cc', 3],
    ['l/z', 0],
    ['k', 8],
  ] as const)
    test(`start after ${after}`, async () =>
      assert.equal(keys(await list('l/', { StartAfter: after })).length, expected))

  test('start after with delimiter leaves out earlier groups', async () => {
    const answer = await list('l/', { Delimiter: '/', StartAfter: 'l/b_' })
    assert.deepEqual([...keys(answer), ...groups(answer)], ['l/c', 'l/z', 'l/b_x/', 'l/d/'])
  })

  for (const delimiter of [undefined, '/'])
    for (const size of [1, 2, 3])
      test(`pages of ${size} ${delimiter ? 'with a delimiter' : ''}`, async () => {
        const all = await list('l/', { Delimiter: delimiter })
        const found: string[] = []
        let token: string | undefined
        do {
          const page = await list('l/', { Delimiter: delimiter, MaxKeys: size, ContinuationToken: token })
          assert.ok((page.KeyCount ?? 0) <= size)
          found.push(...keys(page), ...groups(page))
          token = page.NextContinuationToken
          assert.equal(page.IsTruncated, token !== undefined)
        } while (token !== undefined)
        assert.deepEqual(found.sort(), [...keys(all), ...groups(all)].sort())
      })

  test('what it says of an object', async () => {
    const [object] = (await list('l/a', { FetchOwner: true })).Contents ?? []
    assert.equal(object?.Size, 1)
    assert.equal(object?.ETag, `"${md5('x')}"`)
    assert.equal(object?.StorageClass, 'STANDARD')
    assert.ok(object?.Owner?.ID)
  })

  test('no key of that prefix', async () => {
    const answer = await list('nothing/')
    assert.equal(answer.KeyCount, 0)
    assert.equal(answer.IsTruncated, false)
  })
})

describe('copying', () => {
  const copy = (Key: string, from: string, more: Partial<s3.CopyObjectCommandInput> = {}) =>
    client.send(new s3.CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${encodeURIComponent(from)}`, ...more }))

  before(async () => {
    await put('c/from', 'copied', { Metadata: { a: 'b' }, ContentType: 'text/x-log', Tagging: 'team=sec' })
  })

  test('takes metadata along', async () => {
    const answer = await copy('c/to', 'c/from')
    assert.equal(answer.CopyObjectResult?.ETag, `"${md5('copied')}"`)
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'c/to' }))
    assert.deepEqual(head.Metadata, { a: 'b' })
    assert.equal(head.ContentType, 'text/x-log')
  })

  const tagCount = async (Key: string): Promise<number> => {
    const { TagSet } = await client.send(new s3.GetObjectTaggingCommand({ Bucket, Key }))
    return TagSet?.length ?? 0
  }

  test('takes tags along, unless told to replace them', async () => {
    await copy('c/tags', 'c/from')
    assert.equal(await tagCount('c/tags'), 1)
    await copy('c/no-tags', 'c/from', { TaggingDirective: 'REPLACE' })
    assert.equal(await tagCount('c/no-tags'), 0)
  })

  test('replaces metadata', async () => {
    await copy('c/meta', 'c/from', { MetadataDirective: 'REPLACE', Metadata: { c: 'd' } })
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'c/meta' }))
    assert.deepEqual(head.Metadata, { c: 'd' })
  })

  test('only the version that is meant', unlessMoto('ignores CopySourceIfMatch'), async () => {
    await copy('c/if', 'c/from', { CopySourceIfMatch: `"${md5('copied')}"` })
    await fails(copy('c/if', 'c/from', { CopySourceIfMatch: `"${md5('other')}"` }), 412, 'PreconditionFailed')
  })

  test('not over what is there, when asked', unlessMoto('ignores IfNoneMatch of a copy'), async () => {
    await copy('c/once', 'c/from', { IfNoneMatch: '*' })
    await fails(copy('c/once', 'c/from', { IfNoneMatch: '*' }), 412, 'PreconditionFailed')
  })

  test('from nowhere', () => fails(copy('c/to', 'c/nothing'), 404, 'NoSuchKey'))

  test('onto itself', () => fails(copy('c/from', 'c/from'), 400, 'InvalidRequest'))

  test('from an archive', async () => {
    await put('c/cold', 'brr', { StorageClass: 'GLACIER' })
    await fails(copy('c/warm', 'c/cold'), 403)
    await fails(body('c/cold'), 403, 'InvalidObjectState')
  })
})

describe('multipart', () => {
  const MIB = 2 ** 20
  const start = async (Key: string): Promise<string> => {
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }))
    return UploadId ?? ''
  }
  const part = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer) => {
    const { ETag } = await client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
    return { PartNumber, ETag }
  }
  const complete = (Key: string, UploadId: string, Parts: s3.CompletedPart[]) =>
    client.send(new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))

  test('parts become an object', async () => {
    const [Key, one, two] = ['m/two', randomBytes(5 * MIB), randomBytes(1000)]
    const id = await start(Key)
    const parts = [await part(Key, id, 1, one), await part(Key, id, 2, two)]
    const listed = await client.send(new s3.ListPartsCommand({ Bucket, Key, UploadId: id }))
    assert.deepEqual(
      listed.Parts?.map(({ Size }) => Size),
      [one.length, two.length],
    )
    const answer = await complete(Key, id, parts)
    const digest = md5(Buffer.concat([one, two].map((p) => createHash('md5').update(p).digest())))
    assert.equal(answer.ETag, `"${digest}-2"`)
    assert.equal(md5(Buffer.from(await getBytes(Key))), md5(Buffer.concat([one, two])))
    const second = await client.send(new s3.HeadObjectCommand({ Bucket, Key, PartNumber: 2 }))
    assert.equal(second.ContentLength, two.length)
  })

  test('parts copied from ranges', async () => {
    const [Key, data] = ['m/copied', randomBytes(6 * MIB)]
    await put('m/source', data)
    const UploadId = await start(Key)
    const parts: s3.CompletedPart[] = []
    for (const [i, range] of [`bytes=0-${5 * MIB - 1}`, `bytes=${5 * MIB}-${data.length - 1}`].entries()) {
      const input = {
        Bucket,
        Key,
        UploadId,
        PartNumber: i + 1,
        CopySource: `${Bucket}/m/source`,
        CopySourceRange: range,
      }
      const { CopyPartResult } = await client.send(new s3.UploadPartCopyCommand(input))
      parts.push({ PartNumber: i + 1, ETag: CopyPartResult?.ETag })
    }
    await complete(Key, UploadId, parts)
    assert.equal(md5(Buffer.from(await getBytes(Key))), md5(data))
  })

  test('a part too small', async () => {
    const [Key, small] = ['m/small', Buffer.from('x')]
    const id = await start(Key)
    const parts = [await part(Key, id, 1, small), await part(Key, id, 2, small)]
    await fails(complete(Key, id, parts), 400, 'EntityTooSmall')
  })

  test('a part that is not there', async () => {
    const id = await start('m/missing')
    await part('m/missing', id, 1, Buffer.from('x'))
    await fails(complete('m/missing', id, [{ PartNumber: 2, ETag: '"0"' }]), 400, 'InvalidPart')
  })

  test('aborted', unlessMoto('answers 500 to a part of an aborted upload'), async () => {
    const UploadId = await start('m/aborted')
    await client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key: 'm/aborted', UploadId }))
    await fails(part('m/aborted', UploadId, 1, Buffer.from('x')), 404, 'NoSuchUpload')
  })
})

describe('buckets', () => {
  test('are listed', async () => {
    const { Buckets } = await client.send(new s3.ListBucketsCommand({}))
    assert.ok(Buckets?.some(({ Name }) => Name === Bucket))
  })

  test('tell their region', async () => {
    const { BucketRegion } = await client.send(new s3.HeadBucketCommand({ Bucket }))
    assert.equal(BucketRegion, 'us-east-1')
    const { LocationConstraint } = await client.send(new s3.GetBucketLocationCommand({ Bucket }))
    assert.equal(LocationConstraint ?? '', '')
  })

  test('are not there', () => fails(client.send(new s3.HeadBucketCommand({ Bucket: 'no-such-bucket-of-ours' })), 404))
})
