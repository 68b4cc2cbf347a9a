import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compactTime } from '../../scripts/lib/runs/window.ts'
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

/** The last full hour, whose late files are still due: as a window, and the key of what was delivered so many minutes before its end. */
export function lastHour() {
  const end = Math.floor(Date.now() / 3_600_000) * 3_600_000
  const time = (minutes: number) => new Date(end - minutes * 60_000)
  const flag = (minutes: number) => time(minutes).toISOString().slice(0, 19)
  return {
    window: ['--source', 'cloudtrail', '--from', flag(60), '--to', flag(0)],
    at: (minutes: number) => trailKey('111122223333', 'us-east-1', compactTime(time(minutes))),
  }
}

/** Stages from a folder into a workspace. */
export async function stageInto(workspace: string, logs: string, args: readonly string[]) {
  const ended = await runScript('stage', ['--logs', logs, '--workspace', workspace, '--output', 'json', ...args])
  return { ...ended, result: ended.code === 0 ? JSON.parse(ended.stdout) : undefined }
}

/** Stages the second of March, or another window, from a folder, into a workspace of its own unless one is named. */
export function stageDay(logs: string, args: readonly string[], workspace = scratch()) {
  const window = args.includes('--from') ? [] : ['--from', '2026-03-02', '--to', '2026-03-03']
  return stageInto(workspace, logs, ['--source', 'cloudtrail', ...window, ...args])
}

/** Paths of all files below a folder. */
export const stagedFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    // A killed writer may leave its draft, which no store ever shows, and its lock, which nobody takes for a living one's.
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.draft-') && entry.name !== 'run.lock')
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort()
