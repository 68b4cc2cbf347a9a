import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import type { Place } from './s3-run.ts'
import { type SimulatedOptions, simulatedLogs } from './simulated.ts'

/**
 * Puts simulated CloudTrail logs into a bucket, those of a region and day as one object: as many events as ever, and so few
 * objects that each of them can be looked at.
 */
export async function loadFewObjects(sandbox: Place, bucket: string, options: SimulatedOptions): Promise<void> {
  const logs = await simulatedLogs({ ...options, sources: ['cloudtrail'] })
  const days = new Map<string, { key: string; records: unknown[] }>()
  for (const { key } of new FolderBackend(logs).scan('AWSLogs/', '')) {
    const day = /^AWSLogs\/.*\/CloudTrail\/[\w-]+\/\d{4}\/\d\d\/\d\d\//.exec(key)?.[0]
    if (day === undefined) continue
    const { records } = days.get(day) ?? days.set(day, { key, records: [] }).get(day)!
    records.push(...(JSON.parse(String(gunzipSync(readFileSync(`${logs}/${key}`)))) as { Records: unknown[] }).Records)
  }
  for (const { key, records } of days.values())
    sandbox.s3.put(bucket, key, gzipSync(JSON.stringify({ Records: records })))
}
