import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { identifier, literal } from '../../scripts/lib/engines/render.ts'
import { FolderBackend } from '../sandbox/s3/folder.ts'

/** Types of the fields: "Flow log records", VPC user guide; all others are text. */
const TYPES: Readonly<Record<string, string>> = {
  version: 'integer',
  srcport: 'integer',
  dstport: 'integer',
  protocol: 'integer',
  'tcp-flags': 'integer',
  packets: 'bigint',
  bytes: 'bigint',
  start: 'bigint',
  end: 'bigint',
}

/** Copies flow logs of text into a folder as Parquet, under the keys that AWS gives such. Returns these. */
export async function parquetFlows(logs: string, folder: string): Promise<string[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const keys: string[] = []
  for (const { key } of new FolderBackend(logs).scan('AWSLogs/', '')) {
    if (!key.includes('_vpcflowlogs_')) continue
    const path = `${folder}/${key.replace(/gz$/, 'parquet')}`
    mkdirSync(dirname(path), { recursive: true })
    const [header = '', ...lines] = String(gunzipSync(readFileSync(`${logs}/${key}`)))
      .trimEnd()
      .split('\n')
    writeFileSync(`${path}.csv`, lines.filter((line) => line !== header).join('\n'))
    const names = header.split(' ')
    const columns = names.map((name) => `${literal(name.replaceAll('-', '_'))}: ${literal(TYPES[name] ?? 'varchar')}`)
    const csv = `read_csv(${literal(`${path}.csv`)}, delim = ' ', header = false, nullstr = '-', columns = {${columns.join(', ')}})`
    const texts = names.filter((name) => !(name in TYPES)).map((name) => identifier(name.replaceAll('-', '_')))
    // Text that is absent is a hyphen there, too.
    const replaced = texts.map((name) => `coalesce(${name}, '-') as ${name}`).join(', ')
    await connection.run(
      `copy (select * replace (${replaced}) from ${csv}) to ${literal(path)} (format parquet, compression gzip)`,
    )
    keys.push(key.replace(/gz$/, 'parquet'))
  }
  connection.closeSync()
  return keys
}
