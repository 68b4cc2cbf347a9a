import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFile } from '../../scripts/lib/engines/records/index.ts'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import type { Source } from '../../scripts/lib/sources/source.ts'
import { ROOT } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'
import { oddEvents, oddRequests } from './odd.ts'

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
