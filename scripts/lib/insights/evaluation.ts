import { eventsByEntity, type Grouped, groupByEntity, History, kindOf, rulesOn } from './accesses.ts'
import { publicAddress } from './attackers.ts'
import { type Calibration, scoresOf, thresholdFor } from './calibration.ts'
import { scoreBy } from './encoder.ts'
import { EvidenceModel } from './evidence.ts'
import { auc } from './metrics.ts'
import type { Weights } from './network.ts'
import type { Pairs } from './pairs.ts'
import { Random } from './random.ts'
import { fittedFolds, madeUpAttacks, rankedBy } from './rank-fit.ts'

/** Most pairs that an AUC is computed from: more only take longer (the error is below 0.001). */
const LARGEST_SAMPLE = 100_000

/**
 * Holdout pairs against attacks: each pair of an entity that can be scored (repeats included), and the same entity with a random
 * public address.
 */
export interface Examples {
  readonly entities: readonly string[]
  /** Indices into `entities`. */
  readonly entityIndex: Uint32Array
  readonly normal: Uint32Array
  readonly attack: Uint32Array
}

/** Holdout pairs, by what is known about their entities. */
export interface Holdout {
  readonly pairs: Pairs
  /** Rows of entities that can be scored. */
  readonly scorable: Uint32Array
  readonly unseen: number
  readonly sparse: number
}

export function holdoutOf(pairs: Pairs, known: ReadonlyMap<string, number>, minEvents: number): Holdout {
  const kinds = pairs.entities.map((entity) => kindOf(known.get(entity) ?? 0, minEvents))
  const rows = { scored: 0, 'unseen-entity': 0, 'sparse-entity': 0 }
  const scorable = new Uint32Array(pairs.ip.length)
  for (let row = 0; row < scorable.length; row++) {
    const kind = kinds[pairs.entityIndex[row]!]!
    if (kind === 'scored') scorable[rows.scored] = row
    rows[kind] += 1
  }
  return {
    pairs,
    scorable: scorable.slice(0, rows.scored),
    unseen: rows['unseen-entity'],
    sparse: rows['sparse-entity'],
  }
}

/** Draws examples, the same for the same seed. */
export function examplesOf({ pairs, scorable }: Holdout, seed: number, most = LARGEST_SAMPLE): Examples {
  const random = new Random(seed, 4)
  const all = scorable.length <= most
  const rows = Uint32Array.from({ length: Math.min(most, scorable.length) }, (_, i) =>
    all ? scorable[i]! : scorable[random.below(scorable.length)]!,
  )
  return {
    entities: pairs.entities,
    entityIndex: rows.map((row) => pairs.entityIndex[row]!),
    normal: rows.map((row) => pairs.ip[row]!),
    attack: rows.map(() => publicAddress(random)),
  }
}

/** Scores rows, `entities[entityIndex[i]]` from `ips[i]`, in their order: a model in this process, or an endpoint. */
export type Score = (
  entities: readonly string[],
  entityIndex: Uint32Array,
  ips: Uint32Array,
) => Float64Array | Promise<Float64Array>

/** AUC of the model on these examples; NaN when there are none. */
export function aucOn(weights: Weights, { entities, entityIndex, normal, attack }: Examples): number {
  const score = scoreBy(weights)
  return auc(score(entities, entityIndex, normal), score(entities, entityIndex, attack))
}

/** The simple rules on the same examples. */
function baselinesOn(history: History, { entities, entityIndex, normal, attack }: Examples) {
  const seen = (ips: Uint32Array) => Array.from(ips, (ip, i) => history.seen(entities[entityIndex[i]!]!, ip))
  return rulesOn(seen(normal), seen(attack))
}

/** The distinct pairs among those that can be scored. */
export function distinctOf({ pairs, scorable }: Holdout): Pairs {
  const { starts, ips } = groupByEntity({
    entities: pairs.entities,
    entityIndex: scorable.map((row) => pairs.entityIndex[row]!),
    ip: scorable.map((row) => pairs.ip[row]!),
  })
  const distinct = new Uint32Array(ips.length)
  const entityIndex = new Uint32Array(ips.length)
  let count = 0
  for (let e = 0; e < pairs.entities.length; e++)
    for (let at = starts[e]!; at < starts[e + 1]!; at++) {
      if (at > starts[e]! && ips[at] === ips[at - 1]) continue
      distinct[count] = ips[at]!
      entityIndex[count] = e
      count += 1
    }
  return {
    entities: pairs.entities,
    entityIndex: entityIndex.subarray(0, count),
    ip: distinct.subarray(0, count),
  }
}

