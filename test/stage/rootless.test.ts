import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import { compareKeys } from '../../scripts/lib/stores/store.ts'
import { metadataKeys } from '../../scripts/stage/keys/metadata.ts'
import { contents, scratch, stageInto, trailKey, writeObjects } from './logs.ts'

/** Keys of the second of March, as each way of delivery names them where it writes to the root of a bucket. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  cloudtrail: [trailKey('111122223333', 'us-east-1', '20260302T1200Z', 'abc', '')],
  waf: [
    '2026/03/02/12/aws-waf-logs-site-1-2026-03-02-12-04-05-0a1b2c3d',
    'AWSLogs/111122223333/WAFLogs/us-east-1/acl/2026/03/02/12/00/111122223333_waflogs_us-east-1_acl_20260302T1200Z_1a2b.log.gz',
  ],
}

const DAY = ['--from', '2026-03-02', '--to', '2026-03-03']

function inventoryOf(keys: readonly string[]): string {
  const [folder, data] = [scratch(), 'inv/data/1.csv.gz']
  const manifest = {
    sourceBucket: 'org-logs',
    destinationBucket: 'arn:aws:s3:::inventories',
    creationTimestamp: String(Date.parse('2026-03-05T01:00:00Z')),
    fileFormat: 'CSV',
    fileSchema: 'Bucket, Key, Size',
    files: [{ key: data, size: 1, MD5checksum: 'x' }],
  }
  writeObjects(folder, { 'inv/manifest.json': JSON.stringify(manifest), [data]: '' })
  const rows = keys.map((key) => `"org-logs","${encodeURIComponent(key)}","${`content of ${key}`.length}"\n`)
  writeFileSync(join(folder, data), gzipSync(rows.join('')))
  return join(folder, 'inv/manifest.json')
}

/** Which of the keys the table would answer with. */
async function* answer(sql: string, keys: readonly string[]) {
  const [, base = ''] = /starts_with\(key, '(.*?)'\)/.exec(sql) ?? []
  const [, pattern = ''] = /regexp_like\(key, '(.*?)'\)/.exec(sql) ?? []
  for (const key of keys) if (key.startsWith(base) && new RegExp(pattern).test(key)) yield [key, '1', null, null]
}

for (const [id, own] of Object.entries(KEYS))
  for (const base of ['', 'logs/'])
    describe(`${id} below ${base === '' ? 'the root of a bucket' : base}`, () => {
      const keys = own.map((key) => base + key).toSorted(compareKeys)
      const others = [
        `${base}2026/03/12/12/aws-waf-logs-site-1-2026-03-12-12-04-05-0a1b2c3d`,
        `${base}x2026/03/02/12/y`,
      ]

      for (const how of ['list', 'inventory'])
        it(`is found by --keys ${how}`, async () => {
          const logs = scratch()
          writeObjects(logs, contents([...keys, ...others]))
          const inventory = how === 'inventory' ? ['--inventory', inventoryOf([...keys, ...others])] : []
          const asked = ['--source', id, ...DAY, '--keys', how, ...inventory, '--dry-run']
          const { result, stderr } = await stageInto(scratch(), logs, asked)
          assert.equal(result?.objects, keys.length, stderr)
        })

      it('is found by --keys metadata', async () => {
        const window = { from: new Date('2026-03-02T00:00:00Z'), to: new Date('2026-03-03T00:00:00Z') }
        const scope = { source: sourceOf(id), window, accounts: [], regions: [] }
        const query = (sql: string) => answer(sql, [...keys, ...others].toSorted(compareKeys))
        const found: string[] = []
        const { objects } = metadataKeys({ bucket: 'org-logs', table: 'inventory' }, scope, base, { query })
        for await (const { key } of objects) found.push(key)
        assert.deepEqual(found, keys)
      })
    })
