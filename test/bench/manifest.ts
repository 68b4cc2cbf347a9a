import { zeroContent } from '../sandbox/s3/content.ts'
import { MemoryBackend } from '../sandbox/s3/memory.ts'
import type { StoredObject } from '../sandbox/s3/stored.ts'
import { virtualLogs } from '../sandbox/s3/virtual-logs.ts'
import { startSandbox } from '../sandbox/start.ts'
import { scriptPath } from '../support/run-script.ts'
import { measured } from './measured.ts'

const REGIONS = 18
const ACCOUNTS = 20
/** With a file each minute, account and region: more than five million objects. */
const DAYS = 10

interface ManifestFigures {
  readonly rows: number
  readonly requests: number
  readonly seconds: number
  readonly peakBytes: number | undefined
}

/** A bucket that keeps what it must tell of large objects, and not their bytes. */
class ForgetfulBackend extends MemoryBackend {
  override put(object: StoredObject): void {
    super.put(object.size > 2 ** 20 ? { ...object, content: zeroContent(object.size) } : object)
  }
}

/** Stages a window of five million objects by a batch job, up to the job itself: it is refused. */
export async function benchManifest(days = DAYS): Promise<ManifestFigures> {
  const logs = virtualLogs({
    accounts: ACCOUNTS,
    regions: Array.from({ length: REGIONS }, (_, i) => `xx-test-${i}`),
    from: '2026-01-01',
    days: days + 1,
    every: 1,
    services: ['CloudTrail'],
  })
  const sandbox = await startSandbox({
    checkAnswers: false,
    buckets: { 'org-logs': { backend: logs }, 'org-staging': { backend: new ForgetfulBackend() } },
  })
  sandbox.s3.deny({ action: 's3:CreateJob' })
  try {
    const to = new Date(Date.UTC(2026, 0, 1 + days)).toISOString().slice(0, 10)
    const window = ['--source', 'cloudtrail', '--logs', 's3://org-logs', '--from', '2026-01-01', '--to', to]
    const role = 'arn:aws:iam::111122223333:role/prestage-batch'
    const how = ['--workspace', 's3://org-staging/prestage', '--copy', 'batch', '--batch-role', role, '--yes']
    const args = [scriptPath('stage'), ...window, ...how]
    const { stderr, seconds, peakBytes } = await measured(process.execPath, args, sandbox.env, 4)
    const [, rows = '', requests = ''] = /selecting: ([\d,]+) objects with ([\d,]+) LIST requests/.exec(stderr) ?? []
    if (sandbox.requests.of('CreateJob') !== 1) throw new Error(`no job was asked for: ${stderr}`)
    return { rows: numberOf(rows), requests: numberOf(requests), seconds, peakBytes }
  } finally {
    await sandbox.close()
  }
}

const numberOf = (text: string): number => Number(text.replaceAll(',', ''))

export const describeManifest = ({ rows, requests, seconds, peakBytes }: ManifestFigures): string =>
  `manifest: ${rows.toLocaleString('en-US')} rows listed, planned, saved and handed to a batch job with ${requests.toLocaleString('en-US')} LIST requests, whole process ${seconds.toFixed(0)} s, peak ${((peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB`