export interface CalibrationSettings {
  readonly alertsPerDay: number
  /** Days that the holdout covers. */
  readonly days: number
  readonly minEvents: number
  readonly seed: number
  /** Digest of the model's file. */
  readonly model: string
}

/** What a model is measured on: held-out traffic of entities that it knows, and attacks on them. */
export interface Trial {
  readonly train: Pairs
  readonly grouped: Grouped
  readonly holdout: Holdout
  readonly examples: Examples
  readonly distinct: Pairs
  /** What the training pairs say about others. */
  readonly evidence: EvidenceModel
  /** Attacks that a rank is fitted on. */
  readonly madeUp: Pairs
}

/** Undefined when no pair of the holdout can be scored. */
export function trialOf(train: Pairs, holdoutPairs: Pairs, minEvents: number, seed: number): Trial | undefined {
  const grouped = groupByEntity(train)
  const holdout = holdoutOf(holdoutPairs, eventsByEntity(train), minEvents)
  if (holdout.scorable.length === 0) return undefined
  const distinct = distinctOf(holdout)
  const evidence = new EvidenceModel(train, grouped)
  const madeUp = madeUpAttacks(train, grouped, distinct, seed)
  return { train, grouped, holdout, examples: examplesOf(holdout, seed), distinct, evidence, madeUp }
}

/** A model's scores in a trial. */
export interface Measured {
  readonly distinct: Float64Array
  readonly normal: Float64Array
  readonly attack: Float64Array
  readonly madeUp: Float64Array
}

export async function measure(score: Score, trial: Trial, signal?: AbortSignal): Promise<Measured> {
  const { examples, distinct, madeUp } = trial
  const { entities, entityIndex, normal, attack } = examples
  await breathe(signal)
  const scores = await score(distinct.entities, distinct.entityIndex, distinct.ip)
  await breathe(signal)
  const ofNormal = await score(entities, entityIndex, normal)
  await breathe(signal)
  const ofAttack = await score(entities, entityIndex, attack)
  await breathe(signal)
  const ofMadeUp = await score(madeUp.entities, madeUp.entityIndex, madeUp.ip)
  return { distinct: scores, normal: ofNormal, attack: ofAttack, madeUp: ofMadeUp }
}

/** What the scores in a trial come to, and the rank that is fitted on them. */
export const calibrationOf = (trial: Trial, measured: Measured, settings: CalibrationSettings): Calibration => ({
  ...scoreCalibrationOf(trial, measured, settings),
  rank: rankOf(trial, measured, settings.seed),
})

function rankOf(
  { distinct, evidence, madeUp }: Trial,
  measured: Measured,
  seed: number,
): NonNullable<Calibration['rank']> {
  const normal = { pairs: distinct, scores: measured.distinct }
  const folds = fittedFolds(evidence, normal, { pairs: madeUp, scores: measured.madeUp }, seed)
  const { even, accesses } = rankedBy(folds, evidence, normal)
  return { folds, even: scoresOf(even), accesses: scoresOf(accesses) }
}

/** The metrics of the scores in a trial. */
export function scoreCalibrationOf(
  { train, grouped, holdout, examples }: Trial,
  measured: Measured,
  settings: CalibrationSettings,
) {
  const { alertsPerDay, days, minEvents, model } = settings
  const scores = scoresOf(measured.distinct)
  return {
    version: 1,
    threshold: thresholdFor({ ...scores, days }, alertsPerDay),
    alertsPerDay,
    days,
    minEvents,
    holdoutPairs: holdout.pairs.ip.length,
    unseenPairs: holdout.unseen,
    sparsePairs: holdout.sparse,
    ...scores,
    auc: auc(measured.normal, measured.attack),
    baselines: baselinesOn(new History(train, grouped), examples),
    model,
  } satisfies Calibration
}

/** Calibrates a model on held-out normal traffic. Undefined when no pair of it can be scored. */
export async function calibrate(
  score: Score,
  { train, holdout }: { readonly train: Pairs; readonly holdout: Pairs },
  settings: CalibrationSettings,
  signal?: AbortSignal,
): Promise<Calibration | undefined> {
  const trial = trialOf(train, holdout, settings.minEvents, settings.seed)
  return trial && calibrationOf(trial, await measure(score, trial, signal), settings)
}

/** Lets pending signals be handled, and stops if there was one. */
async function breathe(signal?: AbortSignal): Promise<void> {
  await new Promise(setImmediate)
  signal?.throwIfAborted()
}
