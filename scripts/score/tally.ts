import { ruleNames } from '../lib/insights/accesses.ts'
import type { AttackResult } from '../lib/runs/results.ts'
import { isJudged, seenByRule, type Verdict } from '../lib/runs/verdicts.ts'

type Rule = (typeof ruleNames)[number]

/** Totals over all verdicts. */
export class Tally {
  scored = 0
  /** IPv6 pairs. */
  evidence = 0
  unseen = 0
  sparse = 0
  flagged = 0
  allowed = 0
  /** Pairs whose provider is known. */
  located = 0
  private readonly kinds = new Map<string, KindCount>()
  private readonly alarms: Record<Rule, number> = { ip: 0, net24: 0, net16: 0 }
  private hasHistory = true

  add(verdict: Verdict): void {
    if (verdict.verdict === 'unseen-entity') this.unseen += 1
    else if (verdict.verdict === 'sparse-entity') this.sparse += 1
    else if (verdict.verdict === 'evidence') this.evidence += 1
    else this.scored += 1
    if (verdict.flagged) this.flagged += 1
    if (verdict.allowed !== undefined) this.allowed += 1
    if (verdict.provider !== undefined) this.located += 1
    const kind = verdict.label === undefined ? undefined : this.kindOf(verdict.label)
    if (kind !== undefined) kind.attacks += 1
    if (kind !== undefined && verdict.flagged) kind.flagged += 1
    if (isJudged(verdict)) this.judge(verdict, kind)
  }

  private judge({ seen }: Verdict, kind: KindCount | undefined): void {
    if (kind !== undefined) kind.judged += 1
    if (seen === undefined) this.hasHistory = false
    else
      for (const rule of ruleNames) {
        if (seenByRule(seen)[rule]) continue
        this.alarms[rule] += 1
        if (kind !== undefined) kind.unseenBy[rule] += 1
      }
  }

  private kindOf(name: string): KindCount {
    const known = this.kinds.get(name)
    if (known !== undefined) return known
    const kind: KindCount = { attacks: 0, judged: 0, flagged: 0, unseenBy: { ip: 0, net24: 0, net16: 0 } }
    this.kinds.set(name, kind)
    return kind
  }

  /** All pairs, whatever their verdict. */
  get total(): number {
    return this.scored + this.evidence + this.unseen + this.sparse
  }

  /** Labelled pairs among those that were judged. */
  get attacks(): number {
    return [...this.kinds.values()].reduce((sum, kind) => sum + kind.attacks, 0)
  }

  /** How well the model, and the rules with as many alerts, find each kind of attack. Kinds in alphabetical order. */
  measured(): AttackResult[] {
    const found = [...this.kinds.values()].reduce((sum, kind) => sum + kind.flagged, 0)
    const wrong = this.flagged - found
    return [...this.kinds]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, { attacks, judged, flagged, unseenBy }]) => ({
        kind,
        attacks,
        judged,
        flagged,
        recall: flagged / attacks,
        precision: ratio(flagged, flagged + wrong),
        ...(this.hasHistory && { rules: mapRules((rule) => this.ruleMeasured(rule, attacks, unseenBy[rule])) }),
      }))
  }

  /** A yes/no rule cannot rank its alarms: within a budget it finds what chance picks. */
  private ruleMeasured(rule: Rule, attacks: number, unseen: number): NonNullable<AttackResult['rules']>[Rule] {
    const alarms = this.alarms[rule]
    const found = unseen * Math.min(1, ratio(this.flagged, alarms))
    const attackAlarms = [...this.kinds.values()].reduce((sum, kind) => sum + kind.unseenBy[rule], 0)
    return { found, recall: found / attacks, precision: ratio(unseen, unseen + alarms - attackAlarms), alarms }
  }
}

interface KindCount {
  attacks: number
  judged: number
  flagged: number
  unseenBy: Record<Rule, number>
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const mapRules = <T>(value: (rule: Rule) => T): Record<Rule, T> => ({
  ip: value('ip'),
  net24: value('net24'),
  net16: value('net16'),
})
