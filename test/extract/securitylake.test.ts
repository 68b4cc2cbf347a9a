import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { before, describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse/sync'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import { fewObjects } from '../support/few-objects.ts'
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

  const lakeWith = (...kinds: readonly string[]): string => {
    const folder = tempFolder()
    const [first] = [...new FolderBackend(logs).scan('aws/CLOUD_TRAIL_MGMT/', '')].filter(({ key }) =>
      key.includes('eventDay=20260302'),
    )
    for (const kind of kinds) {
      const key = (first?.key ?? '').replace('CLOUD_TRAIL_MGMT/1.0', kind)
      mkdirSync(dirname(`${folder}/${key}`), { recursive: true })
      cpSync(`${logs}/${first?.key}`, `${folder}/${key}`)
    }
    return folder
  }

  it('is told from version 2, which is refused with what to do', async () => {
    const args = [...WINDOW, '--logs', lakeWith('CLOUD_TRAIL_MGMT/2.0'), '--workspace', tempFolder()]
    const { code, stderr } = await runScript('stage', args)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /CLOUD_TRAIL_MGMT\/2\.0\/: version 2 of Security Lake, Iceberg tables, which prestage does not read/,
    )
    assert.match(stderr, /from their own buckets: --source cloudtrail, --source vpcflow/)
  })

  it('is staged beside version 2, with a warning', async () => {
    const logs = lakeWith('CLOUD_TRAIL_MGMT/1.0', 'VPC_FLOW/2.0')
    const { code, stdout, stderr } = await runScript('stage', [...WINDOW, '--logs', logs, '--workspace', tempFolder()])
    assert.equal(code, 0, stderr)
    assert.equal(JSON.parse(stdout).objects, 1)
    assert.match(stderr, /warning: .*VPC_FLOW\/2\.0\/ is left out: version 2 of Security Lake/)
  })
})
