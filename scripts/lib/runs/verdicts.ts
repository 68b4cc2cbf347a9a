import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import * as v from 'valibot'
import { UserError } from '../cli/errors.ts'
import { count, escapedJson, spelledOut } from '../cli/format.ts'
import type { Seen, VerdictKind } from '../insights/accesses.ts'
import type { SeenIpv6 } from '../insights/ipv6-evidence.ts'
import type { Reason } from '../insights/reasons.ts'
import { lineBatchesOf } from '../stores/lines.ts'
import type { Store } from '../stores/store.ts'
import { nextCommand } from './next.ts'
import { scorePaths, scoreStep } from './paths.ts'
import { type PairProvider, pairProviderSchema } from './providers/provider.ts'
import type { Run } from './run.ts'

export type { Reason }

/** Who allowed a pair, why, and through which day. Written by the people who use this. */
const allowanceSchema = v.strictObject({ until: v.string(), why: v.string(), by: v.string() })
export type Allowance = v.InferOutput<typeof allowanceSchema>

/** `new office (ada, until 2026-12-31)` */
export const allowanceText = ({ until, why, by }: Allowance): string => spelledOut(`${why} (${by}, until ${until})`)

/** What is said about one distinct pair: a line of verdicts.ndjson. */
export interface Verdict {
  /** Decoded. */
  readonly entity: string
  /** Dotted, or of IPv6 the text of RFC 5952. */
  readonly ip: string
  /** Training pairs of the entity. */
  readonly events: number
  /** `evidence`: of an IPv6 address, which IP Insights cannot take; judged by evidence alone. */
  readonly verdict: VerdictKind | 'evidence'
  /** Of IP Insights: high is normal. Absent where it would mean nothing, or there is none. */
  readonly dotProduct?: number
  /** What pairs are ranked by, high is anomalous: log odds by score and evidence, or `-dotProduct`. */
  readonly anomalyScore?: number
  readonly flagged: boolean
  /** Why it is flagged, weightiest first, where evidence ranks. */
  readonly reasons?: readonly Reason[]
  /** Whose network the address of a pair below the threshold is in; absent where no file of networks says so. */
  readonly provider?: PairProvider
  /** The allowed network that kept the pair from being flagged. */
  readonly allowed?: string
  /** Why, where a file of allowances says so. */
  readonly allowance?: Allowance
  /** Absent when the training pairs are not available. */
  readonly seen?: Seen | SeenIpv6
  /** Kind of attack, where labels are known. */
  readonly label?: string
  /** How often the pair occurs in what was judged. */
  readonly accesses: number
}

/** Most anomalous first; equal scores in the order of entity and address. */
export const byAnomaly = (a: Verdict, b: Verdict): number =>
  (b.anomalyScore ?? 0) - (a.anomalyScore ?? 0) || compare(a.entity, b.entity) || compare(a.ip, b.ip)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Writes verdicts, one JSON object a line; control characters in names are escaped. The file appears whole, or not at all. @returns SHA-256 of its bytes */
export async function writeVerdicts(
  store: Store,
  key: string,
  batches: AsyncIterable<readonly Verdict[]>,
): Promise<string> {
  const hash = createHash('sha256')
  async function* lines() {
    for await (const verdicts of batches) {
      const text = escapedJson(verdicts.map((verdict) => `${JSON.stringify(verdict)}\n`).join(''))
      hash.update(text)
      yield text
    }
  }
  await store.write(key, Readable.from(lines(), { objectMode: false }))
  return hash.digest('hex')
}

/**
 * Reads the verdicts on the holdout of a run or on another run, in batches: there may be millions.
 * @param judged `holdout`, or the id of the run that was judged
 * @throws UserError that names the command to run when the file is missing, damaged or incomplete
 */
export async function* verdictsOf(run: Run, judged: string, signal: AbortSignal): AsyncGenerator<Verdict[]> {
  const step = scoreStep(judged)
  const { scored, evidence = 0, unseen, sparse } = run.result(step)
  const key = scorePaths(judged).verdicts
  const hint = `${nextCommand(step, run)} --overwrite`
  if ((await run.store.head(key)) === undefined)
    throw new UserError(`run ${run.id} has no ${key}: it was removed, or an older version scored this run`, { hint })
  let read = 0
  for await (const lines of lineBatchesOf(await run.store.read(key))) {
    signal.throwIfAborted()
    yield lines.map((line) => {
      read += 1
      const verdict = verdictIn(line)
      if (verdict === undefined) throw new UserError(`${run.uriOf(key)}:${read} is not a verdict`, { hint })
      return verdict
    })
  }
  const expected = scored + evidence + unseen + sparse
  if (read !== expected)
    throw new UserError(`${run.uriOf(key)} holds ${count(read)} verdicts, not ${count(expected)}`, { hint })
}

function verdictIn(line: string): Verdict | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isVerdict(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Checked by hand: a schema library takes longer for this than parsing the line. */
function isVerdict(value: unknown): value is Verdict {
  return (
    isObject(value) &&
    typeof value.entity === 'string' &&
    typeof value.ip === 'string' &&
    Number.isSafeInteger(value.events) &&
    Number.isSafeInteger(value.accesses) &&
    typeof value.flagged === 'boolean' &&
    hasScore(value) &&
    (value.allowed === undefined || typeof value.allowed === 'string') &&
    (value.allowance === undefined || v.is(allowanceSchema, value.allowance)) &&
    (value.label === undefined || typeof value.label === 'string') &&
    (value.reasons === undefined || (Array.isArray(value.reasons) && value.reasons.every(isReason))) &&
    (value.provider === undefined || v.is(pairProviderSchema, value.provider)) &&
    (value.seen === undefined || isSeen(value.seen))
  )
}

/** A pair has a score exactly when it was judged. */
const hasScore = ({ verdict, dotProduct, anomalyScore }: Members): boolean =>
  verdict === 'scored'
    ? Number.isFinite(dotProduct) && Number.isFinite(anomalyScore)
    : verdict === 'evidence'
      ? dotProduct === undefined && Number.isFinite(anomalyScore)
      : (verdict === 'unseen-entity' || verdict === 'sparse-entity') && dotProduct === undefined

const isReason = (value: unknown): boolean =>
  isObject(value) && Number.isFinite(value.weight) && typeof value.text === 'string'

const isSeen = (value: unknown): boolean =>
  isObject(value) &&
  [
    ['ip', 'net24', 'net16'],
    ['ip', 'net64', 'net48', 'net32'],
  ].some((names) => names.every((name) => typeof value[name] === 'boolean'))

/** Whether a pair was judged, and may be flagged. */
export const isJudged = ({ verdict }: Pick<Verdict, 'verdict'>): boolean =>
  verdict === 'scored' || verdict === 'evidence'

/** What the simple rules remember, an IPv6 /48 and /32 in place of a /24 and /16. */
export const seenByRule = (seen: Seen | SeenIpv6): Seen =>
  'net24' in seen ? seen : { ip: seen.ip, net24: seen.net48, net16: seen.net32 }

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null
