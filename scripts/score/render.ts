import type { CommandResult } from '../lib/cli/command.ts'
import { aboutUsd, count, facts, percent, plural, shortened, spelledOut, table } from '../lib/cli/format.ts'
import { decodeEntity } from '../lib/insights/entity-codec.ts'
import { formatNetwork } from '../lib/insights/ipv6.ts'
import type { Allowed } from '../lib/runs/allowances.ts'
import { priceNote } from '../lib/runs/cost.ts'
import { HOLDOUT } from '../lib/runs/paths.ts'
import type { AttackResult, ScoredBy, ScoreResult } from '../lib/runs/results.ts'
import { allowanceText } from '../lib/runs/verdicts.ts'
import type { Backend } from './backend.ts'
import type { Policy } from './judge.ts'
import type { Prepared } from './prepare.ts'
import type { Tally } from './tally.ts'
import type { Target } from './target.ts'

interface Parts {
  readonly of: string
  readonly tally: Tally
  readonly prepared: Prepared
  readonly policy: Policy
  readonly by: ScoredBy | undefined
  readonly unfit: ScoreResult['unfit']
  readonly output: string
  readonly anomalies: string
  readonly digest: string
}

export function scoreResultOf({
  of,
  tally,
  prepared,
  policy,
  output,
  anomalies,
  digest,
  by,
  unfit,
}: Parts): ScoreResult {
  const { scored, evidence, unseen, sparse, flagged, allowed } = tally
  return {
    rank: prepared.rank,
    prior: prepared.rank === 'evidence' ? prepared.prior : null,
    of,
    scored,
    ...(evidence > 0 && { evidence }),
    unseen,
    sparse,
    flagged,
    allowed,
    ...(unfit !== undefined && { unfit }),
    threshold: policy.threshold,
    alertsPerDay: prepared.alertsPerDay ?? null,
    minEvents: policy.minEvents,
    allow: policy.allow.map(allowedText),
    output,
    anomalies,
    attacks: prepared.labels === undefined ? null : tally.measured(),
    digest,
    ...(by && { by }),
  }
}

/** An allowed network, and for whom and why where that is said. */
const allowedText = ({ entity, because, ...network }: Allowed): string =>
  [
    formatNetwork(network),
    ...(entity === undefined ? [] : [`for ${shortened(spelledOut(decodeEntity(entity)), 200)}`]),
    ...(because === undefined ? [] : [allowanceText(because)]),
  ].join(' ')

/** What was judged, in words. */
export const judgedText = (of: string): string =>
  of === HOLDOUT ? 'the holdout' : of === 'files' ? 'the files' : `run ${of}`

/** What scoring would cost. */
interface Cost {
  /** In all; undefined where the price of an instance is unknown. */
  readonly usd: number | undefined
  /** Of it, for the scan that tells what alerts are about. */
  readonly lookup: number
}

/** Undefined where nothing costs anything. @param own of the backend; null where it is unknown. @param paid share of it */
export function costOf({
  own,
  paid,
  lookup = 0,
}: {
  readonly own: number | null | undefined
  readonly paid: number
  readonly lookup?: number | undefined
}): Cost | undefined {
  if (own === undefined && lookup === 0) return undefined
  if (own === null && paid < 1) return { usd: undefined, lookup }
  return { usd: (own ?? 0) * (1 - paid) + lookup, lookup }
}

const scanText = ({ lookup }: Cost): string[] =>
  lookup === 0
    ? []
    : [`scan the logs once with Athena, to tell what alerts are about: ${aboutUsd(lookup)}; not with --details no`]

const costText = ({ usd }: Cost): string =>
  usd === undefined ? 'cost unknown: this instance type is in no price table here' : `${aboutUsd(usd)} (${priceNote})`

/** The question before money is spent. */
export const scoreApproval = (what: string, backend: Backend, cost: Cost) => ({
  action: `score ${backend.unasked === true ? backend.about : `by ${backend.about}`}`,
  plan: [`score ${what}`, ...scanText(cost), costText(cost)],
  kind: 'spend' as const,
  // Nobody has approved a scan before.
  ...(backend.unasked === true && cost.lookup === 0 && { unasked: true }),
  ...(cost.usd !== undefined && { usd: cost.usd }),
})

/** What would be done. */
export function renderScorePlan(
  target: Target,
  { threshold, settings }: Prepared,
  backend: Backend,
  { run, cost }: { run: string | undefined; cost: Cost | undefined },
): CommandResult {
  const flagged = threshold === undefined ? 'the calibration is made first' : `flagged: below ${threshold}`
  return {
    json: {
      ...(run !== undefined && { run }),
      ...(cost && { estimatedUsd: cost.usd ?? null }),
      dryRun: true,
      threshold: threshold ?? null,
      backend: backend.about,
      ...settings,
    },
    text: [
      `would judge ${target.of} ${backend.about}; ${flagged}`,
      ...(cost ? [...scanText(cost), costText(cost)] : []),
    ].join('\n'),
  }
}

export function summaryOf(result: ScoreResult, run?: string, more: readonly [string, string][] = []): string {
  const { of, scored, evidence = 0, unseen, sparse, flagged, allowed, alertsPerDay } = result
  const why = alertsPerDay === null ? 'set by hand' : `for ${plural(alertsPerDay, 'alert')} a day`
  const lines = facts([
    run === undefined ? undefined : ['run', run],
    ['judged', `${plural(scored, 'distinct pair')} of ${judgedText(of)}`],
    evidence === 0 ? undefined : ['by evidence', `${plural(evidence, 'IPv6 pair')}, which IP Insights cannot take`],
    ['not judged', `${count(unseen)} of entities never seen in training, ${count(sparse)} of rare ones`],
    ['flagged', `${count(flagged)}: ${thresholdText(result)}, ${why}`],
    allowed === 0 ? undefined : ['allowed', `${count(allowed)} below the threshold, in allowed networks`],
    result.by && ['scored by', byText(result.by)],
    ['verdicts', result.output],
    ['anomalies', result.anomalies],
    ...more,
  ])
  return result.attacks === null || result.attacks.length === 0 ? lines : `${lines}\n\n${attackTable(result.attacks)}`
}

const thresholdText = ({ rank, threshold }: ScoreResult): string =>
  rank === 'score'
    ? `dot product below ${threshold.toPrecision(5)}`
    : `anomaly score above ${(0 - threshold).toPrecision(5)}`

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
