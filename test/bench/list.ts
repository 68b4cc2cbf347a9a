import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { virtualLogs } from '../sandbox/s3/virtual-logs.ts'
import { startSandbox } from '../sandbox/start.ts'
import { scriptPath } from '../support/run-script.ts'
import { measured } from './measured.ts'

const ACCOUNTS = 20
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-southeast-2']
const DAYS = 90
const WINDOWS = [
  ['one day', '2026-02-10', '2026-02-11'],
  ['one hour', '2026-02-10T13:00', '2026-02-10T14:00'],
] as const

interface ListFigures {
  readonly window: string
  readonly objects: number
  readonly requests: number
  /** The root, AWSLogs/, the accounts, the regions of each, and of each branch as many pages as its objects fill. */
  readonly fewest: number
  readonly seconds: number
  readonly peakBytes: number | undefined
}

/** Finds a window of one source in a bucket of ninety days, twenty accounts and four regions, as a dry run. */
export async function benchList(): Promise<readonly ListFigures[]> {
  const backend = virtualLogs({
    accounts: ACCOUNTS,
    regions: REGIONS,
    from: '2026-01-01',
    days: DAYS,
    services: ['CloudTrail'],
  })
  const sandbox = await startSandbox({ checkAnswers: false, buckets: { 'org-logs': { backend } } })
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const figures: ListFigures[] = []
    for (const [window, from, to] of WINDOWS) {
      const args = ['--source', 'cloudtrail', '--logs', 's3://org-logs', '--from', from, '--to', to]
      const options = ['--workspace', folder, '--dry-run', '--output', 'json']
      const { stdout, seconds, peakBytes } = await measured(
        process.execPath,
        [scriptPath('stage'), ...args, ...options],
        sandbox.env,
      )
      const { objects, listRequests: requests } = JSON.parse(stdout) as { objects: number; listRequests: number }
      const branches = ACCOUNTS * REGIONS.length
      const fewest = 2 + ACCOUNTS + branches * Math.max(1, Math.ceil(objects / branches / 1000))
      figures.push({
        window,
        objects,
        requests,
        fewest,
        seconds,
        peakBytes,
      })
    }
    return figures
  } finally {
    await sandbox.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** CloudTrail keys in the bucket: one each five minutes, account and region. */
const KEYS = (DAYS * ACCOUNTS * REGIONS.length * 24 * 60) / 5

export const describeList = (figures: readonly ListFigures[]): string =>
  [
    `listing: ${KEYS.toLocaleString('en-US')} keys, ${DAYS} days, ${ACCOUNTS} accounts, ${REGIONS.length} regions; listing everything takes ${Math.ceil(KEYS / 1000).toLocaleString('en-US')} requests`,
    ...figures.map(
      ({ window, objects, requests, fewest, seconds, peakBytes }) =>
        `  ${window}: ${objects.toLocaleString('en-US')} objects with ${requests} LIST requests (fewest possible ${fewest}: ${(requests / fewest).toFixed(2)} times), whole process ${seconds.toFixed(1)} s, peak ${((peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB`,
    ),
  ].join('\n')
