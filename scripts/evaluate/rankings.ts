import type { Calibration } from '../lib/insights/calibration.ts'
import type { Evidence } from '../lib/insights/evidence.ts'
import { Rank } from '../lib/insights/rank.ts'

/** One access, with all that a ranking may look at. */
export interface Case {
  /** Encoded. */
  readonly entity: string
  readonly evidence: Evidence
  /** Training accesses of the entity from the provider of the address; NaN where nobody knows providers. */
  readonly provider: number
  /** NaN where no model is asked. */
  readonly dotProduct: number
}

/** A way to put accesses in sequence: high is suspicious. */
export type Ranking = (of: Case) => number

const seen = (accesses: number): number => (accesses > 0 ? 0 : 1)
const often = ({ evidence }: Case): number => Math.log(evidence.accesses)

/** Rules and counts that need no model. */
const BASELINES: Readonly<Record<string, Ranking>> = {
  'address not seen': ({ evidence }) => seen(evidence.ip),
  '/24 not seen': ({ evidence }) => seen(evidence.net24),
  '/16 not seen': ({ evidence }) => seen(evidence.net16),
  'share of the /16': ({ evidence }) => -evidence.net16 / evidence.accesses,
  prefixes: ({ evidence }) => -evidence.pmi,
  'prefixes + ln n': (of) => -of.evidence.pmi - often(of),
}

const PROVIDERS: Readonly<Record<string, Ranking>> = { 'provider not seen': ({ provider }) => seen(provider) }

const MODEL: Readonly<Record<string, Ranking>> = {
  score: ({ dotProduct }) => -dotProduct,
  'score + ln n': (of) => -of.dotProduct - often(of),
}

/** All rankings that can be had. @param known whether there are dot products, and whether providers are known */
export function rankingsOf(
  known: { readonly score: boolean; readonly providers: boolean },
  rank: Calibration['rank'],
): Readonly<Record<string, Ranking>> {
  const rules = known.providers ? { ...BASELINES, ...PROVIDERS } : BASELINES
  if (!known.score) return rules
  if (rank === undefined) return { ...rules, ...MODEL }
  const [even, accesses] = [new Rank(rank.folds, 'even'), new Rank(rank.folds, 'accesses')]
  return {
    ...rules,
    ...MODEL,
    'evidence, even': ({ entity, evidence, dotProduct }) => -even.value(entity, evidence, dotProduct),
    'evidence, accesses': ({ entity, evidence, dotProduct }) => -accesses.value(entity, evidence, dotProduct),
  }
}
