import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { scriptPath } from '../support/run-script.ts'
import { type Measured, measured } from './measured.ts'

/** Large enough that starting up, which takes the same time for any size, is a small part. */
const SIZE = '480MB'
const TEXT_SIZE = '240MB'
const TEXT_SOURCES = ['alb', 'cloudfront', 'vpcflow', 's3access'] as const
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-12']
const ROUNDS = 3

/** Extract beside bare decompression, over the same staged files. */
interface ExtractFigures {
  readonly source: string
  readonly records: number
  /** Uncompressed. */
  readonly bytes: number
  readonly extract: Measured
  readonly unpack: Measured
  /** A Python loop over CloudTrail. */
  readonly python?: Measured
}

const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const node = (name: string, args: readonly string[]) => measured(process.execPath, [scriptPath(name), ...args])

/** Other load changes processor time less than the time that passes. */
const best = (of: readonly Measured[]) => of.reduce((a, b) => ((a.cpuSeconds ?? 0) <= (b.cpuSeconds ?? 0) ? a : b))

/** Simulates and stages logs of a source. Returns the workspace and the folder of the staged files. */
async function staged(folder: string, source: string, size: string) {
  const [logs, workspace] = [join(folder, 'logs'), join(folder, 'workspace')]
  await node('simulate', ['--logs', logs, '--source', source, '--size', size])
  const staging = ['--source', source, '--logs', logs, '--workspace', workspace, ...WINDOW, '--output', 'json']
  return { workspace, files: (JSON.parse((await node('stage', staging)).stdout) as { staged: string }).staged }
}

/** A folder with the same files compressed: those of S3 access come as plain text, and there would be nothing to compare with. */
function compressed(files: string, folder: string): string {
  const to = join(folder, 'compressed')
  mkdirSync(to)
  for (const file of readdirSync(files, { recursive: true, withFileTypes: true }))
    if (file.isFile())
      writeFileSync(join(to, `${basename(file.name)}.gz`), gzipSync(readFileSync(join(file.parentPath, file.name))))
  return to
}

async function compare(source: string, size: string): Promise<ExtractFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const { workspace, files } = await staged(folder, source, size)
    const packed = source === 's3access' ? compressed(files, folder) : files
    const rounds = { extract: [] as Measured[], unpack: [] as Measured[], python: [] as Measured[] }
    for (let round = 0; round < ROUNDS; round++) {
      rounds.unpack.push(await measured(process.execPath, [own('unpack.mjs'), packed]))
      rounds.extract.push(await node('extract', ['--workspace', workspace, '--overwrite', '--output', 'json']))
      if (source === 'cloudtrail')
        rounds.python.push(await measured('python3', [own('baseline.py'), files, join(folder, 'rows.csv')]))
    }
    const [extract, unpack] = [best(rounds.extract), best(rounds.unpack)]
    const { events: records } = JSON.parse(extract.stdout) as { events: number }
    const python = rounds.python.length > 0 ? { python: best(rounds.python) } : {}
    return { source, records, bytes: Number(unpack.stdout), extract, unpack, ...python }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** CloudTrail, beside a Python loop, too. */
export const benchExtract = async (): Promise<ExtractFigures[]> => [await compare('cloudtrail', SIZE)]

/** The sources of lines of text. */
export async function benchText(sources: readonly string[] = TEXT_SOURCES): Promise<ExtractFigures[]> {
  const figures: ExtractFigures[] = []
  for (const source of sources) figures.push(await compare(source, TEXT_SIZE))
  return figures
}

const cpu = ({ cpuSeconds }: Measured): string => `${(cpuSeconds ?? Number.NaN).toFixed(1)} s`
const ratio = (a: Measured, b: Measured): string =>
  ((a.cpuSeconds ?? Number.NaN) / (b.cpuSeconds ?? Number.NaN)).toFixed(1)

const describeOne = ({ source, records, bytes, extract, unpack, python }: ExtractFigures): string =>
  [
    `extract of ${source}: ${records.toLocaleString('en-US')} records, ${(bytes / 1e6).toFixed(0)} MB uncompressed, whole processes, the best of ${ROUNDS}`,
    `  processor time  ${cpu(extract)}, decompressing on two threads ${cpu(unpack)}: ${ratio(extract, unpack)} times as much (wanted: at most ${source === 'cloudtrail' ? '2.5' : '3'})`,
    `  time            ${extract.seconds.toFixed(1)} s, decompressing ${unpack.seconds.toFixed(1)} s; peak ${((extract.peakBytes ?? Number.NaN) / 1e6).toFixed(0)} MB`,
    ...(python ? [`  Python loop     ${cpu(python)}: ${ratio(python, extract)} times as much`] : []),
  ].join('\n')

export const describeExtract = (figures: readonly ExtractFigures[]): string => figures.map(describeOne).join('\n')
