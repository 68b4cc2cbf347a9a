import type { Digest } from './file.ts'

/** A digest with what its key says: which chain it belongs to. */
export interface ChainedDigest {
  readonly key: string
  readonly trail: string
  readonly isBackfill: boolean
  readonly digest: Digest
}

export interface Coverage {
  /** Delivery is indexed without a hole from the first digest up to here; undefined without any digest. */
  readonly until?: Date
  /** Holes and breaks, in words. */
  readonly faults: readonly string[]
}

const HOUR = 3_600_000

/**
 * Holds the digests of one account and region, chain by chain (a trail each), against the delivery times `[from, to)` that
 * matter: each must follow the one before it, and no hour may be missing.
 */
export function coverageOf(digests: readonly ChainedDigest[], from: Date, to: Date): Coverage {
  const chains = new Map<string, ChainedDigest[]>()
  for (const digest of digests)
    if (!digest.isBackfill) chains.set(digest.trail, [...(chains.get(digest.trail) ?? []), digest])
  const faults: string[] = []
  const ends: number[] = []
  for (const [trail, chain] of chains) {
    const sorted = chain.toSorted((a, b) => a.digest.digestEndTime.getTime() - b.digest.digestEndTime.getTime())
    faults.push(...chainFaults(trail, sorted, from))
    const last = sorted.at(-1)
    if (last) ends.push(last.digest.digestEndTime.getTime())
  }
  // Each trail names its own files, so the index is as far as the trail that is furthest behind.
  return ends.length === 0 ? { faults } : { until: new Date(Math.min(...ends, to.getTime())), faults }
}

function chainFaults(trail: string, sorted: readonly ChainedDigest[], from: Date): string[] {
  const faults: string[] = []
  const first = sorted[0]?.digest
  if (first !== undefined && first.digestStartTime > from)
    faults.push(`trail ${trail}: no digest covers ${clock(from)} to ${clock(first.digestStartTime)}`)
  for (const [i, { key, digest }] of sorted.entries()) {
    const before = sorted[i - 1]
    if (before === undefined) continue
    if (digest.digestStartTime.getTime() - before.digest.digestEndTime.getTime() > HOUR / 60)
      faults.push(
        `trail ${trail}: no digest covers ${clock(before.digest.digestEndTime)} to ${clock(digest.digestStartTime)}`,
      )
    else if (digest.previousDigestS3Object !== before.key)
      faults.push(
        `trail ${trail}: ${JSON.stringify(key)} does not follow the digest before it, ${JSON.stringify(before.key)}`,
      )
  }
  return faults
}

const clock = (time: Date): string => `${time.toISOString().slice(0, 16)}Z`
