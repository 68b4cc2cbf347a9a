import { DAY_MS, daysOf } from '../../lib/runs/window.ts'
import type { PairVerdict } from '../tally.ts'
import { type About, type Finding, findingOf, networkText, type Sighting, startOf } from './finding.ts'
import { sightingsOf, type Times } from './times.ts'

/** What becomes of the pairs that score below the threshold. */
export interface Gathered {
  /** The open ones, most anomalous first, then the allowed ones. */
  readonly findings: readonly Finding[]
  /** Flagged pairs that are told with another one of the same entity, /24 and period. */
  readonly merged: number
  /** Open findings beyond the cap. */
  readonly capped: number
}

/** One finding for an entity, /24 and period; of each day the most anomalous `cap`. */
export function gather(
  verdicts: readonly PairVerdict[],
  about: About,
  cap: number,
  times: Times | undefined,
): Gathered {
  const open: Finding[] = []
  const allowed: Finding[] = []
  let merged = 0
  for (const sightings of grouped(verdicts, about, times)) {
    const finding = findingOf(sightings, about)
    if (finding.state === 'open') merged += finding.addresses.length - 1
    ;(finding.state === 'open' ? open : allowed).push(finding)
  }
  // Where times are not known, all days of the window share their caps.
  const [days, most] = times === undefined ? [undefined, cap * Math.max(1, daysOf(about.window))] : [DAY_MS, cap]
  const kept = mostAnomalous(open, Math.ceil(most), days)
  return {
    findings: [...kept, ...mostAnomalous(allowed, Math.ceil(most), days)],
    merged,
    capped: open.length - kept.length,
  }
}

/** Sightings of the same entity, /24 and period. */
function grouped(verdicts: readonly PairVerdict[], about: About, times: Times | undefined): Iterable<Sighting[]> {
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

/** So many of each stretch of time, or of all together. */
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
