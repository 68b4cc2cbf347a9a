import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse/sync'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import { athenaSandbox, linesAt } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { asVersion2, catalogLake } from '../support/iceberg.ts'
import { runScript } from '../support/run-script.ts'
import { pairsIn } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const [FROM, TO] = ['2026-03-02', '2026-03-04']
const WINDOW = ['--source', 'securitylake', '--from', FROM, '--to', TO, '--output', 'json']
const PUBLIC = /^(?!10\.)\d+\.\d+\.\d+\.\d+$/

interface Row {
  readonly time: number
  readonly class_uid: number
  readonly actor?: { user: { type: string; uid: string | null; account_uid: string | null } }
  readonly src_endpoint: { ip: string | null }
  readonly dst_endpoint?: { interface_uid: string }
  readonly connection_info?: { direction: string }
  readonly disposition?: string | null
}

describe('Security Lake of version 1', async () => {
  const logs = await fewObjects({ sources: ['securitylake'] })
  const rows: Row[] = []
  const found: Record<string, string[]> = {}
  const workspace = tempFolder()
  let staged = ''

  before(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    for (const { key } of new FolderBackend(logs).scan('aws/', '')) {
      const read = await connection.runAndReadAll(`select to_json(r)::varchar from read_parquet('${logs}/${key}') r`)
      rows.push(...read.getRows().map(([line]): Row => JSON.parse(String(line))))
    }
    connection.closeSync()
    const stage = await runScript('stage', [...WINDOW, '--logs', logs, '--workspace', workspace])
    assert.equal(stage.code, 0, stage.stderr)
    const { run } = JSON.parse(stage.stdout)
    staged = `${workspace}/runs/${run}/staged`
    for (const entity of ['actor', 'session', 'account', 'interface']) {
      const args = ['--workspace', workspace, '--run', run, '--entity', entity, '--overwrite']
      const extracted = await runScript('extract', args)
      assert.equal(extracted.code, 0, extracted.stderr)
      found[entity] = pairsIn(`${workspace}/runs/${run}`)
    }
  })

  const entityOf: Record<string, (row: Row) => string | null | undefined> = {
    actor: ({ actor }) => actor?.user.uid?.split(':')[0],
    session: ({ actor }) => actor?.user.uid,
    account: ({ actor }) => actor?.user.account_uid,
    interface: ({ dst_endpoint, connection_info, disposition }) =>
      connection_info?.direction === 'Inbound' && disposition === 'Allowed' ? dst_endpoint?.interface_uid : undefined,
  }
  for (const [entity, of] of Object.entries(entityOf))
    it(`the pairs by ${entity} are those of a straight count`, () => {
      const counted = rows.flatMap((row) => {
        const [who, ip] = [of(row), row.src_endpoint.ip ?? '']
        const isIn = row.time >= Date.parse(FROM) && row.time < Date.parse(TO)
        return isIn && who && PUBLIC.test(ip) ? [`${who} ${ip}`] : []
      })
      assert.ok(counted.length > 100, String(counted.length))
      assert.deepEqual(found[entity], counted.sort())
    })

  it('every labelled attack is among them', () => {
    const labels: Record<string, string>[] = parse(readFileSync(`${logs}/labels.csv`, 'utf8'), { columns: true })
    const attacks = labels.map(({ entity, ip }) => `${entity} ${ip}`)
    assert.ok(attacks.length >= 3)
    assert.deepEqual(
      attacks.filter((pair) => !found.actor?.includes(pair)),
      [],
    )
  })

  it('is staged from a folder of the same file system without a copy', () => {
    const [first] = [...new FolderBackend(staged).scan('aws/', '')]
    assert.equal(statSync(`${staged}/${first?.key}`).ino, statSync(`${logs}/${first?.key}`).ino)
  })

  it('of version 2 gives the same pairs, by every entity', async () => {
    const [lake, workspace] = [tempFolder(), tempFolder()]
    await asVersion2(logs, lake, 'org-logs')
    const stage = await runScript('stage', [...WINDOW, '--logs', lake, '--workspace', workspace])
    assert.equal(stage.code, 0, stage.stderr)
    const { run, objects } = JSON.parse(stage.stdout)
    assert.equal(
      objects,
      readdirSync(staged, { recursive: true }).filter((name) => /parquet$/.test(String(name))).length,
    )
    for (const [entity, pairs] of Object.entries(found)) {
      const args = ['--workspace', workspace, '--run', run, '--entity', entity, '--overwrite']
      const extracted = await runScript('extract', args)
      assert.equal(extracted.code, 0, extracted.stderr)
      assert.deepEqual(pairsIn(`${workspace}/runs/${run}`), pairs, entity)
    }
  })

  it('of version 2 is read in place in S3, by the folder of one kind too', async () => {
    const lake = tempFolder()
    await asVersion2(logs, lake, 'org-logs')
    const { sandbox, run } = await athenaSandbox()
    await sandbox.s3.load('org-logs', lake)
    const kinds = { actor: 'CLOUD_TRAIL_MGMT', interface: 'VPC_FLOW' }
    for (const [entity, kind] of Object.entries(kinds)) {
      const from = ['--source', 'securitylake', '--logs', `s3://org-logs/aws/${kind}/2.0/`, '--from', FROM, '--to', TO]
      const stage = await run('stage', [...from, '--yes'])
      assert.equal(stage.result?.inPlace, true, stage.stderr)
      const extracted = await run('extract', ['--run', stage.result.run, '--entity', entity, '--yes'])
      assert.ok(extracted.result, extracted.stderr)
      const parts = ['pairs/train/', 'pairs/holdout/'].map((part) => linesAt(sandbox, stage.result.run, part))
      const lines = (await Promise.all(parts)).flat().map((line) => line.replace(',', ' '))
      assert.deepEqual(lines.sort(), found[entity])
    }
    assert.deepEqual([sandbox.requests.of('CopyObject'), sandbox.violations], [0, []])
  })

  it('of version 2 is found by the catalog, where that may be asked', async () => {
    const [lake, bucket] = [tempFolder(), 'aws-security-data-lake-us-east-1-example']
    await asVersion2(logs, lake, bucket)
    const { sandbox, run } = await athenaSandbox({ buckets: { [bucket]: {} } })
    await sandbox.s3.load(bucket, lake)
    const from = ['--source', 'securitylake', '--logs', `s3://${bucket}/aws/VPC_FLOW/`, '--from', FROM, '--to', TO]
    const stage = () => run('stage', [...from, '--yes', '--overwrite', '--verbose'])
    const unknown = await stage()
    assert.ok(unknown.result, unknown.stderr)
    assert.match(
      unknown.stderr,
      /metadata by the highest number; the catalog does not tell: it has no metadata of \S+vpc_flow_2_0\b/,
    )
    // Of a commit that did not win.
    const prefix = 'aws/VPC_FLOW/2.0/metadata/'
    sandbox.s3.put(bucket, `${prefix}00007-ffffffff.metadata.json`, '{}')
    assert.match(
      (await stage()).stderr,
      /have the same number: .*the right to glue:GetTable on the lake’s table tells at once/s,
    )
    catalogLake(sandbox, { bucket, source: 'vpc_flow_2_0', key: `${prefix}00007-0a1b2c3d.metadata.json` })
    const known = await stage()
    assert.equal(known.result?.objects, unknown.result.objects, known.stderr)
    assert.match(known.stderr, /; metadata by the catalog\n/)
    assert.deepEqual(sandbox.violations, [])
  })
})
