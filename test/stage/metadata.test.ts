import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { cloudtrail } from '../../scripts/lib/sources/cloudtrail.ts'
import type { Scope } from '../../scripts/stage/keys/key-source.ts'
import { metadataKeys, metadataQuery } from '../../scripts/stage/keys/metadata.ts'
import { trinoParser } from '../sandbox/athena/sql-parser.ts'
import { PREPARATION } from '../sandbox/athena/trino.ts'
import { trailKey } from './logs.ts'

const scope: Scope = {
  source: cloudtrail,
  window: { from: new Date('2026-03-02T00:00:00Z'), to: new Date('2026-03-02T23:30:00Z') },
  accounts: ['111122223333'],
  regions: [],
}

describe('the query of S3 Metadata tables', () => {
  it('names the bucket’s namespace, the days of the padded window, and nothing unquoted', () => {
    const sql = metadataQuery({ bucket: "org.logs'x", table: 'inventory' }, scope, "o'b/")
    assert.match(sql, /FROM "s3tablescatalog\/aws-s3"\."b_org_logs'x"\."inventory"/)
    assert.match(sql, /starts_with\(key, 'o''b\/'\)/)
    assert.match(sql, /'\(\^\|\/\)\(2026\/03\/01\|2026\/03\/02\|2026\/03\/03\)\/'/)
    assert.doesNotMatch(sql, /record_timestamp/)
  })

  it('is of the grammar of Trino, on either table', () => {
    const trino = trinoParser()
    for (const table of ['inventory', 'journal'] as const)
      assert.deepEqual(trino.validate(metadataQuery({ bucket: 'org.logs', table }, scope, "o'b/")), [])
  })

  it('never scans a whole journal', () =>
    assert.match(
      metadataQuery({ bucket: 'logs', table: 'journal' }, scope, ''),
      /record_type = 'CREATE'\s+AND record_timestamp >= timestamp '2026-03-01 23:45:00 UTC'/,
    ))
})

describe('the versions of a key', () => {
  it('are ordered by their sequence numbers, whatever their dates', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(PREPARATION)
    const [catalog, day] = ['"s3tablescatalog/aws-s3"', '/2026/03/02/']
    await connection.run(`
      attach ':memory:' as ${catalog};
      create schema ${catalog}."b_logs";
      create table ${catalog}."b_logs"."inventory" (key varchar, size bigint, e_tag varchar, storage_class varchar,
        is_delete_marker boolean, last_modified_date timestamp, sequence_number varchar);
      insert into ${catalog}."b_logs"."inventory" values
        ('a${day}uploaded-in-parts', 1, 'old', 'STANDARD', false, '2026-03-02 12:00:00', '80e7'),
        ('a${day}uploaded-in-parts', 2, 'new', 'STANDARD_IA', false, '2026-03-02 11:00:00', '80e7f'),
        ('a${day}without-date', 3, 'only', 'STANDARD', false, null, '80e8'),
        ('b${day}deleted', 4, 'old', 'STANDARD', false, '2026-03-02 12:00:00', '80e7'),
        ('b${day}deleted', null, null, null, true, null, '80e9');`)
    const rows = (
      await connection.runAndReadAll(metadataQuery({ bucket: 'logs', table: 'inventory' }, scope, ''))
    ).getRows()
    assert.deepEqual(rows, [
      [`a${day}uploaded-in-parts`, 2n, 'new', 'STANDARD_IA'],
      [`a${day}without-date`, 3n, 'only', 'STANDARD'],
    ])
    connection.closeSync()
  })
})

describe('keys from S3 Metadata tables', () => {
  const keys = async (rows: (string | null)[][]) => {
    const found = []
    const query = async function* () {
      yield* rows
    }
    const source = metadataKeys({ bucket: 'logs', table: 'inventory' }, scope, '', { query })
    for await (const object of source.objects) found.push(object)
    return found
  }
  const inside = trailKey('111122223333', 'us-east-1', '20260302T1200Z')

  it('are those of the window and the accounts', async () =>
    assert.deepEqual(
      await keys([
        [trailKey('012345678901', 'us-east-1', '20260302T1200Z'), '1', 'e', 'STANDARD'],
        [trailKey('111122223333', 'us-east-1', '20260301T1200Z'), '1', 'e', 'STANDARD'],
        [inside, '17', '"abc"', 'STANDARD'],
        ['notes.txt', '1', null, null],
      ]),
      [{ key: inside, size: 17, etag: 'abc', storageClass: 'STANDARD' }],
    ))

  it('are refused out of order', () =>
    assert.rejects(
      keys([
        [inside, '1', '', ''],
        [inside, '1', '', ''],
      ]),
      /out of order/,
    ))
})
