import { pMapIterable } from 'p-map'
import { type Accesses, type DistinctPair, kindOf, type Seen } from '../lib/insights/accesses.ts'
import { decodeEntity } from '../lib/insights/entity-codec.ts'
import { type Cidr, formatCidr, formatIpv4, isWithin } from '../lib/insights/ipv4.ts'
import type { Verdict } from '../lib/runs/verdicts.ts'
import type { Scorer } from './scorer.ts'
import type { Labels } from './user-files.ts'

/** One pair and what is known about it. */
export interface Evidence {
  /** Encoded. */
  readonly entity: string
  readonly ip: number
  /** Training pairs of the entity. */
  readonly events: number
  /** Ignored when the entity has too few training pairs. */
  readonly dotProduct: number
  readonly accesses: number
  readonly seen?: Seen
  readonly label?: string
}

export interface Policy {
  /** Pairs that score below are flagged. */
  readonly threshold: number
  /** An entity with fewer training pairs is sparse. */
  readonly minEvents: number
  readonly allow: readonly Cidr[]
}

/** Judges one pair. Only a scored pair is ever flagged. */
export function judge(evidence: Evidence, policy: Policy): Verdict {
  const { entity, ip, events, dotProduct, accesses, seen, label } = evidence
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
    ...(net !== undefined && { allowed: formatCidr(net) }),
    ...(seen !== undefined && { seen }),
    ...(label !== undefined && { label }),
    accesses,
  }
}

export interface JudgeTask {
  /** What is judged. */
  readonly accesses: Accesses
  /** Training pairs of an entity. */
  readonly events: (entity: string) => number
  /** The training pairs, where they are available: for "seen before". */
  readonly before: Accesses | undefined
  readonly scorer: Scorer
  readonly policy: Policy
  readonly labels: Labels | undefined
}

/** Verdicts on all distinct pairs, in batches, in the order of the pairs however the scores arrive. */
export const judgeAll = (task: JudgeTask): AsyncIterable<Verdict[]> =>
  pMapIterable(batches(task.accesses.distinct()), (batch) => judgeBatch(batch, task), {
    concurrency: task.scorer.concurrency,
    backpressure: task.scorer.concurrency * 2,
  })

/** Keeps a request well below what endpoints accept: 6 MB, serverless ones 4 MB. */
const BATCH_PAIRS = 10_000
const BATCH_BYTES = 2_000_000
const ADDRESS_BYTES = 17

function* batches(pairs: Iterable<DistinctPair>): Generator<DistinctPair[]> {
  let batch: DistinctPair[] = []
  let bytes = 0
  for (const pair of pairs) {
    const size = Buffer.byteLength(pair.entity) + ADDRESS_BYTES
    if (batch.length === BATCH_PAIRS || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(pair)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** The model is only asked about entities that it knows: for others its score means nothing. */
async function judgeBatch(batch: readonly DistinctPair[], task: JudgeTask): Promise<Verdict[]> {
  const { policy, scorer, before, labels } = task
  const known = batch.map((pair) => ({ ...pair, events: task.events(pair.entity) }))
  const scorable = known.filter(({ events }) => kindOf(events, policy.minEvents) === 'scored')
  const entities = scorable.map(({ entity }) => entity)
  const ips = Uint32Array.from(scorable, ({ ip }) => ip)
  const scores = (scorable.length === 0 ? [] : await scorer.score({ entities, ips })).values()
  return known.map((pair) => {
    const { entity, ip, events } = pair
    const dotProduct = kindOf(events, policy.minEvents) === 'scored' ? (scores.next().value ?? Number.NaN) : Number.NaN
    const label = labels?.of(entity, ip)
    const seen = before?.seen(entity, ip)
    return judge({ ...pair, dotProduct, ...(seen && { seen }), ...(label !== undefined && { label }) }, policy)
  })
}
