import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { Bucket, body, client, fails, getBytes, md5, put, unless } from './contract.ts'

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

  test('only the version that is meant', unless({ moto: 'ignores CopySourceIfMatch' }), async () => {
    await copy('c/if', 'c/from', { CopySourceIfMatch: `"${md5('copied')}"` })
    await fails(copy('c/if', 'c/from', { CopySourceIfMatch: `"${md5('other')}"` }), 412, 'PreconditionFailed')
  })

  test(
    'not over what is there, when asked',
    unless({ moto: 'ignores IfNoneMatch of a copy', versitygw: 'ignores IfNoneMatch of a copy' }),
    async () => {
      await copy('c/once', 'c/from', { IfNoneMatch: '*' })
      await fails(copy('c/once', 'c/from', { IfNoneMatch: '*' }), 412, 'PreconditionFailed')
    },
  )

  test('from nowhere', () => fails(copy('c/to', 'c/nothing'), 404, 'NoSuchKey'))

  test('onto itself', () => fails(copy('c/from', 'c/from'), 400, 'InvalidRequest'))

  test('from an archive', unless({ versitygw: 'has no storage classes' }), async () => {
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

  test('aborted', unless({ moto: 'answers 500 to a part of an aborted upload' }), async () => {
    const UploadId = await start('m/aborted')
    await client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key: 'm/aborted', UploadId }))
    await fails(part('m/aborted', UploadId, 1, Buffer.from('x')), 404, 'NoSuchUpload')
  })
})
