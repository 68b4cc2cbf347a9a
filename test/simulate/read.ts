import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { keyParser } from '../../scripts/lib/sources/layout.ts'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'

/** All keys of a simulated folder, without what simulate itself leaves beside them. */
export async function keysOf(folder: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of folderStore(folder).list({ prefix: 'AWSLogs/' })) keys.push(key)
  return keys
}

/** The key's layout and time, when it belongs to the logs of a source. */
export function logKey(source: string, key: string) {
  for (const layout of sourceOf(source).layouts) {
    const parsed = keyParser(layout)(key)
    if (parsed !== undefined) return { layout, ...parsed }
  }
  return undefined
}

export const contentOf = (folder: string, key: string): Buffer => {
  const bytes = readFileSync(folderStore(folder).localPath(key))
  return key.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

export interface TrailRecord {
  readonly eventID: string
  readonly eventTime: string
  readonly sourceIPAddress: string
  readonly userIdentity?: { type?: string; principalId?: string; arn?: string; invokedBy?: string }
  readonly [field: string]: unknown
}

export interface WebRecord {
  readonly timestamp: number
  readonly httpRequest: {
    clientIp: string
    requestId: string
    headers: { name: string; value: string }[]
    [field: string]: unknown
  }
  readonly [field: string]: unknown
}

export interface Delivered<R> {
  readonly key: string
  readonly time: Date
  readonly record: R
}

export async function trailRecords(folder: string): Promise<Delivered<TrailRecord>[]> {
  return (await keysOf(folder)).flatMap((key) => {
    const time = logKey('cloudtrail', key)?.time
    if (time === undefined) return []
    const { Records } = JSON.parse(contentOf(folder, key).toString()) as { Records: TrailRecord[] }
    return Records.map((record) => ({ key, time, record }))
  })
}

export async function webRecords(folder: string): Promise<Delivered<WebRecord>[]> {
  return (await keysOf(folder)).flatMap((key) => {
    const time = logKey('waf', key)?.time
    if (time === undefined) return []
    const lines = contentOf(folder, key).toString().trimEnd().split('\n')
    return lines.map((line) => ({ key, time, record: JSON.parse(line) as WebRecord }))
  })
}

export const agentOf = ({ httpRequest }: WebRecord): string | undefined =>
  httpRequest.headers.find(({ name }) => name.toLowerCase() === 'user-agent')?.value

/** Every file of a folder with the hash of its bytes, for comparing whole folders. */
export const bytesOf = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .sort()
      .map((path) => [
        path.slice(folder.length),
        createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12),
      ]),
  )
