import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { AwsError, collect, type Incoming } from '../http.ts'
import { checksum, readUpload } from './body.ts'
import { bufferContent, joinContents, sliceContent, zeroContent } from './content.ts'
import { afterKey, afterPrefix, compareKeys, urlEncoded } from './keys.ts'
import { listPage } from './list.ts'
import { MemoryBackend } from './memory.ts'
import { plain } from './stored.ts'
import { gzipOfSize } from './virtual.ts'

const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 })
const short = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '_', 'é', '\u{ffff}', '😀'),
  minLength: 1,
  maxLength: 6,
})

describe('keys', () => {
  test('the order of UTF-8', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        assert.equal(Math.sign(compareKeys(a, b)), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
      }),
    )
  })

  test('what comes after a key, and after all of a prefix', () => {
    fc.assert(
      fc.property(short, short, (prefix, rest) => {
        assert.ok(compareKeys(afterKey(prefix), prefix) > 0)
        const after = afterPrefix(prefix)
        if (after !== undefined) assert.ok(compareKeys(after, prefix + rest) > 0)
        if (after !== undefined && !rest.startsWith(prefix) && compareKeys(rest, prefix) > 0)
          assert.ok(compareKeys(after, rest) <= 0)
      }),
    )
  })

  test('URL encoding', () => assert.equal(urlEncoded("a/b c+d%é'(1)~*"), 'a/b+c%2Bd%25%C3%A9%27%281%29%7E*'))
})

describe('listing', () => {
  test('pages of any size say what one page says, and a plain loop', () => {
    const request = fc.record({
      prefix: fc.constantFrom('', 'a', 'a/'),
      delimiter: fc.constantFrom('', '/', '_'),
      most: fc.integer({ min: 1, max: 4 }),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(short, { maxLength: 30 }),
        request,
        short,
        (keys, { prefix, delimiter, most }, after) => {
          const backend = new MemoryBackend()
          for (const one of keys)
            backend.put({
              ...plain,
              key: one,
              content: bufferContent(Buffer.alloc(0)),
              size: 0,
              etag: '',
              modified: new Date(),
            })
          const found: string[] = []
          for (let from: string | undefined = afterKey(after); from !== undefined; ) {
            const page = listPage(backend, { prefix, delimiter, most, from, after })
            assert.ok(page.entries.length + page.prefixes.length <= most)
            found.push(...page.entries.map((e) => e.key), ...page.prefixes)
            from = page.next
          }
          const rolled = keys.flatMap((one) => {
            if (!one.startsWith(prefix) || compareKeys(one, after) <= 0) return []
            const at = delimiter === '' ? -1 : one.indexOf(delimiter, prefix.length)
            return at < 0 ? [one] : [one.slice(0, at + 1)].filter((group) => compareKeys(group, after) > 0)
          })
          assert.deepEqual(found.sort(), [...new Set(rolled)].sort())
        },
      ),
    )
  })
})

describe('contents', () => {
  test('slices and joins', async () => {
    const bytes = Buffer.from('0123456789')
    const joined = joinContents([sliceContent(bufferContent(bytes), 2, 5), zeroContent(2), bufferContent(bytes)])
    const all = Buffer.concat([Buffer.from('234'), Buffer.alloc(2), bytes])
    for (const [from, to] of [
      [0, 15],
      [1, 4],
      [4, 8],
      [14, 15],
      [3, 3],
    ] as const)
      assert.deepEqual(await collect(joined.read(from, to)), all.subarray(from, to))
  })

  test('gzip of a size', () => {
    for (const size of [100, 65_558, 65_559, 65_560, 200_000]) {
      const bytes = gzipOfSize('{"Records":[]}', size)
      assert.equal(bytes.length, size)
      assert.equal(gunzipSync(bytes).toString().trim(), '{"Records":[]}')
    }
    assert.throws(() => gzipOfSize('x'.repeat(100), 50))
  })
})

describe('uploads', () => {
  function upload(raw: string, headers: Record<string, string>) {
    const bytes = Buffer.from(raw)
    const request: Incoming = {
      method: 'PUT',
      host: '',
      path: '/b/k',
      query: new Map(),
      parameters: [],
      headers: { 'content-length': String(bytes.length), ...headers },
      body: Readable.from([bytes]),
      bytes: async () => bytes,
      payloadHash: () => '',
      scope: undefined,
    }
    return readUpload(request)
  }

  const fails = (asked: Promise<unknown>, code: string) =>
    assert.rejects(asked, (error) => error instanceof AwsError && error.code === code)
  const streaming = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
  const trailer = { ...streaming, 'x-amz-trailer': 'x-amz-checksum-crc32' }
  const crc = checksum('CRC32', Buffer.from('hello'))

  test('chunks and trailer', async () => {
    const { bytes, checksums } = await upload(
      `2\r\nhe\r\n3;chunk-signature=0\r\nllo\r\n0\r\nx-amz-checksum-crc32:${crc}\r\n\r\n`,
      {
        ...trailer,
        'x-amz-decoded-content-length': '5',
      },
    )
    assert.equal(bytes.toString(), 'hello')
    assert.deepEqual(checksums, { crc32: crc })
  })

  test('checksums of RFC 3720 and of the standard check value', () => {
    assert.equal(Buffer.from(checksum('CRC32', Buffer.from('123456789')), 'base64').toString('hex'), 'cbf43926')
    assert.equal(Buffer.from(checksum('CRC32C', Buffer.from('123456789')), 'base64').toString('hex'), 'e3069283')
    assert.throws(() => checksum('CRC64NVME', Buffer.alloc(0)), AwsError)
  })

  test('what is wrong', async () => {
    await fails(upload('5\r\nhel', { ...streaming }), 'IncompleteBody')
    await fails(
      upload('5\r\nhello\r\n0\r\n\r\n', { ...streaming, 'x-amz-decoded-content-length': '6' }),
      'IncompleteBody',
    )
    await fails(upload('5\r\nhello\r\n0\r\n\r\n', trailer), 'MalformedTrailerError')
    await fails(upload('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', trailer), 'BadDigest')
    await fails(upload('hello', { 'x-amz-checksum-sha256': 'AAAA' }), 'BadDigest')
    await fails(upload('hello', { 'content-md5': 'AAAA' }), 'BadDigest')
    await fails(upload('hello', { 'x-amz-content-sha256': '0'.repeat(64) }), 'XAmzContentSHA256Mismatch')
  })
})
