import { type Grouped, lowerBound } from './accesses.ts'
import { type Cidr, isPublic, networkOf } from './ipv4.ts'
import type { Random } from './random.ts'

/** Where somebody comes from who uses an entity's name: the made-up attackers that ranks are fitted and measured on. */
export const attackerKinds = ['random-network', 'other-entity', 'other-network', 'near-network', 'listed'] as const
export type AttackerKind = (typeof attackerKinds)[number]

/** How far, in powers of two, an attacker of the kind near-network sits from an address of the entity. */
const NEAR = { least: 10, most: 22 } as const
/** Draws before an address that the entity has itself is taken after all. */
const ATTEMPTS = 20

/** Makes up attackers on entities of training pairs. */
export class Attackers {
  private readonly grouped: Grouped
  private readonly listed: readonly Cidr[]

  /** @param listed networks that attackers of the kind listed come from */
  constructor(grouped: Grouped, listed: readonly Cidr[] = []) {
    this.grouped = grouped
    this.listed = listed
  }

  /** An address that the entity does not have itself in training. @param entity its index among the training entities */
  draw(kind: AttackerKind, entity: number, random: Random): number {
    for (let attempt = 1; ; attempt++) {
      const ip = this.addressOf(kind, entity, random)
      if (attempt === ATTEMPTS || !this.isOwn(entity, ip)) return ip
    }
  }

  private addressOf(kind: AttackerKind, entity: number, random: Random): number {
    if (kind === 'near-network') return this.near(entity, random)
    if (kind === 'listed') return listedAddress(this.listed, random)
    const other = kind === 'random-network' ? undefined : this.ofOthers(entity, random)
    if (other === undefined) return publicAddress(random)
    return kind === 'other-entity' ? other : networkOf(other, 20) + random.below(2 ** 12)
  }

  /** An access of somebody else; undefined when nobody else is there. */
  private ofOthers(entity: number, random: Random): number | undefined {
    const { starts, ips } = this.grouped
    const [first, end] = [starts[entity]!, starts[entity + 1]!]
    const others = ips.length - (end - first)
    if (others === 0) return undefined
    const at = random.below(others)
    return ips[at < first ? at : at + end - first]
  }

  private near(entity: number, random: Random): number {
    const { starts, ips } = this.grouped
    const own = ips[starts[entity]! + random.below(starts[entity + 1]! - starts[entity]!)]!
    const off = Math.floor(2 ** (NEAR.least + (NEAR.most - NEAR.least) * random.uniform()))
    return (own + (random.uniform() < 0.5 ? -off : off)) >>> 0
  }

  private isOwn(entity: number, ip: number): boolean {
    const { starts, ips } = this.grouped
    const at = lowerBound(ips, ip, starts[entity]!, starts[entity + 1]!)
    return at < starts[entity + 1]! && ips[at] === ip
  }
}

/** Every address of the public Internet alike. */
export function publicAddress(random: Random): number {
  for (;;) {
    const ip = random.uint32()
    if (isPublic(ip)) return ip
  }
}

/** Every network alike, whatever its size: a large one would hide the others. */
function listedAddress(listed: readonly Cidr[], random: Random): number {
  const { base, length } = listed[random.below(listed.length)] ?? { base: 0, length: 0 }
  return base + random.below(2 ** (32 - length))
}
