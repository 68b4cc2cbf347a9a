import { groupByEntity } from './accesses.ts'
import { Attackers } from './attackers.ts'
import { boosted, type Examples } from './boosting.ts'
import type { EvidenceModel } from './evidence.ts'
import type { Pairs } from './pairs.ts'
import { Random } from './random.ts'
import { featureNames, featuresOf, type Halves, halfOf, offsetOf, type Rank } from './rank.ts'

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

/** Fits a rank for each half of the entities: what is normal against what is made up, both alike in weight. */
export function fittedHalves(evidence: EvidenceModel, normal: ScoredPairs, attacks: ScoredPairs, seed: number): Halves {
  const rows = [...rowsOf(evidence, normal, seed), ...rowsOf(evidence, attacks)]
  const half = (wanted: 0 | 1) => boosted(examplesOf(rows.filter((row) => row.half === wanted)))
  return [half(0), half(1)]
}

/** The rank's values of pairs, in their sequence; low is suspicious. */
export const rankedBy = (rank: Rank, evidence: EvidenceModel, { pairs, scores }: ScoredPairs): Float64Array =>
  Float64Array.from(pairs.ip, (ip, i) => {
    const entity = pairs.entities[pairs.entityIndex[i]!]!
    return rank.value(entity, evidence.of(entity, ip), scores[i]!)
  })

interface Row {
  readonly features: Float64Array
  readonly half: 0 | 1
  readonly weight: number
  readonly attack: 0 | 1
}

/** @param seed draws among usual pairs; absent for attacks, which are all taken */
function* rowsOf(evidence: EvidenceModel, { pairs, scores }: ScoredPairs, seed?: number): Generator<Row> {
  const random = seed === undefined ? undefined : new Random(seed, 8)
  const share = Math.min(1, MOST_USUAL / pairs.ip.length)
  const halves = pairs.entities.map(halfOf)
  for (const [i, ip] of pairs.ip.entries()) {
    const e = pairs.entityIndex[i]!
    const about = evidence.of(pairs.entities[e]!, ip)
    const isUsual = random !== undefined && about.net24 > 0
    if (isUsual && random.uniform() >= share) continue
    const features = featuresOf(about, scores[i]!)
    yield { features, half: halves[e]!, weight: isUsual ? 1 / share : 1, attack: random === undefined ? 1 : 0 }
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
