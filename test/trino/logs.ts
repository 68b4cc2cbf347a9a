import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFile } from '../../scripts/engines/duckdb/spool.ts'
import { sourceOf } from '../../scripts/sources/registry.ts'
import type { Source } from '../../scripts/sources/source.ts'
import { ROOT } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'
import { oddEvents, oddRequests } from './odd.ts'

/** Logs of one source on which both engines must agree. */
export interface Logs {
  readonly name: string
  readonly source: Source
  readonly files: readonly LogFile[]
  readonly from: Date
  readonly to: Date
}

const [cloudtrail, waf] = [sourceOf('cloudtrail'), sourceOf('waf')]
const SAMPLES = join(ROOT, '../shared/samples')

/** Simulated logs, odd records, and real ones where they lie beside the project. */
export async function allLogs(): Promise<Logs[]> {
  const simulated = await simulatedLogs()
  const march = { from: new Date('2026-03-02T00:00:00Z'), to: new Date('2026-03-04T00:00:00Z') }
  const samples = [
    {
      name: 'CloudTrail sample',
      source: cloudtrail,
      files: filesIn(join(SAMPLES, 'invictus-ir_aws_dataset'), /\/CloudTrail\/.*\.json$/),
      from: new Date('2023-07-10T11:00:00Z'),
      to: new Date('2023-07-10T12:35:00Z'),
    },
    {
      name: 'WAF sample',
      source: waf,
      files: filesIn(join(SAMPLES, 'aws-waf-security-automations'), /\.gz$/),
      from: new Date('2000-01-01T00:00:00Z'),
      to: new Date('2100-01-01T00:00:00Z'),
    },
  ]
  return [
    { name: 'simulated CloudTrail', source: cloudtrail, files: filesIn(simulated, /\/CloudTrail\//), ...march },
    { name: 'simulated WAF', source: waf, files: filesIn(simulated, /\/WAFLogs\//), ...march },
    { name: 'odd CloudTrail', source: cloudtrail, files: written(oddEvents()), ...march },
    { name: 'odd WAF', source: waf, files: written(oddRequests()), ...march },
    ...samples.filter(({ files }) => files.length > 0),
  ]
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
