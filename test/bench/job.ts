import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { scriptPath } from '../support/run-script.ts'
import { type Measured, measured } from './measured.ts'

const USERS = 9000
const SIZE = '2.5GB'
/** 10 GB. */
const TIMES = 4
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-12']

interface JobFigures extends Measured {
  readonly size: string
  /** How often the same logs lie there, each time as those of other accounts. */
  readonly times: number
  /** Seconds by step. */
  readonly steps: readonly string[]
}

const node = (name: string, args: readonly string[]) => measured(process.execPath, [scriptPath(name), ...args])

/** The job that the original tool took 17 minutes for, in one process: stage, extract, train, score and report over simulated logs. */
export const benchJob = (size?: string): Promise<JobFigures[]> => jobs([1], size)

/** The same, and four times as much of it: memory must not grow with the logs, nor time by more than they do. */
export const benchLarge = (size?: string): Promise<JobFigures[]> => jobs([1, TIMES], size)

async function jobs(sizes: readonly number[], size = SIZE): Promise<JobFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const logs = join(folder, 'logs')
    await node('simulate', ['--logs', logs, '--source', 'cloudtrail', '--size', size, '--users', String(USERS)])
    const figures: JobFigures[] = []
    for (const times of sizes) {
      if (times > 1) repeat(logs, times)
      const workspace = join(folder, `workspace-${times}`)
      const done = await node('pipeline', [
        '--source',
        'cloudtrail',
        '--logs',
        logs,
        '--workspace',
        workspace,
        ...WINDOW,
      ])
      const steps = [...done.stderr.matchAll(/^(\w+): done in (.*)$/gm)].map(([line]) => line)
      figures.push({ ...done, size, times, steps })
      rmSync(workspace, { recursive: true })
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Links every log file under the keys of other accounts, which takes no room on the disk. */
function repeat(logs: string, times: number): void {
  const files = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.gz'))
  for (const file of files)
    for (let copy = 1; copy < times; copy++) {
      const path = join(
        logs,
        file.replace(/(?<![0-9])[0-9]{12}(?![0-9])/g, (account) => other(account, copy)),
      )
      mkdirSync(dirname(path), { recursive: true })
      linkSync(join(logs, file), path)
    }
}

const other = (account: string, copy: number): string => `${(Number(account[0]) + copy) % 10}${account.slice(1)}`

export const describeJob = (figures: readonly JobFigures[]): string =>
  figures
    .flatMap(({ size, times, seconds, cpuSeconds, peakBytes, steps }) => [
      `job: ${times} × ${size} of logs, ${USERS} users, from stage to report ${seconds.toFixed(1)} s, ${cpuSeconds?.toFixed(1) ?? '?'} s of processor time, peak ${((peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB (wanted: ${times === 1 ? '30 s, 600 MB' : `${times} times as long as once, 1 GB`})`,
      ...steps.map((step) => `  ${step}`),
    ])
    .join('\n')
