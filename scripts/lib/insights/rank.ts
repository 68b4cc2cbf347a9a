import * as v from 'valibot'
import { follow, INNER, NODES, type Tree } from './boosting.ts'
import type { Evidence } from './evidence.ts'
import { entityRow } from './network.ts'

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

export const featuresOf = (evidence: Evidence, dotProduct: number): Float64Array =>
  Float64Array.of(
    Math.log(evidence.novelty),
    Math.log2(Math.min(evidence.distance, 2 ** 32) + 1),
    dotProduct,
    evidence.pmi,
    evidence.accesses,
    evidence.net24,
    evidence.net16,
    evidence.near16,
    evidence.near20,
  )

const number = v.pipe(v.number(), v.finite())
const numbers = (length: number) => v.pipe(v.array(number), v.length(length))
const feature = v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(featureNames.length - 1))

const treeSchema = v.strictObject({
  feature: v.pipe(v.array(feature), v.length(INNER)),
  cut: numbers(INNER),
  value: numbers(NODES),
})

/** As calibration.json holds it: one half's trees judge the entities of the other. */
export const treesSchema = v.tuple([v.array(treeSchema), v.array(treeSchema)])
export type Halves = [Tree[], Tree[]]

/** Log odds before any tree: how seldom the entity comes from so far off is taken as it is, the trees say the rest. */
export const offsetOf = (features: ArrayLike<number>): number => BASE - (features[0] ?? 0)

/** Brings the offset of ordinary accesses near their share. */
const BASE = -5

/** Which half of the entities this one belongs to. It is the same wherever the entity occurs. */
export const halfOf = (entity: string): 0 | 1 => (entityRow(entity, 2) === 0 ? 0 : 1)

/** What a part of the evidence adds to the log odds. */
export type Contributions = Readonly<Record<FeatureName | 'prior', number>>

/**
 * Log odds that an access is somebody else's, up to a constant, fitted on the holdout against made-up attackers. An entity is judged by
 * trees that were fitted on other entities, so that what is flagged on the holdout says what will be flagged later.
 */
export class Rank {
  private readonly halves: Halves
  private readonly prior: Prior

  constructor(halves: Halves, prior: Prior) {
    this.halves = halves
    this.prior = prior
  }

  /** Low is suspicious, as with the score: the negative log odds. @param entity encoded */
  value(entity: string, evidence: Evidence, dotProduct: number): number {
    const features = featuresOf(evidence, dotProduct)
    let odds = offsetOf(features) + this.shift(evidence)
    for (const tree of this.treesFor(entity)) odds += follow(tree, features)
    return -odds
  }

  /** The same, by what it is made of. */
  contributions(entity: string, evidence: Evidence, dotProduct: number): Contributions {
    const features = featuresOf(evidence, dotProduct)
    const sums = featureNames.map(() => 0)
    for (const tree of this.treesFor(entity))
      follow(tree, features, (feature, change) => {
        sums[feature]! += change
      })
    const named = Object.fromEntries(featureNames.map((name, f) => [name, sums[f] ?? 0])) as Record<FeatureName, number>
    return { ...named, novelty: named.novelty - (features[0] ?? 0), prior: this.shift(evidence) }
  }

  /** Somebody who comes a hundred times as often is as much less likely the attacker, unless attackers take entities accordingly. */
  private shift({ accesses }: Evidence): number {
    return this.prior === 'even' ? -Math.log(accesses) : 0
  }

  private treesFor(entity: string): readonly Tree[] {
    return this.halves[halfOf(entity) === 0 ? 1 : 0]
  }
}
