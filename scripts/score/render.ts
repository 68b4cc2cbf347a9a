import { count, facts, percent, plural, table } from '../lib/cli/format.ts'
import type { Policy } from '../lib/insights/verdicts.ts'
import type { AttackResult, ScoredBy, ScoreResult } from '../lib/runs/results.ts'
import { textOf } from './allow.ts'
import type { Prepared } from './prepare.ts'
import type { Tally } from './tally.ts'

interface Parts {
  readonly of: string
  readonly tally: Tally
  readonly prepared: Prepared
  readonly policy: Policy
  readonly by: ScoredBy | undefined
  readonly output: string
  readonly anomalies: string
  readonly digest: string
}

export function resultOf({ of, tally, prepared, policy, output, anomalies, digest, by }: Parts): ScoreResult {
  const { scored, unseen, sparse, flagged, allowed } = tally
  return {
    of,
    scored,
    unseen,
    sparse,
    flagged,
    allowed,
    threshold: policy.threshold,
    alertsPerDay: prepared.alertsPerDay ?? null,
    minEvents: policy.minEvents,
    allow: policy.allow.map(textOf),
    output,
    anomalies,
    attacks: prepared.labels === undefined ? null : tally.measured(),
    digest,
    ...(by && { by }),
  }
}

export function summaryOf(result: ScoreResult, run?: string, more: readonly [string, string][] = []): string {
  const { of, scored, unseen, sparse, flagged, allowed, threshold, alertsPerDay } = result
  const why = alertsPerDay === null ? 'set by hand' : `for ${plural(alertsPerDay, 'alert')} a day`
  const lines = facts([
    run === undefined ? undefined : ['run', run],
    ['judged', `${plural(scored, 'distinct pair')} (${of})`],
    ['not judged', `${count(unseen)} of entities never seen in training, ${count(sparse)} of rare ones`],
    ['flagged', `${count(flagged)}: dot product below ${threshold.toFixed(3)}, ${why}`],
    allowed === 0 ? undefined : ['left alone', `${count(allowed)} in allowed networks`],
    result.by && ['scored by', byText(result.by)],
    ['verdicts', result.output],
    ['anomalies', result.anomalies],
    ...more,
  ])
  return result.attacks === null || result.attacks.length === 0 ? lines : `${lines}\n\n${attackTable(result.attacks)}`
}

const byText = (by: ScoredBy): string =>
  by.via === 'endpoint'
    ? `endpoint ${by.endpoint} in ${by.region}`
    : `transform job ${by.job} on ${by.instanceType} in ${by.region}`

function attackTable(attacks: readonly AttackResult[]): string {
  const rows = attacks.map(({ kind, attacks: all, flagged, precision, rules }) => [
    kind,
    count(all),
    count(flagged),
    percent(flagged, all),
    percent(precision, 1),
    rules === undefined ? '–' : percent(rules.net16.recall, 1),
  ])
  return table([['known attacks', 'pairs', 'flagged', 'recall', 'precision', 'recall of "/16 seen"'], ...rows])
}
