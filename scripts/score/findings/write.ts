import { UserError } from '../../lib/cli/errors.ts'
import { count, plural } from '../../lib/cli/format.ts'
import { encodeEntity } from '../../lib/insights/entity-codec.ts'
import { siteText } from '../../lib/insights/ipv6.ts'
import { alertsOf, pairKey } from '../../lib/runs/alerts.ts'
import { toMakePairs } from '../../lib/runs/pairs.ts'
import { HOLDOUT, paths, scorePaths, scoreStep } from '../../lib/runs/paths.ts'
import { windowOfRequest } from '../../lib/runs/request.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type Span, spansOf } from '../../lib/runs/times.ts'
import { type Verdict, verdictsOf } from '../../lib/runs/verdicts.ts'
import { DAY_MS, daysOf, type Window } from '../../lib/runs/window.ts'
import { isBelow } from '../judge.ts'
import { writeFindings } from './files.ts'
import { type About, type Finding, findingOf, type Sighting, startOf } from './finding.ts'
import type { Wanted } from './options.ts'

/** The alerts made of the pairs below the threshold. */
export interface Gathered {
  /** The open ones, most anomalous first, then the allowed ones. */
  readonly findings: readonly Finding[]
  /** Flagged pairs that share a finding with another pair of the same entity, /24 and period. */
  readonly merged: number
  /** Open findings beyond the cap. */
  readonly capped: number
}

/** Makes one finding per entity, /24 and period, and keeps the `cap` most anomalous of each day. */
export function gather(verdicts: readonly Verdict[], about: About, cap: number, times: Times | undefined): Gathered {
  const open: Finding[] = []
  const allowed: Finding[] = []
  let merged = 0
  for (const sightings of grouped(verdicts, about, times)) {
    const finding = findingOf(sightings, about)
    if (finding.state === 'open') merged += finding.addresses.length - 1
    ;(finding.state === 'open' ? open : allowed).push(finding)
  }
  // Without event times, all days of the window share their caps.
  const [days, most] = times === undefined ? [undefined, cap * Math.max(1, daysOf(about.window))] : [DAY_MS, cap]
  const kept = mostAnomalous(open, Math.ceil(most), days)
  return {
    findings: [...kept, ...mostAnomalous(allowed, Math.ceil(most), days)],
    merged,
    capped: open.length - kept.length,
  }
}

/** Sightings of the same entity, /24 and period. */
function grouped(verdicts: readonly Verdict[], about: About, times: Times | undefined): Iterable<Sighting[]> {
  const groups = new Map<string, Sighting[]>()
  for (const verdict of verdicts)
    for (const sighting of sightingsOf(verdict, times, about.window)) {
      const name = `${startOf(sighting.first, about.period)} ${siteText(verdict.ip)} ${verdict.entity}`
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [sighting])
      else group.push(sighting)
    }
  return groups.values()
}

/** The most anomalous of each stretch of time, or of all together. */
function mostAnomalous(findings: readonly Finding[], most: number, stretch: number | undefined): Finding[] {
  const taken = new Map<number, number>()
  return [...findings].sort(byAnomaly).filter(({ first }) => {
    const day = stretch === undefined ? 0 : startOf(first, stretch)
    const before = taken.get(day) ?? 0
    taken.set(day, before + 1)
    return before < most
  })
}

const byAnomaly = (a: Finding, b: Finding): number => b.anomalyScore - a.anomalyScore || (a.id < b.id ? -1 : 1)

/** When a pair occurred; empty where that is unknown. */
export type Times = (verdict: Verdict) => readonly Span[]

/** Event times of some pairs of a run within a window; undefined if the run has no files of them. */
async function timesOf(run: Run, verdicts: readonly Verdict[], window: Window): Promise<Times | undefined> {
  const found = await spansOf(run, () => true)
  if (found === undefined) return undefined
  const spans = new Map<string, Span[]>(verdicts.map((verdict) => [keyOf(verdict), []]))
  const [from, to] = [window.from.getTime(), window.to.getTime()]
  for await (const [pair, span] of found) if (span.first >= from && span.first < to) spans.get(pair)?.push(span)
  return (verdict) => spans.get(keyOf(verdict)) ?? []
}

