import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { s3Store } from '../../../scripts/lib/stores/s3.ts'
import { ConditionFailed, type Store } from '../../../scripts/lib/stores/store.ts'
import { internalError, slowDown } from '../../sandbox/faults.ts'
import { startWithKeys } from './s3-server.ts'

let sandbox: Awaited<ReturnType<typeof startWithKeys>>
let store: Store

beforeEach(async () => {
  sandbox = await startWithKeys({ buckets: { logs: {} } })
  store = await s3Store({ bucket: 'logs', prefix: '' }, sandbox.settings)
})

afterEach(async () => {
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

async function keysOf(listing: AsyncIterable<{ key: string }>): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of listing) found.push(key)
  return found
}

/** Zero-filled names, so that their order is that of the numbers. */
const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${String(n).padStart(5, '0')}`)

describe('listing', () => {
  it('asks for no page more than is read', async () => {
    const keys = numbered(2500)
    for (const key of keys) sandbox.s3.put('logs', key, 1)
    assert.deepEqual(await keysOf(store.list()), keys)
    assert.equal(store.listRequests, 3)
    let read = 0
    for await (const _ of store.list()) if (++read === 1000) break
    assert.deepEqual([store.listRequests, sandbox.requests.of('ListObjectsV2')], [4, 4])
    assert.deepEqual(await keysOf(store.list({ startAfter: 'k02400' })), keys.slice(2401))
    assert.equal(store.listRequests, 5)
  })

  it('groups of many pages', async () => {
    const groups = numbered(1200).map((name) => `${name}/`)
    for (const group of groups) sandbox.s3.put('logs', `${group}x`, 1)
    assert.deepEqual(await store.prefixes(), groups)
    assert.equal(store.listRequests, 2)
  })

  it('says what a listing tells of an object, and leaves out the one that stands for the folder', async () => {
    const modified = new Date('2026-11-20T01:02:03.000Z')
    sandbox.s3.put('logs', 'a/', '')
    sandbox.s3.put('logs', 'a/b', 'x', { storageClass: 'GLACIER', modified, etag: 'e' })
    const found = []
    for await (const info of store.within('a/').list()) found.push(info)
    assert.deepEqual(found, [{ key: 'b', size: 1, etag: 'e', modified, storageClass: 'GLACIER' }])
  })

  for (const [what, fault] of [
    ['throttled', { error: slowDown }],
    ['failing', { error: internalError }],
    ['cut off', { cut: { bytes: 2000 } }],
    ['unanswered', { cut: 'before' as const }],
  ] as const)
    it(`${what} at times gets there`, async () => {
      const keys = numbered(1500)
      for (const key of keys) sandbox.s3.put('logs', key, 1)
      sandbox.faults.add({ operation: 'ListObjectsV2', nth: 2, times: 1, ...fault })
      assert.deepEqual(await keysOf(store.list()), keys)
    })

  it('ends when it is told to', async () => {
    const controller = new AbortController()
    const stoppable = await s3Store({ bucket: 'logs', prefix: '' }, { ...sandbox.settings, signal: controller.signal })
    for (const key of numbered(1500)) sandbox.s3.put('logs', key, 1)
    sandbox.faults.add({ operation: 'ListObjectsV2', nth: 2, delay: 1500 })
    const listing = keysOf(stoppable.list())
    while (sandbox.requests.of('ListObjectsV2') < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    controller.abort()
    await assert.rejects(listing, { name: 'AbortError' })
    // What a stopped step still has to say.
    await stoppable.write('run.json', '{}')
    assert.equal(await store.text('run.json'), '{}')
  })
})

describe('reading', () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31) % 251))
  beforeEach(() => void sandbox.s3.put('logs', 'a', bytes))

  it('goes on where the connection broke', async () => {
    const cuts = sandbox.faults.add({ operation: 'GetObject', times: 4, cut: { bytes: 30_000 } })
    assert.deepEqual(await buffer(await store.read('a')), bytes)
    assert.equal(cuts.struck(), 4)
    sandbox.faults.add({ operation: 'GetObject', times: 1, cut: { bytes: 10_000 } })
    assert.deepEqual(await buffer(await store.read('a', { start: 7, end: 150_000 })), bytes.subarray(7, 150_001))
  })

  it('never mixes two versions', async () => {
    sandbox.faults.add({ operation: 'GetObject', times: 1, cut: { bytes: 30_000 } })
    const stream = await store.read('a')
    sandbox.s3.put('logs', 'a', Buffer.from(bytes).reverse())
    await assert.rejects(buffer(stream), ConditionFailed)
  })

  it('of what is deleted meanwhile fails at once', { timeout: 10_000 }, async () => {
    sandbox.faults.add({ operation: 'GetObject', times: 1, cut: { bytes: 30_000 } })
    const stream = await store.read('a')
    sandbox.s3.delete('logs', 'a')
    await assert.rejects(buffer(stream), { name: 'UserError', message: 's3://logs/a was deleted while it was read' })
  })

  it('gives up where no byte comes', async () => {
    let asked = 0
    const server = createServer((request, response) => {
      if (request.method === 'HEAD') return response.end()
      asked++
      response.writeHead(200, { 'content-length': 10, etag: '"e"' }).flushHeaders()
      setTimeout(() => response.destroy(), 5)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const mute = await s3Store({ bucket: 'mute', prefix: '' }, { endpointUrl, awsRegion: 'us-east-1' })
    const message = /^s3:\/\/mute\/a: AWS could not be reached \(ECONNRESET/
    await assert.rejects(buffer(await mute.read('a')), { name: 'UserError', message })
    assert.equal(asked, 7)
    server.close()
  })

  it('that is left off lets go of the connection', async () => {
    sandbox.s3.put('logs', 'huge', 2 ** 30)
    const stream = await store.read('huge')
    for await (const _ of stream) break
    assert.ok(stream.destroyed)
    assert.deepEqual(await buffer(await store.read('a')), bytes)
  })
})

describe('writing', () => {
  it('knows its own first try, whose answer was lost', async () => {
    sandbox.faults.add({ operation: 'PutObject', times: 1, cut: 'after' })
    await store.write('a', 'mine', { ifAbsent: true })
    sandbox.faults.add({ operation: 'PutObject', times: 1, cut: 'after' })
    const { etag = '' } = (await store.head('a')) ?? {}
    const { etag: second } = await store.write('a', 'mine too', { ifMatch: etag })
    assert.deepEqual([second, await store.text('a')], [(await store.head('a'))?.etag, 'mine too'])
    sandbox.faults.add({ operation: 'PutObject', times: 1, cut: 'before' })
    await assert.rejects(store.write('a', 'late', { ifAbsent: true }), ConditionFailed)
  })

  const MIB = 2 ** 20
  const long = (mebibytes: number, fail = false) =>
    Readable.from(
      (function* () {
        for (let n = 0; n < mebibytes; n++) yield Buffer.alloc(MIB, n)
        if (fail) throw new Error('the source broke')
      })(),
    )

  it('puts a long stream in parts', async () => {
    const { size, etag } = await store.write('a', long(40), { sse: 'AES256', ifAbsent: true })
    assert.deepEqual([size, etag], [40 * MIB, sandbox.s3.head('logs', 'a')?.etag])
    assert.match(etag ?? '', /-5$/)
    assert.deepEqual(await buffer(await store.read('a')), await buffer(long(40)))
    assert.equal(sandbox.requests.of('UploadPart'), 5)
  })

  it('leaves no part behind when it fails', async () => {
    await assert.rejects(store.write('a', long(40, true)), /the source broke/)
    await store.write('a', 'there first')
    await assert.rejects(store.write('a', long(20), { ifAbsent: true }), ConditionFailed)
    sandbox.s3.deny({ action: 's3:PutObject' })
    await assert.rejects(store.write('a', long(20)), { name: 'UserError', exitCode: 4 })
    assert.deepEqual(sandbox.s3.unfinished('logs'), [])
    assert.equal(await store.text('a'), 'there first')
  })

  for (const algorithm of ['AES256', 'aws:kms'] as const)
    it(`in parts knows its own first try, too: ${algorithm}`, async () => {
      sandbox.s3.create('other', { encryption: { algorithm } })
      const other = await s3Store({ bucket: 'other', prefix: '' }, sandbox.settings)
      sandbox.faults.add({ operation: 'CompleteMultipartUpload', times: 1, cut: 'after' })
      const { size, etag } = await other.write('a', long(20), { ifAbsent: true })
      assert.deepEqual([size, etag], [20 * MIB, sandbox.s3.head('other', 'a')?.etag])
      // Somebody else's is none of ours, whatever is in it.
      sandbox.faults.add({ operation: 'CompleteMultipartUpload', times: 1, cut: 'before' })
      await assert.rejects(other.write('a', long(20), { ifAbsent: true }), ConditionFailed)
      assert.deepEqual(sandbox.s3.unfinished('other'), [])
    })

  it("encrypts as the bucket does, or with S3's own keys", async () => {
    const keyId = 'arn:aws:kms:us-east-1:111122223333:key/k1'
    sandbox.s3.create('staging', { encryption: { algorithm: 'aws:kms', keyId } })
    const staging = await s3Store({ bucket: 'staging', prefix: 'run' }, sandbox.settings)
    await staging.write('ledger', '{}')
    await staging.write('manifest', 'x', { sse: 'AES256' })
    const algorithms = ['ledger', 'manifest'].map((k) => sandbox.s3.head('staging', `run/${k}`)?.encryption.algorithm)
    assert.deepEqual(algorithms, ['aws:kms', 'AES256'])
  })
})
