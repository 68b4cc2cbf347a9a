import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { AwsSettings } from '../../../scripts/lib/aws/settings.ts'
import type { UserError } from '../../../scripts/lib/cli/errors.ts'
import { s3Store } from '../../../scripts/lib/stores/s3.ts'
import type { Store } from '../../../scripts/lib/stores/store.ts'
import { defaultCredentials } from '../../sandbox/identity.ts'
import { startWithKeys } from './s3-server.ts'

const caller = defaultCredentials()
const ANALYST = 'arn:aws:iam::111122223333:user/analyst'
const KMS_KEY = 'arn:aws:kms:us-east-1:111122223333:key/k1'
let sandbox: Awaited<ReturnType<typeof startWithKeys>>

beforeEach(async () => {
  sandbox = await startWithKeys({ credentials: [caller], buckets: { logs: {}, far: { region: 'eu-west-1' } } })
  for (const bucket of ['logs', 'far']) sandbox.s3.put(bucket, 'a/b', 'x')
})

afterEach(async () => {
  caller.expired = false
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

const open = (bucket = 'logs', more: AwsSettings = {}): Promise<Store> =>
  s3Store({ bucket, prefix: '' }, { ...sandbox.settings, ...more })

async function list(store: Store, prefix = ''): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list({ prefix })) found.push(key)
  return found
}

type Refusal = { message: string | RegExp; hint?: RegExp; exitCode: number }

const refused = (work: Promise<unknown>, expected: Refusal): Promise<void> =>
  assert.rejects(work, (error: UserError) => {
    assert.equal(error.name, 'UserError', error.stack)
    if (typeof expected.message === 'string') assert.equal(error.message, expected.message)
    else assert.match(error.message, expected.message)
    if (expected.hint) assert.match(error.hint ?? '', expected.hint)
    assert.equal(error.exitCode, expected.exitCode)
    for (const secret of [caller.secret, caller.accessKey]) assert.ok(!`${error.message}${error.hint}`.includes(secret))
    return true
  })

describe('what is missing is named', () => {
  const denials: [action: string, resource: string, work: (store: Store) => Promise<unknown>][] = [
    ['s3:ListBucket', 'arn:aws:s3:::logs', (store) => list(store, 'a/')],
    ['s3:GetObject', 'arn:aws:s3:::logs/a/b', (store) => store.read('a/b')],
    ['s3:GetObject', 'arn:aws:s3:::logs/a/b', (store) => store.text('a/b')],
    ['s3:GetObject', 'arn:aws:s3:::logs/a/b', (store) => store.head('a/b')],
    ['s3:PutObject', 'arn:aws:s3:::logs/a/b', (store) => store.write('a/b', 'y')],
    ['s3:DeleteObject', 'arn:aws:s3:::logs/a/b', (store) => store.remove('a/b')],
  ]
  for (const [i, [action, resource, work]] of denials.entries())
    it(`${action} (${i})`, async () => {
      const store = await open()
      sandbox.s3.deny({ action })
      const because = `because no identity-based policy allows the ${action} action`
      await refused(work(store), {
        message: `s3://logs/${i === 0 ? 'a/' : 'a/b'}: access denied: ${ANALYST} lacks ${action} on ${resource} (${because})`,
        hint: new RegExp(`^ask for ${action} on ${resource}`),
        exitCode: 4,
      })
    })

  it('the right to use the key of an object', async () => {
    const store = await open()
    sandbox.s3.put('logs', 'secret', 'x', { encryption: { algorithm: 'aws:kms', keyId: KMS_KEY } })
    sandbox.s3.deny({ action: 'kms:Decrypt' })
    const expected = { message: new RegExp(`lacks kms:Decrypt on ${KMS_KEY}`), hint: /key policy/, exitCode: 4 }
    await refused(store.text('secret'), expected)
    await refused(store.head('secret'), expected)
  })

  it('a store opens without the right to list', async () => {
    sandbox.s3.deny({ action: 's3:ListBucket' })
    assert.equal(await (await open()).text('a/b'), 'x')
    assert.equal(await (await open('far')).text('a/b'), 'x')
  })
})

