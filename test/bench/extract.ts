import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scriptPath } from '../support/run-script.ts'
import { type Measured, measured } from './measured.ts'

const SIZE = '240MB'
/** Lines of text in many small files. */
const TEXT = { source: 'alb', size: '111MB' } as const
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-12']
const ROUNDS = 2

export interface ExtractFigures {
  readonly records: number
  /** Uncompressed. */
  readonly bytes: number
  readonly extract: Measured
  readonly python: Measured
  readonly unpack: Measured
  readonly text: { readonly records: number; readonly extract: Measured; readonly unpack: Measured }
}

const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const node = (name: string, args: readonly string[]) => measured(process.execPath, [scriptPath(name), ...args])

const best = (of: readonly Measured[]) => of.reduce((a, b) => (a.seconds <= b.seconds ? a : b))
const recordsOf = ({ stdout }: Measured): number => (JSON.parse(stdout) as { events: number }).events

/** Simulates and stages logs of a source. Returns the workspace and the folder of the staged files. */
async function staged(folder: string, source: string, size: string) {
  const [logs, workspace] = [join(folder, 'logs', source), join(folder, 'workspace', source)]
  await node('simulate', ['--logs', logs, '--source', source, '--size', size])
  const staging = ['--source', source, '--logs', logs, '--workspace', workspace, ...WINDOW, '--output', 'json']
  return { workspace, files: (JSON.parse((await node('stage', staging)).stdout) as { staged: string }).staged }
}

const unpackOf = (files: string) => measured(process.execPath, [own('unpack.mjs'), files])
const extractOf = (workspace: string) => node('extract', ['--workspace', workspace, '--overwrite', '--output', 'json'])

/** Extract beside bare decompression, and for CloudTrail beside a Python loop, over the same staged files: the best rounds of each. */
export async function benchExtract(): Promise<ExtractFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const { workspace, files } = await staged(folder, 'cloudtrail', SIZE)
    const lines = await staged(folder, TEXT.source, TEXT.size)
    const rounds = { extract: [] as Measured[], python: [] as Measured[], unpack: [] as Measured[] }
    const text = { extract: [] as Measured[], unpack: [] as Measured[] }
    for (let round = 0; round < ROUNDS; round++) {
      rounds.unpack.push(await unpackOf(files))
      rounds.python.push(await measured('python3', [own('baseline.py'), files, join(folder, 'rows.csv')]))
      rounds.extract.push(await extractOf(workspace))
      text.unpack.push(await unpackOf(lines.files))
      text.extract.push(await extractOf(lines.workspace))
    }
    const [extract, python, unpack] = [best(rounds.extract), best(rounds.python), best(rounds.unpack)]
    const ofText = { extract: best(text.extract), unpack: best(text.unpack) }
    return {
      records: recordsOf(extract),
      bytes: Number(unpack.stdout),
      extract,
      python,
      unpack,
      text: { records: recordsOf(ofText.extract), ...ofText },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const cpu = ({ cpuSeconds }: Measured): string => `${(cpuSeconds ?? Number.NaN).toFixed(1)} s`

const ratio = (a: Measured, b: Measured): string =>
  ((a.cpuSeconds ?? Number.NaN) / (b.cpuSeconds ?? Number.NaN)).toFixed(1)

export const describeExtract = ({ records, bytes, extract, python, unpack, text }: ExtractFigures): string =>
  [
    `extract: ${records.toLocaleString('en-US')} CloudTrail records, ${(bytes / 1e6).toFixed(0)} MB uncompressed, whole processes, best of ${ROUNDS}`,
    `  extract                    ${extract.seconds.toFixed(1)} s, peak ${((extract.peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB`,
    `  Python loop                ${python.seconds.toFixed(1)} s: ${(python.seconds / extract.seconds).toFixed(1)} times as long`,
    `  decompressing, two threads ${unpack.seconds.toFixed(1)} s: extract takes ${(extract.seconds / unpack.seconds).toFixed(1)} times as long`,
    `  in processor time          extract ${cpu(extract)}, Python ${cpu(python)}, decompressing ${cpu(unpack)}: ${ratio(extract, unpack)} times as much (wanted: at most 2.5)`,
    `  so whatever only decompresses and stops is ${(python.seconds / unpack.seconds).toFixed(1)} times as fast as the Python loop`,
    `extract: ${text.records.toLocaleString('en-US')} lines of ALB, ${(Number(text.unpack.stdout) / 1e6).toFixed(0)} MB uncompressed`,
    `  in processor time          extract ${cpu(text.extract)}, decompressing ${cpu(text.unpack)}: ${ratio(text.extract, text.unpack)} times as much (wanted: at most 3)`,
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${describeExtract(await benchExtract())}\n`)
