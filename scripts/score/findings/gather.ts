import type { PairVerdict } from '../tally.ts'
import { type About, type Finding, findingOf, networkText } from './finding.ts'

/** What becomes of the pairs that score below the threshold. */
export interface Gathered {
  /** To be looked at first by first event, then most anomalous; the allowed ones after them. */
  readonly findings: readonly Finding[]
  /** Flagged pairs. */
  readonly flagged: number
  /** Flagged pairs that went into a finding beside others. */
  readonly merged: number
  /** Open findings beyond the cap. */
  readonly capped: number
}

const DAY = 24 * 3_600_000

/** One finding for an entity and /24; the most anomalous `cap` a day. Verdicts of an entity stand together, as score writes them. */
export async function gather(verdicts: AsyncIterable<PairVerdict>, about: About, cap: number): Promise<Gathered> {
  const open = new MostAnomalous(mostOf(about, cap))
  const allowed = new MostAnomalous(mostOf(about, cap))
  const [first, last] = [about.window.from.getTime(), about.window.to.getTime() - 1]
  let [flagged, groups] = [0, 0]
  for await (const group of grouped(verdicts)) {
    const finding = findingOf(
      group.map((verdict) => ({ verdict, first, last })),
      about,
    )
    flagged += group.filter((verdict) => verdict.flagged).length
    groups += finding.state === 'open' ? 1 : 0
    ;(finding.state === 'open' ? open : allowed).add(finding)
  }
  const kept = open.kept()
  return {
    findings: [...kept, ...allowed.kept()],
    flagged,
    merged: flagged - groups,
    capped: groups - kept.length,
  }
}

/** Event times are known no better than by the window, so that the cap holds for all its days together. */
const mostOf = ({ window }: About, cap: number): number =>
  Math.ceil(cap * Math.max(1, (window.to.getTime() - window.from.getTime()) / DAY))

/** What is below the threshold, the addresses of an entity in a /24 together. */
async function* grouped(verdicts: AsyncIterable<PairVerdict>): AsyncGenerator<PairVerdict[]> {
  let group: PairVerdict[] = []
  let name = ''
  for await (const verdict of verdicts) {
    if (!verdict.flagged && verdict.allowed === undefined) continue
    const here = `${networkText(verdict.ip)} ${verdict.entity}`
    if (here !== name && group.length > 0) {
      yield group
      group = []
    }
    name = here
    group.push(verdict)
  }
  if (group.length > 0) yield group
}

/** Keeps so many findings in bounded memory. */
class MostAnomalous {
  readonly #most: number
  #findings: Finding[] = []

  constructor(most: number) {
    this.#most = most
  }

  add(finding: Finding): void {
    this.#findings.push(finding)
    // Now and then, so that it costs little.
    if (this.#findings.length >= 4 * this.#most + 1000) this.kept()
  }

  /** Most anomalous first. */
  kept(): readonly Finding[] {
    this.#findings = this.#findings.sort(byAnomaly).slice(0, this.#most)
    return this.#findings
  }
}

const byAnomaly = (a: Finding, b: Finding): number => a.dotProduct - b.dotProduct || (a.id < b.id ? -1 : 1)