describe('who may and who pays', () => {
  it('credentials that have expired', async () => {
    const store = await open()
    caller.expired = true
    const expected = { message: /: the AWS credentials have expired$/, hint: /aws sso login/, exitCode: 4 }
    await refused(list(store), expected)
    await refused(store.head('a/b'), expected)
    await refused(open().then(list), expected)
  })

  it('credentials that nobody knows', async () => {
    const store = await open()
    const { AWS_ACCESS_KEY_ID: before } = process.env
    try {
      process.env.AWS_ACCESS_KEY_ID = 'AKIANOBODYNOBODY0000'
      const other = await open('far')
      await refused(list(other), { message: /does not accept the credentials \(InvalidAccessKeyId\)$/, exitCode: 4 })
    } finally {
      process.env.AWS_ACCESS_KEY_ID = before
    }
    assert.deepEqual(await list(store), ['a/b'])
  })

  it('no credentials', async () => {
    const { AWS_ACCESS_KEY_ID: before } = process.env
    try {
      delete process.env.AWS_ACCESS_KEY_ID
      await refused(open(), { message: /^s3:\/\/logs: no AWS credentials/, hint: /--profile/, exitCode: 4 })
    } finally {
      process.env.AWS_ACCESS_KEY_ID = before
    }
  })

  it('a bucket whose requester pays', async () => {
    sandbox.s3.create('paid', { owner: '999988887777', requesterPays: true })
    await refused(open('paid').then(list), { message: /access denied/, hint: /--requester-pays/, exitCode: 4 })
    const store = await open('paid', { requesterPays: true })
    await store.write('a', 'x')
    assert.deepEqual([await list(store), await store.text('a'), (await store.head('a'))?.size], [['a'], 'x', 1])
    await store.remove('a')
  })

  it('a bucket of somebody else', async () => {
    const expectedBucketOwner = '999988887777'
    const expected = { message: /access denied/, hint: /another account than 999988887777/, exitCode: 4 }
    await refused(open('logs', { expectedBucketOwner }).then(list), expected)
    assert.deepEqual(await list(await open('logs', { expectedBucketOwner: '111122223333' })), ['a/b'])
  })
})

describe('where it is', () => {
  it('the region of a bucket is found, whichever is configured', async () => {
    const store = await open('far')
    assert.deepEqual(await list(store), ['a/b'])
    assert.deepEqual(await list(await open('far', { awsRegion: 'ap-south-1' })), ['a/b'])
    const statuses = sandbox.requests.log().map(({ operation, status }) => `${operation} ${status}`)
    assert.deepEqual(
      statuses.filter((line) => line.startsWith('List')),
      ['ListObjectsV2 200', 'ListObjectsV2 200'],
    )
  })

  it('is asked for once', async () => {
    for (let n = 0; n < 3; n++) await open('far')
    assert.equal(sandbox.requests.of('HeadBucket'), 1)
  })

  it('a bucket that moved', async () => {
    const store = await open('far')
    sandbox.s3.create('far', { region: 'eu-north-1' })
    const message = 's3://far/: wrong region: bucket far is in eu-north-1'
    await refused(list(store), { message, hint: /^--aws-region eu-north-1$/, exitCode: 1 })
  })

  it('a bucket that is not there', () =>
    refused(open('nowhere'), { message: 's3://nowhere: there is no bucket nowhere', hint: /profile/, exitCode: 1 }))

  it('a bucket that is there no more', async () => {
    const store = await open()
    sandbox.s3.state.buckets.delete('logs')
    await refused(list(store), { message: 's3://logs/: there is no bucket logs', exitCode: 1 })
  })

  it('an archived object', async () => {
    sandbox.s3.put('logs', 'cold', 'x', { storageClass: 'DEEP_ARCHIVE' })
    const store = await open()
    assert.equal((await store.head('cold'))?.storageClass, 'DEEP_ARCHIVE')
    await refused(store.read('cold'), {
      message: 's3://logs/cold: the object is archived',
      hint: /restore/,
      exitCode: 1,
    })
  })
})
