import { decodeEntity } from './entity-codec.ts'
import { type Cidr, formatIpv4, isWithin } from './ipv4.ts'

/** Whether this entity was seen with the address, its /24 and its /16 in training. */
export interface Seen {
  readonly ip: boolean
  readonly net24: boolean
  readonly net16: boolean
}

/** `scored`, or why the score means nothing: the entity was never seen in training, or too seldom. */
export type VerdictKind = 'scored' | 'unseen-entity' | 'sparse-entity'

/** What is said about one pair. */
export interface Verdict {
  /** Decoded. */
  readonly entity: string
  /** Dotted. */
  readonly ip: string
  /** Training pairs of the entity. */
  readonly events: number
  readonly verdict: VerdictKind
  /** High is normal. Absent where it would mean nothing. */
  readonly dotProduct?: number
  /** `-dotProduct`: high is anomalous. */
  readonly anomalyScore?: number
  readonly flagged: boolean
  /** The allow-listed network that kept it from being flagged. */
  readonly allowed?: string
  readonly seen?: Seen
  /** Kind of attack, where labels are known. */
  readonly label?: string
}

/** One pair with what is known about it. */
export interface Evidence {
  /** Encoded. */
  readonly entity: string
  readonly ip: number
  /** Training pairs of the entity. */
  readonly events: number
  readonly dotProduct: number
  readonly seen?: Seen
  readonly label?: string
}

export interface Policy {
  /** Flagged is what scores below. */
  readonly threshold: number
  /** An entity with fewer training pairs is sparse. */
  readonly minEvents: number
  readonly allow: readonly Cidr[]
}

/** Below this many training pairs the vector of an entity has hardly left its random start. */
export const MIN_EVENTS = 10

/** Judges one pair. Only a scored pair is ever flagged. */
export function judge(evidence: Evidence, policy: Policy): Verdict {
  const { entity, ip, events, dotProduct, seen, label } = evidence
  const verdict = kindOf(events, policy.minEvents)
  const below = verdict === 'scored' && dotProduct < policy.threshold
  const net = below ? policy.allow.find((cidr) => isWithin(ip, cidr)) : undefined
  return {
    entity: decodeEntity(entity),
    ip: formatIpv4(ip),
    events,
    verdict,
    ...(verdict === 'scored' && { dotProduct, anomalyScore: 0 - dotProduct }),
    flagged: below && net === undefined,
    ...(net !== undefined && { allowed: `${formatIpv4(net.base)}/${net.length}` }),
    ...(seen !== undefined && { seen }),
    ...(label !== undefined && { label }),
  }
}

export const kindOf = (events: number, minEvents: number): VerdictKind =>
  events === 0 ? 'unseen-entity' : events < minEvents ? 'sparse-entity' : 'scored'
