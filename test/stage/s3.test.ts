import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { PRICES } from '../../scripts/lib/runs/cost.ts'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import { startSandbox } from '../sandbox/start.ts'
import { runScript } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'
import { lastHour, trailKey } from './logs.ts'
import { assertStaged, BATCH, DAY, EXPECTED, fixture, KEYS, ODD } from './sandbox.ts'

describe('staging from S3', () => {
  it('shows a plan with its cost, and copies nothing', async () => {
    const { sandbox, stage } = await fixture()
    const { result } = await stage(['--dry-run'])
    assert.equal(result.objects, EXPECTED.length)
    assert.ok(result.estimatedUsd > 0)
    assert.equal(sandbox.requests.of('PutObject') + sandbox.requests.of('CopyObject'), 0)
    // The root, AWSLogs/, the organization, two accounts, their regions, and one range of each of four branches.
    assert.equal(result.listRequests, sandbox.requests.of('ListObjectsV2'))
    assert.ok(result.listRequests <= 1.2 * (1 + 1 + 1 + 2 + 4) + 2, `${result.listRequests} LIST requests`)
  })

  it('asks for nothing outside of a prefix that was named', async () => {
    const { sandbox, stage } = await fixture()
    const day = 'AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/2026/03/02'
    const { result, stderr } = await stage(['--logs', `s3://org-logs/${day}`, '--dry-run'])
    assert.ok(result, stderr)
    assert.deepEqual(
      [result.objects, sandbox.requests.of('ListObjectsV2')],
      [EXPECTED.filter((key) => key.startsWith(`${day}/`)).length, 1],
    )
  })

  it('is refused off a terminal without a confirmation, and with too small a limit', async () => {
    const { sandbox, stage } = await fixture()
    assert.equal((await stage([])).code, 3)
    assert.equal((await stage(['--max-cost', '0.00001'])).code, 3)
    assert.equal(sandbox.requests.of('PutObject') + sandbox.requests.of('CopyObject'), 0)
  })

  it('copies a small set object by object, odd keys too, and a rerun copies nothing', async () => {
    const { sandbox, stage } = await fixture()
    const { result, stderr } = await stage(['--max-cost', '1'])
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    const copies = sandbox.requests.of('CopyObject')
    assert.equal(copies, EXPECTED.length)
    assert.equal((await stage(['--yes'])).result.repeated, true)
    assert.equal(sandbox.requests.of('CopyObject'), copies)
  })

  it('copies by a batch job whose manifest is encrypted by S3 itself', async () => {
    const { sandbox, stage } = await fixture()
    const { result, stderr } = await stage(BATCH)
    assert.ok(result, stderr)
    assertStaged(sandbox, result.run)
    assert.equal(sandbox.requests.of('CopyObject'), 0)
    assert.deepEqual(
      [sandbox.control.jobs().length, sandbox.control.counts()],
      [1, { total: EXPECTED.length, succeeded: EXPECTED.length, failed: 0 }],
    )
  })

  it('downloads to a local workspace', async () => {
    const { sandbox, stage } = await fixture()
    const { result, stderr } = await stage(['--yes'], tempFolder())
    assert.ok(result, stderr)
    assert.deepEqual(
      [result.copied, sandbox.requests.of('CopyObject'), sandbox.requests.of('PutObject')],
      [EXPECTED.length, 0, 0],
    )
  })

  it('copies what is over 5 GB in parts, and names what is archived', async () => {
    const { sandbox, stage } = await fixture()
    const [large, cold] = ['large', 'cold'].map((tail) =>
      trailKey('111122223333', 'us-east-1', '20260302T1210Z', tail),
    ) as [string, string]
    sandbox.s3.put('org-logs', large, 6 * 1024 ** 3)
    sandbox.s3.put('org-logs', cold, 'x', { storageClass: 'GLACIER' })
    const { code, stderr } = await stage(BATCH)
    assert.equal(code, 1)
    assert.match(stderr, /1 object of the manifest could not be staged[\s\S]*cold[\s\S]*archived/)
    assert.ok(sandbox.requests.of('UploadPartCopy') >= 12)
    assert.deepEqual(sandbox.violations, [])
  })

  for (const [options, args] of [
    ['by a job', BATCH],
    ['directly', ['--yes', '--copy', 'direct']],
  ] as const)
    it(`copies what was archived and is restored, ${options}`, async () => {
      const { sandbox, stage } = await fixture()
      const [warm, cool] = ['warm', 'cool'].map((tail) =>
        trailKey('111122223333', 'us-east-1', '20260302T1210Z', tail),
      ) as [string, string]
      sandbox.s3.put('org-logs', warm, `content of ${warm}`, { storageClass: 'DEEP_ARCHIVE', restored: true })
      const { result, stderr } = await stage(args)
      assert.ok(result, stderr)
      assertStaged(sandbox, result.run, [...EXPECTED, warm])
      sandbox.s3.put('org-logs', cool, 'x', { storageClass: 'GLACIER', restoring: true })
      const again = await stage([...args, '--overwrite'])
      assert.equal(again.code, 1)
      assert.match(again.stderr, /cool[\s\S]*archived \(GLACIER\): its restoration is not finished yet/)
    })

  it('adds only what has come since, and asks only for that', async () => {
    const { sandbox, stage } = await fixture()
    const { window, at } = lastHour()
    const many = Array.from({ length: 200 }, (_, i) => `${at(30).slice(0, -8)}${i}.json.gz`)
    for (const key of many) sandbox.s3.put('org-logs', key, 'x')
    assert.deepEqual((await stage([...window, '--yes'])).result.copied, 200)
    // Enough for what is new, not for all.
    const little = ['--max-cost', '0.0005']
    sandbox.s3.put('org-logs', at(20), 'x')
    const plan = (await stage([...window, '--dry-run'])).result
    assert.ok(plan.objects === 201 && plan.estimatedUsd < 0.0005, `$${plan.estimatedUsd}`)
    const { result, stderr } = await stage([...window, ...little])
    assert.ok(result, stderr)
    assert.deepEqual([result.copied, result.skipped, result.objects], [1, 200, 201])
    assert.equal((await stage(window)).result.copied, 0)
    assert.equal(sandbox.requests.of('CopyObject'), 201)
  })
})

