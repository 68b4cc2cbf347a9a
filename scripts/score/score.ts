import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pMapIterable } from 'p-map'
import type { Accesses, DistinctPair } from '../lib/insights/accesses.ts'
import { judge, kindOf, type Policy } from '../lib/insights/verdicts.ts'
import type { Store } from '../lib/stores/store.ts'
import { Anomalies, anomalyRows } from './anomalies.ts'
import type { Labels } from './labels.ts'
import type { Scorer } from './scorer.ts'
import { type PairVerdict, Tally } from './tally.ts'

export interface ScoreTask {
  /** What is judged. */
  readonly accesses: Accesses
  /** Training pairs of an entity. */
  readonly events: (entity: string) => number
  /** What was trained on, where it is at hand: for "seen before" and the usual networks. */
  readonly before?: Accesses
  readonly scorer: Scorer
  readonly policy: Policy
  readonly labels?: Labels
  readonly signal: AbortSignal
  readonly progress: (pairs: number) => void
}

/** Names of the two files below the folder of the scores. */
export const files = { verdicts: 'verdicts.ndjson', anomalies: 'anomalies.csv' } as const

/** Judges every distinct pair and writes the verdicts; nothing that stood there before is touched until all is judged. */
export async function score(task: ScoreTask, scores: Store): Promise<{ tally: Tally; digest: string }> {
  const [tally, anomalies, hash] = [new Tally(), new Anomalies(), createHash('sha256')]
  async function* lines() {
    for await (const verdicts of judged(task)) {
      task.signal.throwIfAborted()
      for (const verdict of verdicts) {
        tally.add(verdict)
        anomalies.add(verdict)
      }
      const text = verdicts.map((verdict) => `${JSON.stringify(verdict)}\n`).join('')
      hash.update(text)
      yield text
      task.progress(verdicts.length)
    }
  }
  await scores.write(files.verdicts, Readable.from(lines(), { objectMode: false }))
  const rows = Readable.from(anomalyRows(anomalies.top(), task.before), { objectMode: false })
  await scores.write(files.anomalies, rows)
  return { tally, digest: hash.digest('hex') }
}

/** In the order of the pairs, however the answers come in. */
const judged = (task: ScoreTask): AsyncIterable<PairVerdict[]> =>
  pMapIterable(batches(task.accesses.distinct()), (batch) => judgeBatch(batch, task), {
    concurrency: task.scorer.concurrency,
    backpressure: task.scorer.concurrency * 2,
  })

/** Keeps a request well below what endpoints take: 6 MB, serverless ones 4 MB. */
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

/** Only what can be judged is scored: of other entities the score would mean nothing. */
async function judgeBatch(batch: readonly DistinctPair[], task: ScoreTask): Promise<PairVerdict[]> {
  const { policy, scorer, before, labels } = task
  const known = batch.map((pair) => ({ ...pair, events: task.events(pair.entity) }))
  const scorable = known.filter(({ events }) => kindOf(events, policy.minEvents) === 'scored')
  const entities = scorable.map(({ entity }) => entity)
  const ips = Uint32Array.from(scorable, ({ ip }) => ip)
  const scores = (scorable.length === 0 ? [] : await scorer.score({ entities, ips })).values()
  return known.map(({ entity, ip, events, accesses }) => {
    const dotProduct = kindOf(events, policy.minEvents) === 'scored' ? (scores.next().value ?? Number.NaN) : Number.NaN
    const label = labels?.of(entity, ip)
    const evidence = {
      entity,
      ip,
      events,
      dotProduct,
      ...(before !== undefined && { seen: before.seen(entity, ip) }),
      ...(label !== undefined && { label }),
    }
    return { ...judge(evidence, policy), accesses }
  })
}
