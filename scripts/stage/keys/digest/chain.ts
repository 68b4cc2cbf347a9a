import { gunzipSync } from 'node:zlib'
import * as v from 'valibot'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { fitted, time } from '../../../lib/cli/shapes.ts'
import type { Store } from '../../../lib/stores/store.ts'

const date = v.pipe(
  time,
  v.transform((text) => new Date(text)),
)

/** The used fields of a digest: "CloudTrail digest file structure", CloudTrail user guide. */
const digestSchema = v.object({
  digestS3Object: v.string(),
  digestStartTime: date,
  digestEndTime: date,
  previousDigestS3Object: v.optional(v.nullable(v.string())),
  logFiles: v.array(
    v.object({
      s3Bucket: v.string(),
      s3Object: v.string(),
      hashAlgorithm: v.optional(v.string()),
      hashValue: v.string(),
      oldestEventTime: date,
      newestEventTime: date,
    }),
  ),
})

export type Digest = v.InferOutput<typeof digestSchema>

/** Reads a digest. @throws UserError naming it when it cannot be read */
export async function readDigest(store: Store, key: string): Promise<Digest> {
  const chunks: Buffer[] = []
  for await (const chunk of await store.read(key)) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  try {
    const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    return fitted(digestSchema, JSON.parse(text.toString('utf8')))
  } catch (error) {
    throw new UserError(`the digest ${JSON.stringify(key)} cannot be read: ${messageOf(error)}`, {
      hint: 'stage with --keys list, which needs no digests',
    })
  }
}

/** A digest, and the chain that its key puts it in. */
export interface ChainedDigest {
  readonly key: string
  readonly trail: string
  readonly isBackfill: boolean
  readonly digest: Digest
}

export interface Coverage {
  /** Deliveries are indexed without a gap from the first digest up to here; undefined without digests. */
  readonly until?: Date
  /** Gaps and broken links, in words. */
  readonly faults: readonly string[]
}

const HOUR = 3_600_000

/**
 * Checks the digests of one account and region, one chain per trail, against the delivery times `[from, to)`: each must follow the one
 * before it, and no hour may be missing.
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
  // Each trail names its own files, so the index reaches as far as the slowest trail.
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
