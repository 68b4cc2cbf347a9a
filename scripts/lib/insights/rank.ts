import * as v from 'valibot'
import type { Evidence } from './evidence.ts'
import { Forest } from './forest.ts'
import { entityRow } from './network.ts'
import { follow, INNER, NODES, type Tree } from './tree.ts'

/** What accesses are put in sequence by: model and evidence together, or the dot product alone. */
export const rankNames = ['evidence', 'score'] as const
export type RankName = (typeof rankNames)[number]

/** Which entities attackers are thought to take: each alike, or each as often as it is used. */
export const priorNames = ['even', 'accesses'] as const
export type Prior = (typeof priorNames)[number]

/** What the trees see of an access, in this sequence. */
export const featureNames = [
  'novelty',
  'distance',
  'score',
  'prefixes',
  'accesses',
  'net24',
  'net16',
  'near16',
  'near20',
] as const
export type FeatureName = (typeof featureNames)[number]

export const featuresOf = (evidence: Evidence, dotProduct: number): readonly number[] => [
  Math.log(evidence.novelty),
  Math.log2(Math.min(evidence.distance, 2 ** 32) + 1),
  dotProduct,
  evidence.pmi,
  evidence.accesses,
  evidence.net24,
  evidence.net16,
  evidence.near16,
  evidence.near20,
]

const number = v.pipe(v.number(), v.finite())
const numbers = (length: number) => v.pipe(v.array(number), v.length(length))
const feature = v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(featureNames.length - 1))

const treeSchema = v.strictObject({
  feature: v.pipe(v.array(feature), v.length(INNER)),
  cut: numbers(INNER),
  value: numbers(NODES),
})

/** Entities are parted into so many folds. */
export const FOLDS = 4

/** As calibration.json holds it: for each fold the trees that judge its entities, and were fitted on all others. */
export const foldsSchema = v.pipe(v.array(v.array(treeSchema)), v.length(FOLDS))
export type Folds = Tree[][]

/** Log odds before any tree: how seldom the entity comes from so far off is taken as it is, the trees say the rest. */
export const offsetOf = (features: ArrayLike<number>): number => BASE - (features[0] ?? 0)

/** Brings the offset of ordinary accesses near their share. */
const BASE = -5

/** The fold of an entity, the same wherever it occurs. */
export const foldOf = (entity: string): number => entityRow(entity, FOLDS)

/** Somebody who comes a hundred times as often is as much less likely the attacker, unless attackers take entities accordingly. */
export const shiftOf = (prior: Prior, { accesses }: Evidence): number => (prior === 'even' ? -Math.log(accesses) : 0)

/** What a part of the evidence adds to the log odds. */
export type Contributions = Readonly<Record<FeatureName | 'prior', number>>

/**
 * Log odds that an access is somebody else's, up to a constant, fitted on the holdout against made-up attackers. An entity is judged by
 * trees that were fitted on other entities, so that what is flagged on the holdout says what will be flagged later.
 */
export class Rank {
  private readonly folds: Folds
  private readonly prior: Prior
  private readonly forests: readonly Forest[]
  /** Pairs come entity by entity. */
  private last = { entity: '', fold: foldOf('') }

  constructor(folds: Folds, prior: Prior) {
    this.folds = folds
    this.prior = prior
    this.forests = folds.map((trees) => new Forest(trees, featureNames.length))
  }

  /** Low is suspicious, as with the score: the negative log odds. @param entity encoded */
  value(entity: string, evidence: Evidence, dotProduct: number): number {
    const features = featuresOf(evidence, dotProduct)
    const odds = this.forests[this.fold(entity)]?.sum(features, offsetOf(features)) ?? offsetOf(features)
    // Last, so that one prior's values follow from the other's to the bit.
    return -odds - shiftOf(this.prior, evidence)
  }

  /** The same, by what it is made of. */
  contributions(entity: string, evidence: Evidence, dotProduct: number): Contributions {
    const features = featuresOf(evidence, dotProduct)
    const sums = featureNames.map(() => 0)
    for (const tree of this.folds[this.fold(entity)] ?? [])
      follow(tree, features, (feature, change) => {
        sums[feature]! += change
      })
    const named = Object.fromEntries(featureNames.map((name, f) => [name, sums[f] ?? 0])) as Record<FeatureName, number>
    return { ...named, novelty: named.novelty - (features[0] ?? 0), prior: shiftOf(this.prior, evidence) }
  }

  private fold(entity: string): number {
    if (entity !== this.last.entity) this.last = { entity, fold: foldOf(entity) }
    return this.last.fold
  }
}
