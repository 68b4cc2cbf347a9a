import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scriptPath } from '../support/run-script.ts'
import { type Measured, measured } from './measured.ts'

const SIZE = '240MB'
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-12']
const ROUNDS = 2

export interface ExtractFigures {
  readonly records: number
  /** Uncompressed. */
  readonly bytes: number
  readonly extract: Measured
  readonly python: Measured
  readonly unpack: Measured
}

const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const node = (name: string, args: readonly string[]) => measured(process.execPath, [scriptPath(name), ...args])

/** Extract beside a Python loop and beside bare decompression, over the same staged files: the best rounds of each. */
export async function benchExtract(): Promise<ExtractFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const [logs, workspace] = [join(folder, 'logs'), join(folder, 'workspace')]
    await node('simulate', ['--logs', logs, '--source', 'cloudtrail', '--size', SIZE])
    const staging = ['--source', 'cloudtrail', '--logs', logs, '--workspace', workspace, ...WINDOW, '--output', 'json']
    const { staged } = JSON.parse((await node('stage', staging)).stdout) as { staged: string }
    const rounds = { extract: [] as Measured[], python: [] as Measured[], unpack: [] as Measured[] }
    for (let round = 0; round < ROUNDS; round++) {
      rounds.unpack.push(await measured(process.execPath, [own('unpack.mjs'), staged]))
      rounds.python.push(await measured('python3', [own('baseline.py'), staged, join(folder, 'rows.csv')]))
      rounds.extract.push(await node('extract', ['--workspace', workspace, '--overwrite', '--output', 'json']))
    }
    const best = (of: readonly Measured[]) => of.reduce((a, b) => (a.seconds <= b.seconds ? a : b))
    const [extract, python, unpack] = [best(rounds.extract), best(rounds.python), best(rounds.unpack)]
    const { events } = JSON.parse(extract.stdout) as { events: number }
    return { records: events, bytes: Number(unpack.stdout), extract, python, unpack }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const cpu = ({ cpuSeconds }: Measured): string => `${(cpuSeconds ?? Number.NaN).toFixed(1)} s`

export const describeExtract = ({ records, bytes, extract, python, unpack }: ExtractFigures): string =>
  [
    `extract: ${records.toLocaleString('en-US')} CloudTrail records, ${(bytes / 1e6).toFixed(0)} MB uncompressed, whole processes, best of ${ROUNDS}`,
    `  extract                    ${extract.seconds.toFixed(1)} s, peak ${((extract.peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB`,
    `  Python loop                ${python.seconds.toFixed(1)} s: ${(python.seconds / extract.seconds).toFixed(1)} times as long`,
    `  decompressing, two threads ${unpack.seconds.toFixed(1)} s: extract takes ${(extract.seconds / unpack.seconds).toFixed(1)} times as long`,
    `  in processor time          extract ${cpu(extract)}, Python ${cpu(python)}, decompressing ${cpu(unpack)}: ${((extract.cpuSeconds ?? Number.NaN) / (unpack.cpuSeconds ?? Number.NaN)).toFixed(1)} times as much (wanted: at most 2.5)`,
    `  so whatever only decompresses and stops is ${(python.seconds / unpack.seconds).toFixed(1)} times as fast as the Python loop`,
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${describeExtract(await benchExtract())}\n`)
