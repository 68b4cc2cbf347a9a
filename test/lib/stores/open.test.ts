import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { openLogs } from '../../../scripts/lib/stores/open.ts'
import { locationOf } from '../../../scripts/lib/stores/uri.ts'
import { tempFolder } from '../../support/temp.ts'

describe('where a URI points', () => {
  const buckets: [uri: string, bucket: string, prefix: string][] = [
    ['s3://logs', 'logs', ''],
    ['s3://logs/', 'logs', ''],
    ['s3://my.logs-1/a/b/', 'my.logs-1', 'a/b'],
    ['s3://logs//a', 'logs', '/a'],
  ]
  for (const [uri, bucket, prefix] of buckets)
    it(uri, () => assert.deepEqual(locationOf(uri), { kind: 's3', bucket, prefix }))

  for (const uri of ['s3://', 's3://A', 's3://a_b', 's3://x--use1-az1--x-s3', 'https://logs', 'gs://logs'])
    it(`${uri} is a mistake`, () => assert.throws(() => locationOf(uri), { name: 'UsageError', exitCode: 2 }))

  it('anything else is a folder', () =>
    assert.deepEqual(locationOf('./logs/'), { kind: 'folder', path: join(process.cwd(), 'logs') }))
})

describe('logs in a folder', () => {
  const root = tempFolder()
  for (const folder of ['o-abc/AWSLogs/o-abc/111122223333', 'mine/AWSLogs/copy', 'whole/AWSLogs/AWSLogs/111122223333'])
    mkdirSync(join(root, folder), { recursive: true })
  const table: [below: string, at: string, base: string][] = [
    ['', '', ''],
    ['o-abc', 'o-abc', ''],
    ['o-abc/AWSLogs', 'o-abc', 'AWSLogs/'],
    ['o-abc/AWSLogs/o-abc/111122223333', 'o-abc', 'AWSLogs/o-abc/111122223333/'],
    // Who copies a bucket may call the folder so, too.
    ['mine/AWSLogs/copy', 'mine/AWSLogs/copy', ''],
    ['mine/AWSLogs/copy/AWSLogs/111122223333', 'mine/AWSLogs/copy', 'AWSLogs/111122223333/'],
    ['whole/AWSLogs', 'whole/AWSLogs', ''],
    ['whole/AWSLogs/AWSLogs', 'whole/AWSLogs', 'AWSLogs/'],
  ]
  for (const [below, at, base] of table)
    it(`named as "${below}" have the keys that AWS wrote`, async () => {
      const logs = await openLogs(join(root, below))
      assert.deepEqual([logs.store.uri, logs.base, logs.bucket], [join(root, at), base, basename(join(root, at))])
      assert.equal(logs.uri, join(root, below))
    })
})
