import { pMapIterable } from 'p-map'
import { type Accesses, type DistinctPair, kindOf, type Seen } from '../lib/insights/accesses.ts'
import { decodeEntity } from '../lib/insights/entity-codec.ts'
import { type Address, formatAddress, formatNetwork, isInNetwork } from '../lib/insights/ipv6.ts'
import type { SeenIpv6 } from '../lib/insights/ipv6-evidence.ts'
import type { Allowed } from '../lib/runs/allowances.ts'
import type { PairProvider } from '../lib/runs/providers/provider.ts'
import type { Reason, Verdict } from '../lib/runs/verdicts.ts'
import type { Ranking } from './ranking.ts'
import type { Scorer } from './scorer.ts'
import type { Labels } from './user-files.ts'

/** One pair and what is known about it. */
export interface KnownPair {
  /** Encoded. */
  readonly entity: string
  readonly ip: Address
  /** Training pairs of the entity. */
  readonly events: number
  /** Ignored when the entity has too few training pairs, and of IPv6. */
  readonly dotProduct: number
  /** What it is ranked by; low is suspicious. */
  readonly value: number
  readonly accesses: number
  readonly seen?: Seen | SeenIpv6
  readonly label?: string
}

export interface Policy {
  /** Pairs whose value is below are flagged. */
  readonly threshold: number
  /** An entity with fewer training pairs is sparse. */
  readonly minEvents: number
  readonly allow: readonly Allowed[]
}

/** Judges one pair. Only one that is scored, or has evidence, is ever flagged. @param reasons asked for when it is */
export function judge(pair: KnownPair, policy: Policy, reasons?: () => readonly Reason[]): Verdict {
  const { entity, ip, events, dotProduct, value, accesses, seen, label } = pair
  const kind = kindOf(events, policy.minEvents)
  const verdict = kind === 'scored' && typeof ip === 'bigint' ? 'evidence' : kind
  const below = kind === 'scored' && value < policy.threshold
  const net = below ? allowing(policy, entity, ip) : undefined
  const flagged = below && net === undefined
  return {
    entity: decodeEntity(entity),
    ip: formatAddress(ip),
    events,
    verdict,
    ...(verdict === 'scored' && { dotProduct }),
    ...(kind === 'scored' && { anomalyScore: 0 - value }),
    flagged,
    ...(net !== undefined && { allowed: formatNetwork(net) }),
    ...(net?.because && { allowance: net.because }),
    ...(flagged && reasons && { reasons: reasons() }),
    ...(seen !== undefined && { seen }),
    ...(label !== undefined && { label }),
    accesses,
  }
}

export const allowing = ({ allow }: Pick<Policy, 'allow'>, entity: string, ip: Address): Allowed | undefined =>
  allow.find((one) => isInNetwork(ip, one) && (one.entity === undefined || one.entity === entity))

/** Whether a pair is below the threshold, in an allowed network or not. */
export const isBelow = ({ flagged, allowed }: Verdict): boolean => flagged || allowed !== undefined

export interface JudgeTask {
  /** What is judged. */
  readonly accesses: Accesses
  /** Training pairs of an entity. */
  readonly events: (entity: string) => number
  /** The training pairs, where they are available: for "seen before". */
  readonly before: Accesses | undefined
  readonly ranking: Ranking
  readonly policy: Policy
  readonly labels: Labels | undefined
  /** Where files of networks are given. */
  readonly providerOf?: (entity: string, ip: number) => PairProvider | undefined
}

/** Of all pairs that can be judged, in their sequence. */
export interface Scored {
  readonly dotProducts: Float64Array
  /** What they are ranked by; low is suspicious. */
  readonly values: Float64Array
}

/**
 * Scores all distinct pairs of entities that the model knows: for others its score means nothing.
 * @param onPairs called with how many pairs are done in addition, judged or not
 */
export async function scorePairs(
  task: Omit<JudgeTask, 'labels' | 'before'>,
  scorer: Scorer,
  onPairs: (pairs: number) => void,
): Promise<Scored> {
  const { accesses, events, ranking, policy } = task
  const scored = pMapIterable(
    batches(accesses.distinct()),
    async (batch) => {
      const pairs = batch.filter(({ entity }) => kindOf(events(entity), policy.minEvents) === 'scored')
      const entities = pairs.map(({ entity }) => entity)
      const ips = Uint32Array.from(pairs, ({ ip }) => ip)
      const scores = pairs.length === 0 ? new Float64Array() : await scorer.score({ entities, ips })
      const values = scores.map((score, i) => ranking.value(entities[i] ?? '', ips[i] ?? 0, score))
      return { scores, values, of: batch.length }
    },
    { concurrency: scorer.concurrency, backpressure: scorer.concurrency * 2 },
  )
  const parts: { readonly scores: Float64Array; readonly values: Float64Array }[] = []
  for await (const part of scored) {
    parts.push(part)
    onPairs(part.of)
  }
  return {
    dotProducts: joined(parts.map(({ scores }) => scores)),
    values: joined(parts.map(({ values }) => values)),
  }
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Values below a threshold, those in allowed networks not counted. */
export function valuesBelow(
  { accesses, events, policy }: Pick<JudgeTask, 'accesses' | 'events' | 'policy'>,
  { values }: Scored,
  threshold: number,
): number[] {
  const below: number[] = []
  let at = 0
  for (const { entity, ip } of accesses.distinct()) {
    if (kindOf(events(entity), policy.minEvents) !== 'scored') continue
    const value = values[at++] ?? Number.NaN
    if (value < threshold && allowing(policy, entity, ip) === undefined) below.push(value)
  }
  return below
}

/**
 * The threshold that leaves as many pairs below as the budget allows, those in allowed networks not counted; no higher than the
 * given one.
 * @param more values of other pairs below it
 */
export function cappedThreshold(
  task: Pick<JudgeTask, 'accesses' | 'events' | 'policy'>,
  scored: Scored,
  { budget, more }: { readonly budget: number; readonly more: readonly number[] },
): number {
  const { threshold } = task.policy
  const below = [...valuesBelow(task, scored, threshold), ...more]
  return Float64Array.from(below).sort()[budget] ?? threshold
}

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

/** Verdicts on all distinct pairs, in batches, in the sequence of the pairs. */
export function* judgeAll(task: JudgeTask, { dotProducts, values }: Scored): Generator<Verdict[]> {
  const { accesses, events, before, ranking, policy, labels, providerOf } = task
  let at = 0
  for (const batch of batches(accesses.distinct()))
    yield batch.map((pair) => {
      const { entity, ip } = pair
      const count = events(entity)
      const i = kindOf(count, policy.minEvents) === 'scored' ? at++ : -1
      const [dotProduct, value] = [dotProducts[i] ?? Number.NaN, values[i] ?? Number.NaN]
      const label = labels?.of(entity, ip)
      const seen = before?.seen(entity, ip)
      const known = { ...pair, events: count, dotProduct, value }
      const verdict = judge(
        { ...known, ...(seen && { seen }), ...(label !== undefined && { label }) },
        policy,
        ranking.reasons && (() => ranking.reasons?.(entity, ip, dotProduct) ?? []),
      )
      const provider = isBelow(verdict) ? providerOf?.(entity, ip) : undefined
      return provider === undefined ? verdict : { ...verdict, provider }
    })
}
