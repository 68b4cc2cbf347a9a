import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { scriptPath } from '../support/run-script.ts'
import { type Measured, measured } from './measured.ts'

/** The job that the original tool took 17 minutes for, in one process: node --import tsx test/bench/job.ts --size 2.5GB --users 9000 */
const USERS = 9000
const SIZE = '2.5GB'
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-12']

interface JobFigures extends Measured {
  readonly size: string
  readonly users: number
  /** Seconds by step. */
  readonly steps: readonly string[]
}

/** Stage, extract, train, score and report over simulated logs. */
export async function benchJob(size = SIZE, users = USERS): Promise<JobFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  const node = (name: string, args: readonly string[]) => measured(process.execPath, [scriptPath(name), ...args])
  try {
    const logs = join(folder, 'logs')
    await node('simulate', ['--logs', logs, '--source', 'cloudtrail', '--size', size, '--users', String(users)])
    const where = ['--source', 'cloudtrail', '--logs', logs, '--workspace', join(folder, 'workspace'), ...WINDOW]
    const done = await node('pipeline', where)
    return { ...done, size, users, steps: [...done.stderr.matchAll(/^(\w+): done in (.*)$/gm)].map(([line]) => line) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const describeJob = ({ size, users, seconds, cpuSeconds, peakBytes, steps }: JobFigures): string =>
  [
    `job: ${size} of logs, ${users} users, from stage to report ${seconds.toFixed(1)} s, ${cpuSeconds?.toFixed(1) ?? '?'} s of processor time, peak ${((peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB (wanted at 2.5 GB: 30 s, 600 MB)`,
    ...steps.map((step) => `  ${step}`),
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { size: { type: 'string' }, users: { type: 'string' } } })
  const users = values.users === undefined ? undefined : Number(values.users)
  process.stdout.write(`${describeJob(await benchJob(values.size, users))}\n`)
}
