import { groupByEntity } from './accesses.ts'
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
/** Of pairs from a /24 that the entity had in training, which are many and alike, about so many are taken. */
const MOST_USUAL = 15_000

/** Made-up attacks on the entities of distinct holdout pairs, each as often as it has such pairs. Equal seeds, equal attacks. */
export function madeUpAttacks(train: Pairs, distinct: Pairs, seed: number): Pairs {
  const random = new Random(seed, 7)
  const attackers = new Attackers(groupByEntity(train))
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
  const [rank, even] = [new Rank(folds, 'accesses'), new Float64Array(pairs.ip.length)]
  const accesses = Float64Array.from(pairs.ip, (ip, i) => {
    const entity = pairs.entities[pairs.entityIndex[i]!]!
    const about = evidence.of(entity, ip)
    const value = rank.value(entity, about, scores[i]!)
    even[i] = value - shiftOf('even', about)
    return value
  })
  return { even, accesses }
}

interface Row {
  readonly features: Float64Array
  readonly fold: number
  readonly weight: number
  readonly attack: 0 | 1
}

/** @param seed draws among usual pairs; absent for attacks, which are all taken */
function* rowsOf(evidence: EvidenceModel, { pairs, scores }: ScoredPairs, seed?: number): Generator<Row> {
  const random = seed === undefined ? undefined : new Random(seed, 8)
  const share = Math.min(1, MOST_USUAL / pairs.ip.length)
  const folds = pairs.entities.map(foldOf)
  for (const [i, ip] of pairs.ip.entries()) {
    const e = pairs.entityIndex[i]!
    const entity = pairs.entities[e]!
    const isUsual = random !== undefined && evidence.isUsual(entity, ip)
    if (isUsual && random.uniform() >= share) continue
    const features = featuresOf(evidence.of(entity, ip), scores[i]!)
    yield { features, fold: folds[e]!, weight: isUsual ? 1 / share : 1, attack: random === undefined ? 1 : 0 }
  }
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
