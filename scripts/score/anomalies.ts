import { csvCell, shortened, spelledOut } from '../lib/cli/format.ts'
import { type Alert, type Details, pairKey, valuesOf } from '../lib/runs/alerts.ts'
import type { Usual } from '../lib/runs/providers/history.ts'
import { providerText } from '../lib/runs/providers/provider.ts'
import { allowanceText, byAnomaly, isJudged, type Verdict } from '../lib/runs/verdicts.ts'
import { calls, usualText } from './alerts/text.ts'

/** Rows that are not flagged, for context. */
const CONTEXT_ROWS = 100
/** More than anybody reads; the verdicts have them all. */
export const MOST_ROWS = 10_000

const HEADER =
  'rank,flagged,entity,ip,provider,anomaly_score,accesses,training_accesses,seen_before,usual_networks,allowed,label,why,first_access,last_access,name,arn,account,regions,calls,errors,mfa,credentials,user_agents'

/** Longest name in a table, in bytes. */
export const NAME_BYTES = 8192

/** Keeps the most anomalous verdicts, in bounded memory. */
export class Anomalies {
  private kept: Verdict[] = []

  add(verdict: Verdict): void {
    if (!isJudged(verdict)) return
    this.kept.push(verdict)
    // Only now and then, so that it costs little.
    if (this.kept.length >= 4 * MOST_ROWS) this.trim()
  }

  /** Everything that is flagged, 10,000 pairs at most, and some more; most anomalous first. */
  top(): readonly Verdict[] {
    this.trim()
    return this.kept
  }

  private trim(): void {
    // Flagged pairs come first: a pair in an allowed network may be more anomalous.
    const flagged = this.kept.filter((verdict) => verdict.flagged).sort(byAnomaly)
    const others = this.kept.filter((verdict) => !verdict.flagged).sort(byAnomaly)
    this.kept = [...flagged.slice(0, MOST_ROWS), ...others.slice(0, CONTEXT_ROWS)].sort(byAnomaly)
  }
}

/** What a table has besides verdicts. */
interface Beside {
  readonly usualOf: (entity: string) => readonly Usual[]
  readonly alerts: readonly Alert[]
}

/** The table for people and spreadsheets. */
export function* anomalyRows(top: readonly Verdict[], { usualOf, alerts }: Beside): Generator<string> {
  const details = new Map(alerts.map((alert) => [pairKey(alert), alert.details]))
  yield `${HEADER}\n`
  for (const [i, verdict] of top.entries()) {
    const known = details.get(pairKey(verdict))
    const times = [known?.first ?? '', known?.last ?? '']
    const cells = [...rowOf(i + 1, verdict, usualOf(verdict.entity)), ...times, ...detailCells(known)]
    yield `${cells.map(csvCell).join(',')}\n`
  }
}

function rowOf(rank: number, verdict: Verdict, usual: readonly Usual[]): string[] {
  const { flagged, entity, ip, anomalyScore = 0, accesses, events, allowed = '', allowance, label = '' } = verdict
  return [
    String(rank),
    flagged ? 'yes' : 'no',
    shortened(spelledOut(entity), NAME_BYTES),
    ip,
    providerText(verdict.provider),
    anomalyScore.toFixed(4),
    String(accesses),
    String(events),
    seenBefore(verdict),
    usualText(usual),
    allowance === undefined ? allowed : `${allowed} ${shortened(allowanceText(allowance), NAME_BYTES)}`,
    shortened(spelledOut(label), NAME_BYTES),
    why(verdict),
  ]
}

/** Every part of the evidence with what it adds to the anomaly score, weightiest first; empty where only the score ranks. */
const why = ({ reasons = [] }: Pick<Verdict, 'reasons'>): string =>
  reasons.map(({ weight, text }) => `${text} (${weight < 0 ? '−' : '+'}${Math.abs(weight).toFixed(1)})`).join('; ')

/** Of CloudTrail the identity and its calls; of WAF the requests stand in place of calls. */
export function detailCells(details: Details | undefined): string[] {
  const list = (aspect: string) => shortened(valuesOf(details, aspect).map(spelledOut).join('; '), NAME_BYTES)
  return [
    list('name'),
    list('arn'),
    list('account'),
    list('region'),
    shortened(calls(details).join('; '), NAME_BYTES),
    list('error'),
    list('mfa'),
    list('credential'),
    list('agent'),
  ]
}

/** How near the entity has been before; empty where that is not known. */
export function seenBefore({ seen }: Pick<Verdict, 'seen'>): string {
  if (seen === undefined) return ''
  if (seen.ip) return 'address'
  if ('net64' in seen) return seen.net64 ? 'same /64' : seen.net48 ? 'same /48' : seen.net32 ? 'same /32' : 'never'
  return seen.net24 ? 'same /24' : seen.net16 ? 'same /16' : 'never'
}
