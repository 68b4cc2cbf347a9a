import { UserError } from '../../lib/cli/errors.ts'
import { encodeEntity } from '../../lib/insights/entity-codec.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { Verdict } from '../../lib/runs/verdicts.ts'
import { DAY_MS, daysOf, type Window } from '../../lib/runs/window.ts'
import { linesOf } from '../../lib/stores/lines.ts'
import { type About, type Finding, findingOf, networkText, type Sighting, type Span, startOf } from './finding.ts'

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
      const name = `${startOf(sighting.first, about.period)} ${networkText(verdict.ip)} ${verdict.entity}`
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

const byAnomaly = (a: Finding, b: Finding): number => a.dotProduct - b.dotProduct || (a.id < b.id ? -1 : 1)

/** When a pair occurred; empty where that is unknown. */
export type Times = (verdict: Verdict) => readonly Span[]

const ROW = /^([^,]+,[\d.]+),(\d+),(\d+),(\d+)$/

/** Event times of some pairs of a run within a window; undefined if the run has no files of them. */
export async function timesOf(run: Run, verdicts: readonly Verdict[], window: Window): Promise<Times | undefined> {
  const spans = new Map<string, Span[]>(verdicts.map((verdict) => [keyOf(verdict), []]))
  const [from, to] = [window.from.getTime(), window.to.getTime()]
  let files = 0
  for await (const { key } of run.store.list({ prefix: paths.times })) {
    files += 1
    for await (const [pair, span] of spansIn(run, key))
      if (span.first >= from && span.first < to) spans.get(pair)?.push(span)
  }
  return files === 0 ? undefined : (verdict) => spans.get(keyOf(verdict)) ?? []
}

async function* spansIn(run: Run, key: string): AsyncGenerator<[pair: string, span: Span]> {
  for await (const line of linesOf(await run.store.read(key))) {
    const [, pair, first, last, accesses] = ROW.exec(line) ?? []
    if (pair === undefined)
      throw new UserError(`${run.uriOf(key)} is damaged`, { hint: `${nextCommand('extract', run)} --overwrite` })
    yield [pair, { first: Number(first), last: Number(last), accesses: Number(accesses) }]
  }
}

const keyOf = ({ entity, ip }: Verdict): string => `${encodeEntity(entity)},${ip}`

/** The accesses of a pair; without event times, all of them between the bounds of what was judged. */
function sightingsOf(verdict: Verdict, times: Times | undefined, { from, to }: Window): Sighting[] {
  const spans = times?.(verdict) ?? []
  if (spans.length > 0) return spans.map((span) => ({ verdict, ...span }))
  return [{ verdict, first: from.getTime(), last: to.getTime() - 1, accesses: verdict.accesses }]
}