describe('other ways to the keys, from S3', () => {
  it('digests, with the content of the copies proven', async () => {
    const logs = await simulatedLogs()
    const sandbox = await startSandbox({
      buckets: { 'org-logs': { backend: new FolderBackend(logs) }, 'org-staging': {} },
    })
    after(() => sandbox.close())
    for (const workspace of ['s3://org-staging/prestage', tempFolder()]) {
      const args = [
        '--source',
        'cloudtrail',
        '--logs',
        's3://org-logs',
        '--workspace',
        workspace,
        '--from',
        '2026-03-02',
        '--to',
        '2026-03-03',
      ]
      const options = [...args, '--keys', 'digest', '--verify', 'full', '--yes', '--output', 'json']
      const { code, stdout, stderr } = await runScript('stage', options, { env: sandbox.env })
      assert.equal(code, 0, stderr)
      const { objects, verified } = JSON.parse(stdout)
      assert.ok(objects > 10 && verified === objects, stdout)
      assert.match(stderr, new RegExp(`, \\d+ GET requests for digests, ${objects} HEAD requests`))
    }
    assert.deepEqual(sandbox.violations, [])
  })

  it('a file of keys: each is looked at, which is part of the cost', async () => {
    const { sandbox, stage } = await fixture()
    const file = join(tempFolder(), 'keys.txt')
    writeFileSync(file, KEYS.slice(0, 40).join('\n'))
    const { result, stderr } = await stage(['--dry-run', '--keys-file', file])
    assert.ok(result, stderr)
    const cost = 40 * (PRICES.getRequest + PRICES.copyRequest)
    assert.ok(Math.abs(result.estimatedUsd - cost) < 1e-9, `$${result.estimatedUsd}`)
    assert.deepEqual([result.objects, result.listRequests, sandbox.requests.of('HeadObject')], [40, 0, 40])
  })

  /** A data file of a report with all keys, in no order. */
  const csv = async (): Promise<Buffer> => {
    const rows = [...KEYS, ...ODD].reverse()
    const line = (key: string) =>
      `"org-logs","${encodeURIComponent(key)}","${Buffer.byteLength(`content of ${key}`)}"\n`
    return gzipSync(rows.map(line).join(''))
  }
  const parquet = async (): Promise<Buffer> => {
    const folder = tempFolder()
    const [source, target] = [join(folder, 'rows.json'), join(folder, 'rows.parquet')]
    const rows = [...KEYS, ...ODD].reverse().map((key) => ({ key, size: Buffer.byteLength(`content of ${key}`) }))
    writeFileSync(source, rows.map((row) => JSON.stringify(row)).join('\n'))
    const connection = await (await DuckDBInstance.create()).connect()
    const select = `SELECT 'org-logs' AS bucket, key, size FROM read_json('${source}')`
    await connection.run(`COPY (${select}) TO '${target}' (FORMAT parquet)`)
    return readFileSync(target)
  }
  const message =
    'message s3.inventory { required binary bucket (STRING); required binary key (STRING); optional int64 size; }'
  for (const [fileFormat, fileSchema, make] of [
    ['CSV', 'Bucket, Key, Size', csv],
    ['Parquet', message, parquet],
  ] as const)
    it(`an inventory report in ${fileFormat}, with no LIST request over the logs`, async () => {
      const { sandbox, stage } = await fixture()
      sandbox.s3.create('inventories')
      sandbox.s3.put('inventories', 'all/data/1', await make())
      const manifest = {
        sourceBucket: 'org-logs',
        destinationBucket: 'arn:aws:s3:::inventories',
        creationTimestamp: String(Date.parse('2026-03-05T01:00:00Z')),
        fileFormat,
        fileSchema,
        files: [{ key: 'all/data/1' }],
      }
      sandbox.s3.put('inventories', 'all/manifest.json', JSON.stringify(manifest))
      const uri = 's3://inventories/all/manifest.json'
      const { result, stderr } = await stage(['--yes', '--keys', 'inventory', '--inventory', uri])
      assert.ok(result, stderr)
      assert.deepEqual([result.listRequests, result.objects], [0, EXPECTED.length])
      assertStaged(sandbox, result.run)
    })

  it('an inventory report in ORC, as a plan', async () => {
    const { sandbox, stage } = await fixture()
    sandbox.s3.create('inventories')
    sandbox.s3.put('inventories', 'd/1.orc', readFileSync(new URL('fixture/inventory-zlib.orc', import.meta.url)))
    const manifest = {
      sourceBucket: 'org-logs',
      destinationBucket: 'arn:aws:s3:::inventories',
      creationTimestamp: String(Date.parse('2026-03-05T01:00:00Z')),
      fileFormat: 'ORC',
      fileSchema: 'struct<bucket:string,key:string,size:bigint>',
      files: [{ key: 'd/1.orc', size: 2_000_000_000 }],
    }
    sandbox.s3.put('inventories', 'manifest.json', JSON.stringify(manifest))
    const uri = 's3://inventories/manifest.json'
    const { result, stderr } = await stage(['--dry-run', '--keys', 'inventory', '--inventory', uri])
    assert.ok(result, stderr)
    // Two accounts, the day and the two hours after it, and the odd key.
    assert.deepEqual([result.listRequests, result.objects], [0, 2 * 26 + 1])
    // The report comes to this machine.
    assert.ok(Math.abs(result.estimatedUsd - 0.18 - 2 * PRICES.getRequest - 53 * PRICES.copyRequest) < 1e-9)
  })
})

