import type { Accesses } from '../lib/insights/accesses.ts'
import { encodeEntity } from '../lib/insights/entity-codec.ts'
import { textOf } from './allow.ts'
import type { PairVerdict } from './tally.ts'

/** Rows beyond what is flagged, for context. */
const AT_LEAST = 100
/** More than anybody reads; the verdicts have them all. */
export const MOST_ROWS = 10_000

const HEADER =
  'rank,flagged,entity,ip,anomaly_score,accesses,training_accesses,seen_before,usual_networks,allowed,label'

/** Keeps the most anomalous verdicts, in bounded memory. */
export class Anomalies {
  private kept: PairVerdict[] = []

  add(verdict: PairVerdict): void {
    if (verdict.verdict !== 'scored') return
    this.kept.push(verdict)
    // Now and then, so that it costs little.
    if (this.kept.length >= 4 * MOST_ROWS) this.trim()
  }

  /** All that is flagged and some more, most anomalous first; at most 10,000 flagged ones. */
  top(): readonly PairVerdict[] {
    this.trim()
    return this.kept
  }

  private trim(): void {
    // What is flagged comes first: an allowed network may hold what is more anomalous.
    const flagged = this.kept.filter((verdict) => verdict.flagged).sort(byAnomaly)
    const others = this.kept.filter((verdict) => !verdict.flagged).sort(byAnomaly)
    this.kept = [...flagged.slice(0, MOST_ROWS), ...others.slice(0, AT_LEAST)].sort(byAnomaly)
  }
}

const byAnomaly = (a: PairVerdict, b: PairVerdict): number =>
  (b.anomalyScore ?? 0) - (a.anomalyScore ?? 0) || compare(a.entity, b.entity) || compare(a.ip, b.ip)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The table for people and spreadsheets. */
export function* anomalyRows(top: readonly PairVerdict[], before: Accesses | undefined): Generator<string> {
  yield `${HEADER}\n`
  for (const [i, verdict] of top.entries())
    yield `${rowOf(i + 1, verdict, before)
      .map(cell)
      .join(',')}\n`
}

function rowOf(rank: number, verdict: PairVerdict, before: Accesses | undefined): string[] {
  const { flagged, entity, ip, anomalyScore = 0, accesses, events, allowed = '', label = '' } = verdict
  const usual = before?.usual(encodeEntity(entity)) ?? []
  return [
    String(rank),
    flagged ? 'yes' : 'no',
    entity,
    ip,
    anomalyScore.toFixed(4),
    String(accesses),
    String(events),
    seenBefore(verdict),
    usual.map(({ network, share: part }) => `${textOf(network)} ${Math.round(part * 100)} %`).join('; '),
    allowed,
    label,
  ]
}

/** How near the entity has been before; empty where that is not known. */
export function seenBefore({ seen }: Pick<PairVerdict, 'seen'>): string {
  if (seen === undefined) return ''
  return seen.ip ? 'address' : seen.net24 ? 'same /24' : seen.net16 ? 'same /16' : 'never'
}

/**
 * A cell that a spreadsheet takes for text: user agents are written by strangers and may begin like a formula. Numbers keep
 * their minus sign.
 */
export function cell(text: string): string {
  const formula = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)
  const safe = formula ? `'${text}` : text
  return /[",\r\n]/.test(safe) || formula ? `"${safe.replaceAll('"', '""')}"` : safe
}
