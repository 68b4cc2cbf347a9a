import { type Grouped, groupByEntity, lowerBound } from './accesses.ts'
import { Novelty } from './novelty.ts'
import type { Pairs } from './pairs.ts'
import { countIn, PrefixModel, type Slice, within } from './prefixes.ts'

/** What the training pairs say about an access, without the model. */
export interface Evidence {
  /** Accesses of the entity, and those from this address, its /24, /20, /16. */
  readonly accesses: number
  readonly ip: number
  readonly net24: number
  readonly net20: number
  readonly net16: number
  /** Accesses of the entity from addresses that differ by less than 2¹⁶, 2²⁰. */
  readonly near16: number
  readonly near20: number
  /** From the entity's nearest address to this one; infinite when it has none. */
  readonly distance: number
  /** Probability that the entity comes from so far off all of its other addresses. */
  readonly novelty: number
  /** Of the smoothed prefix model: ln P(/24 | entity) − ln P(/24). High is normal. */
  readonly pmi: number
  /** Accesses of all other entities from this /24, this /16. */
  readonly others24: number
  readonly others16: number
}

/** Tells what training pairs say about other pairs of their entities. */
export class EvidenceModel {
  private readonly prefixes: PrefixModel
  private readonly novelty: Novelty
  private readonly indexOf: ReadonlyMap<string, number>

  constructor(pairs: Pairs, grouped: Grouped = groupByEntity(pairs)) {
    this.prefixes = new PrefixModel(pairs, grouped)
    this.novelty = new Novelty(grouped)
    this.indexOf = new Map(pairs.entities.map((entity, e) => [entity, e]))
  }

  /** Whether the entity came from this /24 before: cheaper than all of the evidence. */
  isUsual(entity: string, ip: number): boolean {
    return countIn(within(this.prefixes.of(this.index(entity)), ip, 24)) > 0
  }

  /** @param entity encoded; one that occurs in the training pairs. @throws RangeError for another one */
  of(entity: string, ip: number): Evidence {
    const e = this.index(entity)
    const own = this.prefixes.of(e)
    const [own16, all16] = [within(own, ip, 16), within(this.prefixes.all, ip, 16)]
    const [own24, all24] = [within(own16, ip, 24), within(all16, ip, 24)]
    const distance = distanceTo(own, ip)
    return {
      accesses: countIn(own),
      ip: distance > 0 ? 0 : countIn(within(own24, ip, 32)),
      net24: countIn(own24),
      net20: countIn(within(own16, ip, 20)),
      net16: countIn(own16),
      near16: near(own, ip, 2 ** 16),
      near20: near(own, ip, 2 ** 20),
      distance,
      novelty: this.novelty.of(e, distance),
      pmi: this.prefixes.pmi(e, ip),
      others24: countIn(all24) - countIn(own24),
      others16: countIn(all16) - countIn(own16),
    }
  }

  private index(entity: string): number {
    const e = this.indexOf.get(entity)
    if (e === undefined) throw new RangeError(`${entity} does not occur in training`)
    return e
  }
}

function distanceTo({ sorted, from, to }: Slice, ip: number): number {
  const at = lowerBound(sorted, ip, from, to)
  const above = at < to ? sorted[at]! - ip : Number.POSITIVE_INFINITY
  return at > from ? Math.min(above, ip - sorted[at - 1]!) : above
}

const near = ({ sorted, from, to }: Slice, ip: number, distance: number): number =>
  lowerBound(sorted, ip + distance, from, to) - lowerBound(sorted, ip - distance, from, to)