describe('what S3 refuses', () => {
  it('is named with the action that is missing', async () => {
    const { sandbox, stage } = await fixture()
    sandbox.s3.deny({ action: 's3:ListBucket', resource: /^org-logs/ })
    const { code, stderr } = await stage(['--yes'])
    assert.equal(code, 4)
    assert.match(stderr, /s3:ListBucket/)
  })

  it('for some objects fails those, by name, and stages the rest', async () => {
    const { sandbox, stage } = await fixture()
    const key = EXPECTED[5] ?? ''
    sandbox.s3.deny({ action: 's3:GetObject', resource: new RegExp(`^org-logs/${key.replaceAll('.', '\\.')}$`) })
    const { code, stderr } = await stage(['--yes'])
    assert.equal(code, 1)
    assert.match(stderr, /1 object of the manifest could not be staged/)
    assert.match(stderr, new RegExp(`${EXPECTED.length - 1} of ${EXPECTED.length} objects are staged`))
  })

  it('no such bucket', async () => {
    const { sandbox } = await fixture()
    const { code, stderr } = await runScript('stage', [...DAY, '--logs', 's3://nowhere-at-all', '--yes'], {
      env: sandbox.env,
    })
    assert.equal(code, 1)
    assert.match(stderr, /nowhere-at-all/)
  })
})
