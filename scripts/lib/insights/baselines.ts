import { networkOf } from './ipv4.ts'
import { aucOfRule } from './metrics.ts'
import type { Pairs } from './pairs.ts'
import type { Seen } from './verdicts.ts'

/** Pairs by entity: those of entity e are `ips[starts[e]] … ips[starts[e + 1] − 1]`, ascending. */
export interface Grouped {
  readonly starts: Uint32Array
  readonly ips: Uint32Array
}

export function groupByEntity(pairs: Pairs): Grouped {
  const starts = new Uint32Array(pairs.entities.length + 1)
  for (const entity of pairs.entityIndex) starts[entity + 1]! += 1
  for (let e = 0; e < pairs.entities.length; e++) starts[e + 1]! += starts[e]!
  const ips = new Uint32Array(pairs.ip.length)
  const next = starts.slice()
  for (const [row, entity] of pairs.entityIndex.entries()) {
    ips[next[entity]!] = pairs.ip[row]!
    next[entity]! += 1
  }
  for (let e = 0; e < pairs.entities.length; e++) ips.subarray(starts[e]!, starts[e + 1]!).sort()
  return { starts, ips }
}

/** Training pairs per entity. */
export const eventsByEntity = (pairs: Pairs, { starts }: Grouped): Map<string, number> =>
  new Map(pairs.entities.map((entity, e) => [entity, starts[e + 1]! - starts[e]!]))

/** What each entity was seen with in training: what the simple rules remember. */
export class History {
  private readonly grouped: Grouped
  private readonly indexOf: ReadonlyMap<string, number>

  constructor(pairs: Pairs, grouped: Grouped = groupByEntity(pairs)) {
    this.grouped = grouped
    this.indexOf = new Map(pairs.entities.map((entity, e) => [entity, e]))
  }

  /** Entity encoded. Of an unknown one nothing was seen. */
  seen(entity: string, ip: number): Seen {
    const e = this.indexOf.get(entity)
    if (e === undefined) return { ip: false, net24: false, net16: false }
    const { starts, ips } = this.grouped
    const has = (length: number): boolean => {
      const first = networkOf(ip, length)
      const at = lowerBound(ips, first, starts[e]!, starts[e + 1]!)
      return at < starts[e + 1]! && networkOf(ips[at]!, length) === first
    }
    return { ip: has(32), net24: has(24), net16: has(16) }
  }
}

/** First place in [from, to) of the ascending values that is not below. */
function lowerBound(sorted: Uint32Array, value: number, from: number, to: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

export const ruleNames = ['ip', 'net24', 'net16'] as const

/** How often a rule says "seen before" of normal and of attack pairs, and what that makes of it as a detector. */
export interface RuleResult {
  readonly normalSeen: number
  readonly attackSeen: number
  readonly auc: number
}

/** The rules "address, /24, /16 seen before for this entity" on normal and attack pairs. */
export function rulesOn(
  normal: readonly Seen[],
  attack: readonly Seen[],
): Record<(typeof ruleNames)[number], RuleResult> {
  const result = (rule: (typeof ruleNames)[number]): RuleResult => {
    const share = (all: readonly Seen[]) => all.filter((seen) => seen[rule]).length / all.length
    const [normalSeen, attackSeen] = [share(normal), share(attack)]
    return { normalSeen, attackSeen, auc: aucOfRule(normalSeen, attackSeen) }
  }
  return { ip: result('ip'), net24: result('net24'), net16: result('net16') }
}
