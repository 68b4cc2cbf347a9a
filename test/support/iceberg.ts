import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { literal } from '../../scripts/lib/engines/render.ts'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import type { Sandbox } from '../sandbox/start.ts'
import { avroFile } from './avro.ts'

/** Version 1 as version 2 has it: "AWS v1.1.0" of the mappings in github.com/ocsf/examples. */
const COLUMNS: Readonly<Record<string, string>> = {
  CLOUD_TRAIL_MGMT: `"time", make_timestamptz("time" * 1000) as time_dt, 6003 as class_uid, status, metadata, api, http_request, src_endpoint,
    {region: cloud.region, provider: cloud.provider} as cloud,
    {user: {type: actor.user.type, name: actor.user.name, uid: actor.user.uuid, uid_alt: actor.user.uid,
      account: {uid: actor.user.account_uid}, credential_uid: actor.user.credential_uid}, invoked_by: actor.invoked_by} as actor`,
  VPC_FLOW: `"time", make_timestamptz("time" * 1000) as time_dt, class_uid, status_code, metadata, src_endpoint, dst_endpoint, connection_info,
    {account: {uid: cloud.account_uid}, region: cloud.region, zone: cloud.zone, provider: cloud.provider} as cloud,
    disposition, disposition_id as action_id`,
}

const field = (name: string, type: unknown) => ({ name, type })
const record = (name: string, ...fields: readonly unknown[]) => ({ type: 'record', name, fields })
const DATA_FILE = record(
  'r2',
  field('content', 'int'),
  field('file_path', 'string'),
  field('file_format', 'string'),
  field('partition', record('r102', field('region', ['null', 'string']), field('time_dt_day', ['null', 'int']))),
  field('record_count', 'long'),
  field('file_size_in_bytes', 'long'),
)
const ENTRY = record('manifest_entry', field('status', 'int'), field('data_file', DATA_FILE))
export const MANIFEST_FILE = record(
  'manifest_file',
  field('manifest_path', 'string'),
  field('manifest_length', 'long'),
  field('partition_spec_id', 'int'),
  field('content', 'int'),
)

/** A table of Iceberg in a folder, whose files are at `location` for those who read its metadata. */
interface TableOf {
  readonly folder: string
  readonly location: string
  /** Keys below the folder, with the region and the day of each, in days since 1970; null where it tells nothing. */
  readonly files: readonly { readonly key: string; readonly region: string; readonly day: number | null }[]
  /** Of the only manifest: 0 for data, 1 for files of deleted rows. */
  readonly content?: 0 | 1
}

export function writeTable({ folder, location, files, content = 0 }: TableOf): void {
  mkdirSync(`${folder}/metadata`, { recursive: true })
  const entries = files.map(({ key, region, day }) => ({
    status: 1,
    data_file: {
      content,
      file_path: `${location}/${key}`,
      file_format: 'PARQUET',
      partition: { region, time_dt_day: day },
      record_count: 1,
      file_size_in_bytes: statSync(`${folder}/${key}`).size,
    },
  }))
  const at = (name: string) => `${location}/metadata/${name}`
  writeFileSync(`${folder}/metadata/m0.avro`, avroFile(ENTRY, entries))
  const list = [{ manifest_path: at('m0.avro'), manifest_length: 1, partition_spec_id: 0, content }]
  writeFileSync(`${folder}/metadata/snap-1.avro`, avroFile(MANIFEST_FILE, list, 'null'))
  const columns = [
    ['time', 'long'],
    ['time_dt', 'timestamptz'],
    ['region', 'string'] /* and more */,
  ]
  const metadata = {
    'format-version': 2,
    location,
    'current-schema-id': 0,
    schemas: [{ 'schema-id': 0, fields: columns.map(([name, type], i) => ({ id: i + 1, name, type })) }],
    'partition-specs': [
      {
        'spec-id': 0,
        fields: [
          { name: 'region', transform: 'identity', 'source-id': 3, 'field-id': 1000 },
          { name: 'time_dt_day', transform: 'day', 'source-id': 2, 'field-id': 1001 },
        ],
      },
    ],
    'current-snapshot-id': 1,
    snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1_772_600_000_000, 'manifest-list': at('snap-1.avro') }],
  }
  writeFileSync(`${folder}/metadata/00007-0a1b2c3d.metadata.json`, JSON.stringify(metadata))
}

const DAY_MS = 86_400_000

/** Writes a lake of version 2 with the same events as one of version 1, as it would be at `s3://<bucket>/`. */
export async function asVersion2(lake: string, folder: string, bucket: string): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  for (const [kind, columns] of Object.entries(COLUMNS)) {
    const [table, files] = [`aws/${kind}/2.0`, []] as [string, TableOf['files'][number][]]
    for (const { key } of new FolderBackend(lake).scan(`aws/${kind}/1.0/`, '')) {
      const [, region = '', day = ''] = /region=([^/]+)\/.*eventDay=(\d{8})/.exec(key) ?? []
      const below = key.slice(`aws/${kind}/1.0/`.length)
      const to = `${folder}/${table}/${below}`
      mkdirSync(to.replace(/[^/]+$/, ''), { recursive: true })
      await connection.run(
        `copy (select ${columns} from read_parquet(${literal(`${lake}/${key}`)}, hive_partitioning = false)) to ${literal(to)} (format parquet, compression zstd)`,
      )
      const date = Date.parse(day.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3'))
      files.push({ key: below, region, day: date / DAY_MS })
    }
    writeTable({ folder: `${folder}/${table}`, location: `s3://${bucket}/${table}`, files })
  }
  connection.closeSync()
}

/** Puts a table of a lake into the catalog, as Security Lake does. @param place.source for example `vpc_flow_2_0` */
export function catalogLake(
  { athena: { catalog } }: Sandbox,
  { bucket, source, key }: { readonly bucket: string; readonly source: string; readonly key: string },
): void {
  const region = 'us_east_1'
  const database = `amazon_security_lake_glue_db_${region}`
  catalog.createDatabase(database, true)
  catalog.add({
    database,
    name: `amazon_security_lake_table_${region}_${source}`,
    columns: [],
    partitions: [],
    format: 'parquet',
    delimiter: '',
    location: `s3://${bucket}/${key.replace(/metadata\/.*/, '')}`,
    parameters: { table_type: 'ICEBERG', metadata_location: `s3://${bucket}/${key}` },
    created: new Date(0),
  })
}
