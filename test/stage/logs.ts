import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runScript } from '../support/run-script.ts'

/** A folder that is removed by nobody but the system: tests only ever add to their own. */
export const scratch = (): string => mkdtempSync(join(tmpdir(), 'prestage-test-'))

/** Writes objects as files; a key's segments are file names as they stand. */
export function writeObjects(folder: string, objects: Readonly<Record<string, string>>): void {
  for (const [key, content] of Object.entries(objects)) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), content)
  }
}

/** Key of a CloudTrail object: `20260302T0005Z` names the time. */
export function trailKey(account: string, region: string, time: string, tail = 'abc', org = 'o-abc123/'): string {
  const day = `${time.slice(0, 4)}/${time.slice(4, 6)}/${time.slice(6, 8)}`
  return `AWSLogs/${org}${account}/CloudTrail/${region}/${day}/${account}_CloudTrail_${region}_${time}_${tail}.json.gz`
}

/** A key for every hour of these days, in each account and region. */
export function hourlyKeys(accounts: readonly string[], regions: readonly string[], days: readonly string[]): string[] {
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'))
  return accounts.flatMap((account) =>
    regions.flatMap((region) =>
      days.flatMap((day) => hours.map((hour) => trailKey(account, region, `${day}T${hour}00Z`))),
    ),
  )
}

export const contents = (keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(keys.map((key) => [key, `content of ${key}`]))

/** Stages the second of March from a folder, into a workspace of its own unless one is named. */
export async function stageDay(logs: string, args: readonly string[], workspace = scratch()) {
  const day = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']
  const where = ['--logs', logs, '--workspace', workspace, '--output', 'json']
  const ended = await runScript('stage', [...where, ...day, ...args])
  return { ...ended, result: ended.code === 0 ? JSON.parse(ended.stdout) : undefined }
}
