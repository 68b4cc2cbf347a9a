import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { client, clientFor, copy, fails, get, list, sandbox, start } from './client.ts'
import { expiredToken, internalError, slowDown } from './faults.ts'
import { type Credentials, defaultCredentials } from './identity.ts'

describe('faults and counters', () => {
  test('requests are counted by operation', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    await Promise.all([get('a'), get('a'), list()])
    assert.deepEqual(sandbox.requests.all(), { GetObject: 2, ListObjectsV2: 1 })
    assert.ok(sandbox.requests.mostInFlight() >= 1)
    sandbox.requests.reset()
    assert.equal(sandbox.requests.of('GetObject'), 0)
  })

  test('how many were in flight at once', async () => {
    sandbox.faults.add({ operation: 'ListObjectsV2', delay: 300 })
    await Promise.all([list(), list(), list()])
    assert.equal(sandbox.requests.mostInFlight('ListObjectsV2'), 3)
  })

  test('the third call is throttled, and only that', async () => {
    const fault = sandbox.faults.add({ operation: 'ListObjectsV2', nth: 3, times: 1, error: slowDown })
    await list()
    await list()
    await fails(list(), { status: 503, name: 'SlowDown' })
    await list()
    assert.equal(fault.struck(), 1)
  })

  test('only for some keys', async () => {
    for (const key of ['a', 'b']) sandbox.s3.put('logs', key, key)
    sandbox.faults.add({ operation: ['GetObject', 'CopyObject'], resource: /\/b$/, error: internalError })
    await get('a')
    await fails(get('b'), { status: 500, name: 'InternalError' })
  })

  test('the client retries what passes', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    sandbox.faults.add({ operation: 'GetObject', times: 1, error: internalError })
    const patient = clientFor(sandbox, { maxAttempts: 3 })
    const answer = await patient.send(new s3.GetObjectCommand({ Bucket: 'logs', Key: 'a' }))
    assert.equal(await answer.Body?.transformToString(), 'one')
    assert.equal(sandbox.requests.of('GetObject'), 2)
    patient.destroy()
  })

  test('a body that breaks off', async () => {
    sandbox.s3.put('logs', 'a', Buffer.alloc(100_000, 'x'))
    sandbox.faults.add({ operation: 'GetObject', cut: { bytes: 1000 } })
    const answer = await get('a')
    await assert.rejects(async () => answer.Body?.transformToByteArray())
  })

  test('work that was done although the answer is lost', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    sandbox.faults.add({ operation: 'CopyObject', cut: 'after' })
    await assert.rejects(copy('a'))
    assert.deepEqual(sandbox.s3.keys('staging'), ['a'])
  })

  test('nothing done when cut before', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    sandbox.faults.add({ operation: 'CopyObject', cut: 'before' })
    await assert.rejects(copy('a'))
    assert.deepEqual(sandbox.s3.keys('staging'), [])
  })

  test('an error document under status 200', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    sandbox.faults.add({ operation: 'CopyObject', error: { code: 'InternalError', status: 200 } })
    await fails(copy('a'), { name: 'InternalError' })
  })

  test('an expired token', async () => {
    sandbox.faults.add({ error: expiredToken })
    await fails(list(), { status: 400, name: 'ExpiredToken' })
  })
})

describe('who may', () => {
  const other: Credentials = { ...defaultCredentials(), accessKey: 'AKIAOTHEROTHEROTHER0', account: '999988887777' }

  test('an access key that nobody has', async () => {
    const stranger = clientFor(sandbox, { credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } })
    await fails(stranger.send(new s3.ListBucketsCommand({})), { status: 403, name: 'InvalidAccessKeyId' })
    stranger.destroy()
  })

  test('a wrong secret', async () => {
    const accessKeyId = sandbox.env.AWS_ACCESS_KEY_ID ?? ''
    const forger = clientFor(sandbox, { credentials: { accessKeyId, secretAccessKey: 'x' } })
    await fails(forger.send(new s3.ListBucketsCommand({})), { status: 403, name: 'SignatureDoesNotMatch' })
    forger.destroy()
  })

  test('a permission that is missing is named', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    const giveBack = sandbox.s3.deny({ action: 's3:GetObject', resource: /^logs\// })
    await fails(get('a'), {
      status: 403,
      name: 'AccessDenied',
      message: /s3:GetObject on resource: "arn:aws:s3:::logs\/a"/,
    })
    await fails(copy('a'), { status: 403, name: 'AccessDenied' })
    giveBack()
    await copy('a')
  })

  test('who may not list does not learn what is not there', async () => {
    await fails(get('gone'), { status: 404 })
    sandbox.s3.deny({ action: 's3:ListBucket', resource: 'logs' })
    await fails(get('gone'), { status: 403, message: /s3:ListBucket/ })
    await fails(copy('gone'), { status: 403, message: /s3:ListBucket/ })
  })

  test('a KMS key that may not be used', async () => {
    const keyId = 'arn:aws:kms:us-east-1:111122223333:key/k1'
    sandbox.s3.put('logs', 'a', 'one', { encryption: { algorithm: 'aws:kms', keyId } })
    sandbox.s3.deny({ action: 'kms:Decrypt', resource: keyId })
    await fails(get('a'), { status: 403, name: 'AccessDenied', message: /kms:Decrypt/ })
  })

  test('requester pays', async () => {
    await start({ buckets: { logs: { requesterPays: true, owner: other.account }, staging: {} } })
    sandbox.s3.put('logs', 'a', 'one')
    await fails(get('a'), { status: 403 })
    await fails(copy('a'), { status: 403 })
    assert.equal((await get('a', { RequestPayer: 'requester' })).RequestCharged, 'requester')
    await copy('a', { RequestPayer: 'requester' })
  })

  test('a bucket of somebody else than expected', async () => {
    sandbox.s3.put('logs', 'a', 'one')
    await get('a', { ExpectedBucketOwner: sandbox.account })
    await fails(get('a', { ExpectedBucketOwner: other.account }), { status: 403 })
    await fails(copy('a', { ExpectedSourceBucketOwner: other.account }), { status: 403 })
  })
})

describe('regions', () => {
  beforeEach(() => start({ buckets: { logs: { region: 'eu-west-1' } } }))

  test('a bucket elsewhere answers where it is', async () => {
    await fails(list(), { status: 301, name: 'PermanentRedirect' })
    const error = await client.send(new s3.HeadBucketCommand({ Bucket: 'logs' })).catch((e: unknown) => e)
    const { $response } = error as { $response?: { headers: Record<string, string> } }
    assert.equal($response?.headers['x-amz-bucket-region'], 'eu-west-1')
    const { LocationConstraint } = await client.send(new s3.GetBucketLocationCommand({ Bucket: 'logs' }))
    assert.equal(LocationConstraint, 'eu-west-1')
  })

  test('the client follows when told to', async () => {
    const follower = clientFor(sandbox, { followRegionRedirects: true })
    const answer = await follower.send(new s3.ListObjectsV2Command({ Bucket: 'logs' }))
    assert.equal(answer.KeyCount, 0)
    follower.destroy()
  })
})
