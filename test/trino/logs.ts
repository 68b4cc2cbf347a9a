import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFile } from '../../scripts/lib/engines/records/index.ts'
import { keyParser } from '../../scripts/lib/sources/layout.ts'
import { sourceIds, sourceOf, sources } from '../../scripts/lib/sources/registry.ts'
import { type Source, sourceParser } from '../../scripts/lib/sources/source.ts'
import { fewObjects } from '../support/few-objects.ts'
import { ROOT } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'
import { oddEvents, oddRequests } from './odd.ts'
import { linesOfFile } from './tables.ts'

/** Logs of one source on which both engines must agree. */
export interface Logs {
  readonly source: Source
  readonly files: readonly LogFile[]
}

/** From the midst of the WAF sample to the midst of what is simulated, so that both ends cut something off. */
export const WINDOW = {
  from: new Date('2023-04-24T22:18:00Z'),
  to: new Date('2026-03-04T00:00:00Z'),
  cutoff: new Date('2026-03-03T14:24:00Z'),
}

const SAMPLES = join(ROOT, '../shared/samples')

/** Simulated logs, odd records, and real ones where they lie beside the project. */
export async function allLogs(): Promise<Logs[]> {
  const simulated = await simulatedLogs()
  const events = [
    ...filesIn(simulated, /\/CloudTrail\//),
    ...written(oddEvents()),
    ...filesIn(join(SAMPLES, 'invictus-ir_aws_dataset'), /\/CloudTrail\/.*\.json$/),
  ]
  const requests = [
    ...filesIn(simulated, /\/WAFLogs\//),
    ...written(oddRequests()),
    ...filesIn(join(SAMPLES, 'aws-waf-security-automations'), /\.gz$/),
  ]
  return [
    { source: sourceOf('cloudtrail'), files: events },
    { source: sourceOf('waf'), files: requests },
    ...(await fewOfOthers()),
  ]
}

/** Each of so many lines is kept. */
const THIN = 20

/** The other sources, once for each address that may be in their pairs, with a few simulated logs and lines that are odd. */
async function fewOfOthers(): Promise<Logs[]> {
  const folder = await fewObjects({ sources: sourceIds })
  const all = filesIn(folder, /./)
  return Object.values(sources)
    .filter(({ id }) => id !== 'cloudtrail' && id !== 'waf')
    .flatMap((source) => {
      const parse = sourceParser(source, keyParser)
      // Of several forms of one source it is the text that its table reads; Parquet has one of its own.
      const files = all.filter((file) => parse(file.key) && (source.isParquet || isText(file, source)))
      const addresses = new Set(Object.values(source.entities).map(({ address }) => address))
      const some = source.isParquet ? files : files.map((file) => thinned(source, file))
      const odd = source.text === undefined ? [] : [oddLines(source, some)]
      return [...addresses].map((address) => ({
        source: address === undefined ? source : { ...source, address },
        files: [...some, ...odd],
      }))
    })
}

/** Whether a file has lines of text, or of JSON where that is what the source has. */
function isText({ path }: LogFile, { text }: Source): boolean {
  const [first = ''] = linesOfFile(path)
  return !first.startsWith('PAR1') && (text === undefined || !first.startsWith('{'))
}

/** Lines before the records of a file. */
const headsOf = (text: Source['text']): number => (text === undefined || 'pattern' in text ? 0 : 2)

/** A file with some of the lines of another one. */
function thinned({ text }: Source, { key, path: whole }: LogFile): LogFile {
  const heads = headsOf(text)
  const path = join(tempFolder(), 'thinned')
  const kept = linesOfFile(whole).filter((_, i) => i < heads || (i - heads) % THIN === 0)
  writeFileSync(path, kept.map((line) => `${line}\n`).join(''))
  return { key, path, size: statSync(path).size }
}

/** A file of changed lines after the ones that name fields: cut, without a field, with text that needs care, empty. */
function oddLines({ text }: Source, [first]: readonly LogFile[]): LogFile {
  const lines = linesOfFile(first?.path ?? '')
  const isPattern = text !== undefined && 'pattern' in text
  const heads = lines.slice(0, headsOf(text))
  const changed = lines
    .slice(heads.length, 40)
    .flatMap((line, i) => [
      line.slice(0, Math.floor((line.length * (i + 1)) / 40)),
      line.replace(/"[^"]*"/, '"a \\"b\\" %22 é 漢字 🙂 -"'),
      line.replace(/[^ \t"]+(?=[ \t])/g, (field, at: number) => (at % 5 === i % 5 ? '-' : field)),
      `${line}${isPattern ? ' more "and more"' : ''}`,
    ])
  const path = join(tempFolder(), 'odd.log')
  writeFileSync(path, [...heads, ...changed, ''].map((line) => `${line}\n`).join(''))
  return { key: 'odd.log', path, size: statSync(path).size }
}

function filesIn(folder: string, pattern: RegExp): LogFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((key) => ({ key, path: join(folder, key) }))
    .filter(({ path }) => pattern.test(path) && statSync(path).isFile())
    .map((file) => ({ ...file, size: statSync(file.path).size }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

function written(records: readonly unknown[]): LogFile[] {
  const folder = tempFolder()
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'records.json')
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  return [{ key: 'records.json', path, size: statSync(path).size }]
}
