import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { create, input, job, manifest, numbered, ROLE, report, sandbox } from './job-client.ts'

describe('failed tasks', () => {
  test('are counted and reported, and the job is complete', async () => {
    sandbox.s3.put('logs', 'cold', 'x', { storageClass: 'GLACIER' })
    sandbox.s3.put('logs', 'huge', 5 * 2 ** 30 + 1)
    sandbox.s3.put('logs', 'fine,"one"', 'x')
    const id = await create(manifest(['cold', 'gone', 'huge', 'fine,"one"'], {}, false))
    assert.equal(await sandbox.control.settle(), 'Complete')
    const { ProgressSummary } = await job(id)
    assert.deepEqual([ProgressSummary?.NumberOfTasksSucceeded, ProgressSummary?.NumberOfTasksFailed], [1, 3])
    const { succeeded, failed } = (await report(id)) ?? {}
    assert.deepEqual(succeeded, [['logs', 'fine%2C%22one%22', '', 'succeeded', '200', '', 'Successful']])
    assert.deepEqual(
      failed?.map((row) => row.slice(0, 6)),
      [
        ['logs', 'cold', '', 'failed', '403', 'InvalidObjectState'],
        ['logs', 'gone', '', 'failed', '404', 'NoSuchKey'],
        ['logs', 'huge', '', 'failed', '400', 'InvalidRequest'],
      ],
    )
  })

  test('the columns of the report as its schema says', async () => {
    sandbox.control.settings.report = 'as-schema'
    const id = await create(manifest(['gone'], {}, false))
    await sandbox.control.settle()
    assert.deepEqual((await report(id))?.failed?.[0]?.slice(3, 6), ['failed', 'NoSuchKey', '404'])
  })

  test('only failed ones reported', async () => {
    const asked = input('').Report
    const id = await create(manifest(['a']), { Report: { Enabled: true, ...asked, ReportScope: 'FailedTasksOnly' } })
    await sandbox.control.settle()
    assert.deepEqual(await report(id), {})
  })

  test('all of them: complete below 1,000 tasks, failed from there on', async () => {
    await create(manifest(numbered(999), {}, false))
    assert.equal(await sandbox.control.settle(), 'Complete')
    assert.deepEqual(sandbox.control.counts(), { total: 999, succeeded: 0, failed: 999 })
    const id = await create(manifest(numbered(1200), {}, false), { ClientRequestToken: 't2' })
    assert.equal(await sandbox.control.settle(), 'Failed')
    assert.deepEqual(sandbox.control.counts(), { total: 1200, succeeded: 0, failed: 1000 })
    assert.ok((await job(id)).FailureReasons?.length)
    assert.equal((await report(id))?.failed?.length, 1000)
  })

  test('the one that is told to', async () => {
    const error = { code: 'SlowDown', status: 503, message: 'Please reduce your request rate.' }
    sandbox.control.settings.failTask = (_, nth) => (nth === 2 ? error : undefined)
    const id = await create(manifest(['a', 'b', 'c']))
    await sandbox.control.settle()
    assert.deepEqual(
      (await report(id))?.failed?.map(([, key]) => key),
      ['b'],
    )
    assert.deepEqual(sandbox.s3.keys('staging', 'run/staged/'), ['run/staged/a', 'run/staged/c'])
  })

  test('a report that never comes', async () => {
    sandbox.control.settings.report = 'missing'
    const id = await create(manifest(['a']))
    assert.equal(await sandbox.control.settle(), 'Complete')
    assert.equal(await report(id), undefined)
  })

  test('a header row is taken for an object', async () => {
    sandbox.s3.put('logs', 'a', 'x')
    const { etag } = sandbox.s3.put('staging', 'run/manifest.csv', 'bucket,key\nlogs,a\n')
    const id = await create(etag)
    assert.equal(await sandbox.control.settle(), 'Complete')
    assert.deepEqual((await report(id))?.failed?.[0]?.slice(0, 6), [
      'bucket',
      'key',
      '',
      'failed',
      '404',
      'NoSuchBucket',
    ])
  })
})

describe('jobs that fail before their first task', () => {
  const failed = async (id: string, reason: RegExp): Promise<void> => {
    assert.equal(await sandbox.control.settle(), 'Failed')
    const { Status, FailureReasons } = await job(id)
    assert.equal(Status, 'Failed')
    assert.match(FailureReasons?.[0]?.FailureReason ?? '', reason)
    assert.equal(await report(id), undefined)
  }

  test('manifest changed', async () => failed(await create('0'.repeat(32)), /NoSuchKey|cannot be read|ETag/))

  test('another ETag', async () => {
    manifest(['a'])
    await failed(await create('0'.repeat(32)), /ETag/)
  })

  test('manifest encrypted with KMS', async () => {
    await failed(await create(manifest(['a'], { encryption: { algorithm: 'aws:kms' } })), /SSE-KMS/)
  })

  test('manifest that the role may not read', async () => {
    sandbox.s3.deny({ action: 's3:GetObject', principal: ROLE, resource: /manifest/ })
    await failed(await create(manifest(['a'])), /forbidden: 403/)
  })

  for (const [what, text] of [
    ['no rows', ''],
    ['columns', 'logs,a\nlogs,a,b\n'],
    ['empty line', 'logs,a\n\nlogs,b\n'],
    ['quotes', '"logs","a"\n'],
    ['two buckets', 'logs,a\nstaging,b\n'],
    ['encoding', 'logs,50%\n'],
  ] as const)
    test(`manifest with wrong ${what}`, async () => {
      const { etag } = sandbox.s3.put('staging', 'run/manifest.csv', text)
      await failed(await create(etag), /manifest/)
    })

  test('told to', async () => {
    sandbox.control.settings.failJob = { at: 'Ready', code: 'InternalError', reason: 'told to' }
    await failed(await create(manifest(['a'])), /told to/)
  })
})
