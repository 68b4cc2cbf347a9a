import type { RuleResult } from '../lib/insights/accesses.ts'
import { auc, aucOfRule, countBelow, quantile, roc } from '../lib/insights/metrics.ts'
import { byAnomaly, isJudged, seenByRule, type Verdict } from '../lib/runs/verdicts.ts'
import { type Bin, type Curve, type Rule, rules, type Unjudged } from './data.ts'

/** What the report needs of the verdicts, which may not fit into memory. */
export class VerdictSummary {
  private readonly normal = new Scores()
  private readonly attack = new Scores()
  private readonly seen = { normal: counts(), attack: counts() }
  private readonly flagged = new Most(SHOWN)
  private readonly others = new Most(CONTEXT)
  private readonly allowed = new Most(ALLOWED)
  private busiest: Unjudged[] = []
  private open: Unjudged | undefined
  /** Entities that could not be judged. */
  unjudgedEntities = 0
  private hasHistory = true

  add(verdict: Verdict): void {
    if (!isJudged(verdict)) this.addUnjudged(verdict)
    else this.addScored(verdict)
  }

  private addScored(verdict: Verdict): void {
    const side = verdict.label === undefined ? 'normal' : 'attack'
    // What it was ranked by, as the threshold: low is anomalous.
    this[side].add(0 - (verdict.anomalyScore ?? 0))
    if (verdict.seen === undefined) this.hasHistory = false
    else for (const rule of rules) if (seenByRule(verdict.seen)[rule]) this.seen[side][rule] += 1
    if (verdict.flagged) this.flagged.add(verdict)
    else if (verdict.allowed !== undefined) this.allowed.add(verdict)
    else this.others.add(verdict)
  }

  /** The verdicts on one entity are adjacent. */
  private addUnjudged({ entity, verdict, ip, accesses }: Verdict): void {
    if (verdict === 'scored' || verdict === 'evidence') return
    const { open } = this
    if (open?.entity !== entity) {
      this.closeEntity()
      this.open = { entity, verdict, addresses: 1, busiest: [{ ip, accesses }], accesses }
      return
    }
    const all = [...open.busiest, { ip, accesses }]
    // Only now and then: an entity may have very many addresses.
    const busiest = all.length < 4 * ADDRESSES_SHOWN ? all : busiestOf(all)
    this.open = { ...open, addresses: open.addresses + 1, busiest, accesses: open.accesses + accesses }
  }

  private closeEntity(): void {
    if (this.open === undefined) return
    this.busiest.push({ ...this.open, busiest: busiestOf(this.open.busiest) })
    this.unjudgedEntities += 1
    this.open = undefined
    if (this.busiest.length >= 4 * UNJUDGED_SHOWN) this.busiest = byAccesses(this.busiest)
  }

  unjudged(): Unjudged[] {
    this.closeEntity()
    return byAccesses(this.busiest)
  }

  /** The flagged pairs, 10,000 at most, and the next three; most anomalous first. */
  top(): Verdict[] {
    return [...this.flagged.top(), ...this.others.top()].sort(byAnomaly)
  }

  /** Pairs below the threshold in what is allowed, 1,000 at most, most anomalous first. */
  allowedTop(): Verdict[] {
    return this.allowed.top()
  }

  /** Undefined unless both attacks and other pairs were judged. */
  againstAttacks(threshold: number): Curve | undefined {
    const [normal, attack] = [this.normal.sorted(), this.attack.sorted()]
    if (normal.length === 0 || attack.length === 0) return undefined
    const below = (scores: Float64Array) => countBelow(scores, threshold) / scores.length
    return {
      auc: auc(normal, attack),
      roc: roc(normal, attack, ROC_POINTS).map(({ falsePositives, truePositives }) => ({
        falsePositives,
        truePositives,
      })),
      at: { falsePositives: below(normal), truePositives: below(attack) },
      ...(this.hasHistory && { rules: this.ruleResults(normal.length, attack.length) }),
    }
  }

  private ruleResults(normal: number, attack: number): Record<Rule, RuleResult> {
    const result = (rule: Rule): RuleResult => {
      const [normalSeen, attackSeen] = [this.seen.normal[rule] / normal, this.seen.attack[rule] / attack]
      return { normalSeen, attackSeen, auc: aucOfRule(normalSeen, attackSeen) }
    }
    return { ip: result('ip'), net24: result('net24'), net16: result('net16') }
  }

  /** The threshold is the edge of two bins; extreme scores are counted in the outermost ones. */
  bins(threshold: number): Bin[] {
    const [normal, attack] = [this.normal.sorted(), this.attack.sorted()]
    const ends = [quantile(normal, EXTREME), quantile(normal, 1 - EXTREME), attack.at(0), attack.at(-1), threshold]
    const known = ends.filter((end): end is number => end !== undefined && Number.isFinite(end))
    const [low, high] = [Math.min(...known), Math.max(...known)]
    const width = (high - low) / BINS || 1
    // The only scores on one side of the threshold may be extreme: they still get a bin there.
    const flagged = countBelow(normal, threshold) + countBelow(attack, threshold)
    const below = Math.max(flagged > 0 ? 1 : 0, Math.ceil((threshold - low) / width))
    const above = Math.max(flagged < normal.length + attack.length ? 1 : 0, Math.ceil((high - threshold) / width))
    const n = Math.max(1, below + above)
    const edge = (i: number) => threshold + (i - below) * width
    // The outermost bins are open.
    const limit = (i: number) => (i <= 0 ? -Infinity : i >= n ? Infinity : edge(i))
    const within = (scores: Float64Array, i: number) => countBelow(scores, limit(i + 1)) - countBelow(scores, limit(i))
    return Array.from({ length: n }, (_, i) => ({
      from: edge(i),
      to: edge(i + 1),
      normal: within(normal, i),
      attack: within(attack, i),
    }))
  }
}

/** As many as anomalies.csv has. */
const SHOWN = 10_000
/** Pairs that are not flagged, for context. */
const CONTEXT = 3
const ALLOWED = 1000
const UNJUDGED_SHOWN = 1000
const ADDRESSES_SHOWN = 20
const ROC_POINTS = 400
const BINS = 60
const EXTREME = 0.0005

const counts = (): Record<Rule, number> => ({ ip: 0, net24: 0, net16: 0 })
const byAccesses = (all: readonly Unjudged[]): Unjudged[] =>
  all.toSorted((a, b) => b.accesses - a.accesses || (a.entity < b.entity ? -1 : 1)).slice(0, UNJUDGED_SHOWN)

const busiestOf = (addresses: Unjudged['busiest']): Unjudged['busiest'] =>
  addresses.toSorted((a, b) => b.accesses - a.accesses || (a.ip < b.ip ? -1 : 1)).slice(0, ADDRESSES_SHOWN)

/** The most anomalous verdicts, in bounded memory. */
class Most {
  private kept: Verdict[] = []
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  add(verdict: Verdict): void {
    this.kept.push(verdict)
    if (this.kept.length >= 4 * Math.max(this.limit, 250)) this.kept = this.top()
  }

  top(): Verdict[] {
    return this.kept.toSorted(byAnomaly).slice(0, this.limit)
  }
}

/** A growing column of numbers. */
class Scores {
  private values = new Float64Array(1024)
  private count = 0

  add(value: number): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(this.values.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.count] = value
    this.count += 1
  }

  sorted(): Float64Array {
    return this.values.subarray(0, this.count).toSorted()
  }
}