const keyOf = ({ entity, ip }: Verdict): string => `${encodeEntity(entity)},${ip}`

/** The accesses of a pair; without event times, all of them between the bounds of what was judged. */
function sightingsOf(verdict: Verdict, times: Times | undefined, { from, to }: Window): Sighting[] {
  const spans = times?.(verdict) ?? []
  if (spans.length > 0) return spans.map((span) => ({ verdict, ...span }))
  return [{ verdict, first: from.getTime(), last: to.getTime() - 1, accesses: verdict.accesses }]
}

/** What was written, as it is printed. */
export type FindingsResult = {
  /** Open findings, and archived ones of allowed networks. */
  readonly open: number
  readonly allowed: number
  /** Flagged pairs that share a finding with another pair, and open findings beyond the cap. */
  readonly merged: number
  readonly capped: number
  readonly files: string[]
}

export interface Alerts {
  readonly wanted: Wanted
  /** The run whose model judged. */
  readonly run: Run
  /** The run whose accesses were judged: the same one for its holdout. */
  readonly judged: Run
  readonly threshold: number
  readonly signal: AbortSignal
  /** Called when the times of the accesses are no longer known. */
  warn(text: string): void
}

/** Turns the verdicts on a run into alerts. The same verdicts give the same bytes. */
export async function writeAlerts({ wanted, run, judged, threshold, signal, warn }: Alerts): Promise<FindingsResult> {
  const { account, region, period, cap } = wanted
  const of = judged.id === run.id ? HOLDOUT : judged.id
  const alerts = await alertsOf(run, of)
  const details = new Map(alerts.flatMap((alert) => (alert.details ? [[pairKey(alert), alert.details]] : [])))
  const about: About = {
    run: judged.id,
    source: run.request.source,
    kind: run.result('extract').entity,
    threshold,
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    window: judged.id === run.id ? run.holdout() : windowOfRequest(judged.request),
    period,
    details,
    scoredAt: new Date(run.ledger.steps[scoreStep(of)]?.finishedAt ?? run.ledger.touchedAt),
  }
  const verdicts = await suspects(run, of, signal)
  const times = await timesOf(judged, verdicts, about.window)
  if (times === undefined)
    warn(
      `run ${judged.id} no longer has files in ${paths.times}: alerts give the bounds of what was judged instead of times. ${await toMakePairs(judged)}`,
    )
  const { findings, merged, capped } = gather(verdicts, about, cap, times)
  const store = run.store.within(scorePaths(of).findings)
  const files: string[] = []
  for (const format of wanted.formats) files.push(...(await writeFindings(store, format, findings, about)))
  const open = findings.filter(({ state }) => state === 'open').length
  return { open, allowed: findings.length - open, merged, capped, files: files.map((key) => store.uriOf(key)) }
}

/** More pairs are no set of alerts, and would take too much memory. */
const MOST_PAIRS = 500_000

/** The pairs below the threshold, allowed or not. @throws UserError when there are too many */
async function suspects(run: Run, of: string, signal: AbortSignal): Promise<Verdict[]> {
  const found: Verdict[] = []
  for await (const verdicts of verdictsOf(run, of, signal)) {
    found.push(...verdicts.filter(isBelow))
    if (found.length > MOST_PAIRS)
      throw new UserError(`more than ${count(MOST_PAIRS)} pairs are below the threshold: too many for alerts`, {
        hint: 'a smaller --alerts-per-day, or a lower --threshold',
      })
  }
  return found
}

/** The same for people, as rows of the summary. */
export const findingRows = ({ open, allowed, merged, capped, files }: FindingsResult): [string, string][] => [
  [
    'findings',
    [
      count(open),
      ...(merged > 0 ? [`${plural(merged, 'more pair')} merged into them`] : []),
      ...(capped > 0 ? [`${count(capped)} beyond the cap left out`] : []),
      ...(allowed > 0 ? [`${count(allowed)} of allowed networks archived`] : []),
    ].join(', '),
  ],
  ...files.map((file): [string, string] => ['', file]),
]
