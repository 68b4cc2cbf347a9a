import { Readable } from 'node:stream'
import { csvCell, shortened, spelledOut } from '../../lib/cli/format.ts'
import { providerText } from '../../lib/runs/providers/provider.ts'
import type { Store } from '../../lib/stores/store.ts'
import { detailCells, NAME_BYTES, seenBefore } from '../anomalies.ts'
import { asffOf, MOST_IN_BATCH } from './asff.ts'
import { type About, type Finding, severityOf } from './finding.ts'
import { ocsfOf } from './ocsf.ts'

export const formats = ['asff', 'ocsf', 'csv'] as const
export type Format = (typeof formats)[number]

/** Writes the files of a format and removes those that an earlier run left beyond them. @returns the keys, in order */
export async function writeFindings(
  store: Store,
  format: Format,
  findings: readonly Finding[],
  about: About,
): Promise<string[]> {
  const written: string[] = []
  for (const [key, lines] of contents(format, findings, about)) {
    await store.write(key, Readable.from(lines, { objectMode: false }))
    written.push(key)
  }
  for await (const { key } of store.list({ prefix: `${format}-` })) if (!written.includes(key)) await store.remove(key)
  return written
}

function* contents(
  format: Format,
  findings: readonly Finding[],
  about: About,
): Generator<[key: string, lines: Iterable<string>]> {
  const { account, region } = about
  if (format === 'csv') yield ['findings.csv', csvRows(findings, about)]
  else if (format === 'ocsf') yield ['ocsf.ndjson', ndjson(findings.map((finding) => ocsfOf(finding, about)))]
  else if (account === undefined || region === undefined) throw new Error('ASFF needs an account and a region')
  else
    for (let at = 0; at < findings.length; at += MOST_IN_BATCH) {
      const batch = findings.slice(at, at + MOST_IN_BATCH).map((finding) => asffOf(finding, about, { account, region }))
      // One finding a line: people read these files too.
      const lines = `[\n${batch.map((finding) => JSON.stringify(finding)).join(',\n')}\n]\n`
      yield [`asff-${String(at / MOST_IN_BATCH + 1).padStart(4, '0')}.json`, [lines]]
    }
}

function* ndjson(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`
}

const HEADER =
  'id,state,severity,run,source,entity_kind,entity,network,addresses,provider,first_event,last_event,anomaly_score,threshold,accesses,training_accesses,seen_before,allowed,label,name,arn,account,regions,calls,errors,mfa,credentials,user_agents'

/** The findings as a table for ticket systems and spreadsheets. */
export function* csvRows(findings: Iterable<Finding>, about: About): Generator<string> {
  yield `${HEADER}\n`
  for (const finding of findings) yield `${rowOf(finding, about).map(csvCell).join(',')}\n`
}

const rowOf = (finding: Finding, about: About): string[] => [
  finding.id,
  finding.state,
  severityOf(finding),
  about.run,
  about.source,
  about.kind,
  shortened(spelledOut(finding.entity), NAME_BYTES),
  finding.network,
  finding.addresses.join(' '),
  shortened([...new Set([...finding.providers.values()].map(providerText))].join('; '), NAME_BYTES),
  new Date(finding.first).toISOString(),
  new Date(finding.last).toISOString(),
  finding.anomalyScore.toFixed(6),
  about.threshold.toFixed(6),
  String(finding.accesses),
  String(finding.events),
  seenBefore(finding),
  finding.allowed.join(' '),
  shortened(finding.labels.map(spelledOut).join(' '), NAME_BYTES),
  ...detailCells(finding.details),
]
