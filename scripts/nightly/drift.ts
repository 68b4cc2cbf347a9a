import { count, percent, plural, shortened, spelledOut } from '../lib/cli/format.ts'
import { siteText } from '../lib/insights/ipv6.ts'
import type { Alert } from '../lib/runs/alerts.ts'
import { valuesOf } from '../lib/runs/alerts.ts'
import { type Drift, type DriftKind, driftKinds, type Judged, type Night } from '../lib/runs/nights.ts'
import type { Verdict } from '../lib/runs/verdicts.ts'

/** What a day is measured by. */
export type Measures = Pick<Judged, 'events' | 'dropped' | 'scored' | 'unseen' | 'sparse' | 'unfit' | 'budget'>

/** Where so many times the budget do not fit, and twice what nights before had, the model does not. A small budget is no measure. */
const [TIMES, FEWEST, DOUBLE] = [5, 20, 2] as const
/** A share jumps when it doubles and grows by so much of the whole. */
const JUMP = 0.05
/** Nights that a day is compared with: a week has its weekend. */
const COMPARED = 7
/** Names that a message gives. */
const NAMED = 5

const dropsOf = ({ dropped }: Pick<Measures, 'dropped'>): number =>
  // What lies outside of the window came along, whatever the day was like.
  Object.entries(dropped).reduce((sum, [reason, n]) => sum + (reason === 'outside-window' ? 0 : n), 0)

/** Records of the window itself. */
export const recordsOf = ({ events, dropped }: Pick<Measures, 'events' | 'dropped'>): number =>
  events - (dropped['outside-window'] ?? 0)
const pairsOf = ({ scored, unseen, sparse }: Measures): number => scored + unseen + sparse
const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** What jumps on a day, and how, in words. Nights that did not fit themselves are no measure. */
export function jumpsOf(day: Measures, before: readonly Measures[]): Map<DriftKind, string> {
  const last = before.slice(-COMPARED)
  const most = (of: (measures: Measures) => number) => Math.max(0, ...last.map(of))
  const jumps = new Map<DriftKind, string>()
  const usual = most(({ unfit }) => unfit)
  if (day.unfit > Math.max(TIMES * day.budget, FEWEST, DOUBLE * usual))
    jumps.set('unfit', `${plural(day.unfit, 'pair')} would be flagged, with a budget of ${count(day.budget)}`)
  // The first night has nothing to compare with.
  if (last.length === 0) return jumps
  for (const [kind, of, what] of [
    [
      'unseen',
      (m: Measures) => shareOf(m.unseen, pairsOf(m)),
      'of the pairs are of entities that the model has never seen',
    ],
    ['dropped', (m: Measures) => shareOf(dropsOf(m), recordsOf(m)), 'of the records are no accesses'],
  ] as const) {
    const [now, then] = [of(day), most(of)]
    if (now > DOUBLE * then && now > then + JUMP)
      jumps.set(
        kind,
        `${percent(now, 1)} ${what}, ${percent(then, 1)} at most before${kind === 'dropped' ? reasonsOf(day) : ''}`,
      )
  }
  return jumps
}

const reasonsOf = ({ dropped }: Measures): string =>
  `: ${Object.entries(dropped)
    .filter(([reason]) => reason !== 'outside-window')
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED)
    .map(([reason, n]) => `${reason} ${count(n)}`)
    .join(', ')}`

/** Nights before a day that were judged and fitted. @param nights oldest day first */
export const fittingBefore = (nights: readonly Night[], from: string): Judged[] =>
  nights.flatMap(({ judged, to }) => (judged !== null && judged.drift === null && to <= from ? [judged] : []))

/** The account of each entity that an alert has told. @param nights whose alerts are remembered besides */
export function accountsOf(alerts: readonly Alert[], nights: readonly Night[]): Map<string, string> {
  const before = nights.flatMap(({ judged }) => judged?.told ?? [])
  const now = alerts.map(({ entity, details }) => ({ entity, account: valuesOf(details, 'account')[0] ?? '' }))
  return new Map([...before, ...now].flatMap(({ entity, account }) => (account === '' ? [] : [[entity, account]])))
}

/** Counts who and what makes up a difference. */
export class Parts {
  private readonly entities = new Map<string, number>()
  private readonly networks = new Map<string, number>()

  add({ entity, ip }: Pick<Verdict, 'entity' | 'ip'>): void {
    const network = siteText(ip)
    this.entities.set(entity, (this.entities.get(entity) ?? 0) + 1)
    this.networks.set(network, (this.networks.get(network) ?? 0) + 1)
  }

  /** @param known accounts of entities, as far as alerts of this day and others have told them */
  named(known: ReadonlyMap<string, string>): Pick<Drift, 'accounts' | 'entities' | 'networks'> {
    const accounts = new Map<string, number>()
    for (const [entity, pairs] of this.entities) {
      const account = known.get(entity) ?? /(?:^|:)(\d{12})(?::|$)/.exec(entity)?.[1]
      if (account !== undefined) accounts.set(account, (accounts.get(account) ?? 0) + pairs)
    }
    return { accounts: largest(accounts), entities: largest(this.entities), networks: largest(this.networks) }
  }
}

const largest = (parts: ReadonlyMap<string, number>) =>
  [...parts]
    .map(([name, pairs]) => ({ name, pairs }))
    .sort((a, b) => b.pairs - a.pairs || (a.name < b.name ? -1 : 1))
    .slice(0, NAMED)

/** Whether a pair is part of what jumped. @param threshold that leaves just the budget on the holdout */
export const isPartOf = (verdict: Verdict, jumps: ReadonlyMap<DriftKind, string>, threshold: number): boolean =>
  verdict.verdict === 'scored'
    ? jumps.has('unfit') && verdict.allowed === undefined && 0 - (verdict.anomalyScore ?? 0) < threshold
    : verdict.verdict === 'unseen-entity' && jumps.has('unseen')

/** The message about a day; told unless it goes on since the night before. */
export function driftMessage(
  jumps: ReadonlyMap<DriftKind, string>,
  parts: Pick<Drift, 'accounts' | 'entities' | 'networks'>,
  before: Drift | null,
): Drift {
  const kinds = driftKinds.filter((kind) => jumps.has(kind))
  const isTold = kinds.some((kind) => before?.kinds.includes(kind) !== true)
  return { isTold, kinds, reasons: kinds.map((kind) => jumps.get(kind) ?? ''), ...parts }
}

/** Who and what makes up the difference, a line each: `networks: 185.77.12.0/24 48 pairs`. */
export const partLines = (drift: Drift): string[] =>
  (['accounts', 'entities', 'networks'] as const).flatMap((kind) =>
    drift[kind].length === 0 ? [] : [`${kind}: ${drift[kind].map(partText).join(', ')}`],
  )

const partText = ({ name, pairs }: Drift['entities'][number]): string =>
  `${shortened(spelledOut(name), 64)} ${plural(pairs, 'pair')}`
