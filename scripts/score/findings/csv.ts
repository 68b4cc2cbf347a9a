import { cell, seenBefore } from '../anomalies.ts'
import { cut, shown } from './display.ts'
import { type About, type Finding, severityOf } from './finding.ts'

const HEADER =
  'id,state,severity,run,source,entity_kind,entity,network,addresses,first_event,last_event,anomaly_score,threshold,accesses,training_accesses,seen_before,allowed,label'

const TEXT_BYTES = 8192

/** The findings as a table for ticket systems and spreadsheets. */
export function* csvRows(findings: Iterable<Finding>, about: About): Generator<string> {
  yield `${HEADER}\n`
  for (const finding of findings) yield `${rowOf(finding, about).map(cell).join(',')}\n`
}

const rowOf = (finding: Finding, about: About): string[] => [
  finding.id,
  finding.state,
  severityOf(finding),
  about.run,
  about.source,
  about.kind,
  cut(shown(finding.entity), TEXT_BYTES),
  finding.network,
  finding.addresses.join(' '),
  new Date(finding.first).toISOString(),
  new Date(finding.last).toISOString(),
  (0 - finding.dotProduct).toFixed(6),
  about.threshold.toFixed(6),
  String(finding.accesses),
  String(finding.events),
  seenBefore(finding),
  finding.allowed.join(' '),
  cut(finding.labels.map(shown).join(' '), TEXT_BYTES),
]
