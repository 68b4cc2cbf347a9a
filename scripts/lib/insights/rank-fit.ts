import type { Grouped } from './accesses.ts'
import { Attackers } from './attackers.ts'
import { boosted, type Examples } from './boosting.ts'
import type { EvidenceModel } from './evidence.ts'
import type { Pairs } from './pairs.ts'
import { Random } from './random.ts'
import { FOLDS, type Folds, featureNames, featuresOf, foldOf, offsetOf, Rank, shiftOf } from './rank.ts'

/** Pairs with their dot products. */
export interface ScoredPairs {
  readonly pairs: Pairs
  readonly scores: Float64Array
}

/** The kinds of attackers that a rank is fitted on. Others are left for measuring. */
const FITTED = ['random-network', 'other-entity', 'near-network'] as const
const [FEWEST_ATTACKS, MOST_ATTACKS] = [1000, 20_000] as const
/** Of pairs from a /24 that the entity had in training, which are many and alike, about so many are taken, and of all others. */
const [MOST_USUAL, MOST_UNUSUAL] = [15_000, 30_000] as const

/** Made-up attacks on the entities of distinct holdout pairs, each as often as it has such pairs. Equal seeds, equal attacks. */
export function madeUpAttacks(train: Pairs, grouped: Grouped, distinct: Pairs, seed: number): Pairs {
  const random = new Random(seed, 7)
  const attackers = new Attackers(grouped)
  const indexOf = new Map(train.entities.map((entity, e) => [entity, e]))
  const count = Math.min(MOST_ATTACKS, Math.max(FEWEST_ATTACKS, 2 * distinct.ip.length))
  const entityIndex = Uint32Array.from({ length: count }, () => distinct.entityIndex[random.below(distinct.ip.length)]!)
  const ip = entityIndex.map((e, i) => {
    const entity = indexOf.get(distinct.entities[e]!) ?? 0
    return attackers.draw(FITTED[i % FITTED.length] ?? 'random-network', entity, random)
  })
  return { entities: distinct.entities, entityIndex, ip }
}

/** Fits trees for each fold on the entities of all others: what is normal against what is made up, both alike in weight. */
export function fittedFolds(evidence: EvidenceModel, normal: ScoredPairs, attacks: ScoredPairs, seed: number): Folds {
  const rows = [...rowsOf(evidence, normal, seed), ...rowsOf(evidence, attacks)]
  return Array.from({ length: FOLDS }, (_, fold) => boosted(examplesOf(rows.filter((row) => row.fold !== fold))))
}

/** The values of pairs under both priors, in their sequence; low is suspicious. */
export function rankedBy(folds: Folds, evidence: EvidenceModel, { pairs, scores }: ScoredPairs) {
  const rank = new Rank(folds, 'accesses')
  const [even, accesses] = [new Float64Array(pairs.ip.length), new Float64Array(pairs.ip.length)]
  for (let i = 0; i < pairs.ip.length; i++) {
    const entity = pairs.entities[pairs.entityIndex[i]!]!
    const about = evidence.of(entity, pairs.ip[i]!)
    accesses[i] = rank.value(entity, about, scores[i]!)
    even[i] = accesses[i]! - shiftOf('even', about)
  }
  return { even, accesses }
}

interface Row {
  readonly features: readonly number[]
  readonly fold: number
  readonly weight: number
  readonly attack: 0 | 1
}

/** @param seed draws among many pairs; absent for attacks, which are all taken */
function* rowsOf(evidence: EvidenceModel, { pairs, scores }: ScoredPairs, seed?: number): Generator<Row> {
  const folds = pairs.entities.map(foldOf)
  const shares = seed === undefined ? undefined : sharesOf(evidence, pairs)
  const [ofUsual, ofOthers] = [new Random(seed ?? 0, 8), new Random(seed ?? 0, 9)]
  for (const [i, ip] of pairs.ip.entries()) {
    const e = pairs.entityIndex[i]!
    const entity = pairs.entities[e]!
    const isUsual = shares !== undefined && evidence.isUsual(entity, ip)
    const share = shares === undefined ? 1 : isUsual ? shares.usual : shares.others
    if (share < 1 && (isUsual ? ofUsual : ofOthers).uniform() >= share) continue
    const features = featuresOf(evidence.of(entity, ip), scores[i]!)
    yield { features, fold: folds[e]!, weight: 1 / share, attack: shares === undefined ? 1 : 0 }
  }
}

/** Which share of the usual pairs is taken, and of the others. */
function sharesOf(evidence: EvidenceModel, { entities, entityIndex, ip }: Pairs) {
  let others = 0
  for (let i = 0; i < ip.length; i++) if (!evidence.isUsual(entities[entityIndex[i]!]!, ip[i]!)) others += 1
  return { usual: Math.min(1, MOST_USUAL / ip.length), others: Math.min(1, MOST_UNUSUAL / others) }
}

/** Attacks weigh as much as all that is normal. */
function examplesOf(rows: readonly Row[]): Examples {
  const sum = (attack: 0 | 1) => rows.reduce((all, row) => all + (row.attack === attack ? row.weight : 0), 0)
  const perAttack = sum(0) / Math.max(1, sum(1))
  return {
    columns: featureNames.map((_, f) => Float64Array.from(rows, ({ features }) => features[f]!)),
    offset: Float64Array.from(rows, ({ features }) => offsetOf(features)),
    weight: Float64Array.from(rows, ({ attack, weight }) => (attack === 1 ? perAttack : weight)),
    answer: Uint8Array.from(rows, ({ attack }) => attack),
  }
}
