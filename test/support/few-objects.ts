import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Database } from '../../scripts/lib/engines/duckdb/database.ts'
import { literal } from '../../scripts/lib/engines/render.ts'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import type { Place } from './s3-run.ts'
import { cached, type SimulatedOptions, simulatedLogs } from './simulated.ts'

const inTurn = (texts: string[]) => texts.join('')

/** What the objects of one place and day have in common, by their source. */
const DAYS = [
  { day: /^AWSLogs\/.*\/CloudTrail\/[\w-]+\/\d{4}\/\d\d\/\d\d\//, join: envelope },
  { day: /^AWSLogs\/.*\/elasticloadbalancing\/[\w-]+\/\d{4}\/\d\d\/\d\d\//, join: inTurn },
  {
    day: /^AWSLogs\/.*vpcflowlogs\/[\w=-]+\/(?:year=)?\d{4}\/(?:month=)?\d\d\/(?:day=)?\d\d\//,
    join: inTurn,
  },
  { day: /^AWSLogs\/.*\/WAFLogs\/[\w-]+\/[\w-]+\/\d{4}\/\d\d\/\d\d\//, join: inTurn },
  { day: /^AWSLogs\/.*\/vpcdnsquerylogs\/[\w-]+\/\d{4}\/\d\d\/\d\d\//, join: inTurn },
  { day: /^cdn\/\w+\.\d{4}-\d\d-\d\d/, join: inTurn },
  { day: /^AWSLogs\/aws-account-id=\d+\/CloudFront\/.*\/day=\d\d\//, join: inTurn },
  { day: /^s3-access\/[a-z-]*\d{4}-\d\d-\d\d/, join: inTurn },
  { day: /^s3-partitioned\/.*\/\d{4}\/\d\d\/\d\d\//, join: inTurn },
  { day: /^cdn\/\w+\.\d{4}-\d\d-\d\d/, join: inTurn },
  // The names of S3 server access logs have their time.
  { day: /^.*\d{4}-\d\d-\d\d(?=-\d\d-\d\d-\d\d-[0-9A-F]{16}$)/, join: inTurn },
  // Firehose has a folder an hour; what it wrote first is kept.
  { day: /^apigateway\/\d{4}\/\d\d\/\d\d\/\d\d\//, join: inTurn },
]

/** Of Parquet. */
const PARQUET_DAY = /^aws\/.*\/eventDay=\d{8}\//

/**
 * A folder of simulated logs, those of a place and day as one object: as many events as ever, for tests that do not depend on the
 * number of objects. It is shared as `simulatedLogs` is.
 */
export function fewObjects(options: SimulatedOptions = {}): Promise<string> {
  return cached(options, 'few-objects', async (draft) => {
    const logs = await simulatedLogs(options)
    const days = new Map<string, { key: string; texts: string[]; join: (texts: string[]) => string }>()
    for (const { key } of new FolderBackend(logs).scan('', ''))
      for (const { day, join } of DAYS) {
        const [name] = day.exec(key) ?? []
        if (name === undefined) continue
        const { texts } = days.get(name) ?? days.set(name, { key, texts: [], join }).get(name)!
        const bytes = readFileSync(`${logs}/${key}`)
        texts.push(String(key.endsWith('.gz') ? gunzipSync(bytes) : bytes))
      }
    for (const { key, texts, join } of days.values()) {
      mkdirSync(dirname(`${draft}/${key}`), { recursive: true })
      writeFileSync(`${draft}/${key}`, key.endsWith('.gz') ? gzipSync(join(texts)) : join(texts))
    }
    await parquetDays(logs, draft)
    writeFileSync(`${draft}/labels.csv`, readFileSync(`${logs}/labels.csv`))
  })
}

async function parquetDays(logs: string, draft: string): Promise<void> {
  const days = new Map<string, string[]>()
  for (const { key } of new FolderBackend(logs).scan('aws/', '')) {
    const [name] = PARQUET_DAY.exec(key) ?? []
    if (name !== undefined) days.set(name, [...(days.get(name) ?? []), key])
  }
  if (days.size === 0) return
  const database = await Database.open({ options: {}, signal: new AbortController().signal })
  const session = await database.connect()
  for (const [day, keys] of days) {
    mkdirSync(`${draft}/${day}`, { recursive: true })
    const files = keys.map((key) => literal(`${logs}/${key}`)).join(', ')
    const target = literal(`${draft}/${keys[0]}`)
    await session.run(
      `copy (from read_parquet([${files}], hive_partitioning = false)) to ${target} (format parquet, compression gzip)`,
    )
  }
  await database.close()
}

function envelope(texts: string[]): string {
  return JSON.stringify({ Records: texts.flatMap((text) => (JSON.parse(text) as { Records: unknown[] }).Records) })
}

/** Puts such logs of CloudTrail into a bucket, as objects that can be replaced and deleted. */
export async function loadFewObjects(sandbox: Place, bucket: string, options: SimulatedOptions): Promise<void> {
  const folder = await fewObjects({ ...options, sources: ['cloudtrail'] })
  for (const { key } of new FolderBackend(folder).scan('AWSLogs/', ''))
    sandbox.s3.put(bucket, key, readFileSync(`${folder}/${key}`))
}
