import { type Grouped, groupByEntity } from './accesses.ts'
import { Novelty } from './novelty.ts'
import type { Pairs } from './pairs.ts'
import { LEVEL, PrefixModel } from './prefixes.ts'

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

/** Tells what training pairs say about other pairs of their entities: fastest entity by entity, addresses ascending. */
export class EvidenceModel {
  private readonly prefixes: PrefixModel
  private readonly novelty: Novelty
  private readonly indexOf: ReadonlyMap<string, number>
  private last: { entity: string; index: number } | undefined

  constructor(pairs: Pairs, grouped: Grouped = groupByEntity(pairs)) {
    this.prefixes = new PrefixModel(pairs, grouped)
    this.novelty = new Novelty(grouped)
    this.indexOf = new Map(pairs.entities.map((entity, e) => [entity, e]))
  }

  /** Whether the entity came from this /24 before: cheaper than all of the evidence. */
  isUsual(entity: string, ip: number): boolean {
    this.prefixes.at(this.index(entity), ip)
    return this.prefixes.own(LEVEL[24]) > 0
  }

  /** @param entity encoded; one that occurs in the training pairs. @throws RangeError for another one */
  of(entity: string, ip: number): Evidence {
    const { prefixes } = this
    const e = this.index(entity)
    prefixes.at(e, ip)
    const distance = prefixes.distance()
    return {
      accesses: prefixes.own(0),
      ip: prefixes.here(distance),
      net24: prefixes.own(LEVEL[24]),
      net20: prefixes.own(LEVEL[20]),
      net16: prefixes.own(LEVEL[16]),
      near16: prefixes.near(2 ** 16, distance),
      near20: prefixes.near(2 ** 20, distance),
      distance,
      novelty: this.novelty.of(e, distance),
      pmi: prefixes.pmi(),
      others24: prefixes.others(LEVEL[24]),
      others16: prefixes.others(LEVEL[16]),
    }
  }

  private index(entity: string): number {
    if (this.last?.entity === entity) return this.last.index
    const index = this.indexOf.get(entity)
    if (index === undefined) throw new RangeError(`${entity} does not occur in training`)
    this.last = { entity, index }
    return index
  }
}
