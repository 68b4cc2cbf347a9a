import { count, percent, plural } from '../lib/cli/format.ts'
import type { Calibration } from '../lib/insights/calibration.ts'
import { entityRow } from '../lib/insights/network.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import type { Input } from './train.ts'

/** Below this there is too little to learn from, whatever the score says. */
const FEWEST = { pairs: 1000, entities: 10 } as const
/** With AWS's rule of two vectors per entity 39 % share theirs; more than this is a mistake. */
const MOST_SHARED = 0.5

/** What should be known before training. */
export function warningsBefore({ train, holdout }: Input, vectors: number): string[] {
  const warnings: string[] = []
  const [pairs, entities] = [train.ip.length, train.entities.length]
  if (pairs < FEWEST.pairs || entities < FEWEST.entities)
    warnings.push(
      `${plural(pairs, 'pair')} of ${plural(entities, 'entity', 'entities')} ${pairs === 1 ? 'is' : 'are'} little to learn from: take a longer window, or less trust`,
    )
  const shared = sharingEntities(train, vectors)
  if (shared > MOST_SHARED * entities)
    warnings.push(
      `${percent(shared, entities)} of the entities share their vector with another one: raise --num-entity-vectors to ${count(10 * entities)}`,
    )
  if (holdout === undefined)
    warnings.push('no holdout: the model cannot be calibrated or measured, so there will be no threshold')
  return warnings
}

/** What training has shown. */
export function warningsAfter({ holdout }: Input, calibration: Calibration | undefined): string[] {
  if (holdout === undefined) return []
  if (calibration === undefined)
    return [
      'no pair of the holdout is of an entity that was trained on often enough: the model is not calibrated, and has no threshold',
    ]
  const { auc, baselines } = calibration
  if (auc > baselines.net16.auc) return []
  return [
    `the model (AUC ${auc.toFixed(4)}) does not beat the rule "/16 seen before" (${baselines.net16.auc.toFixed(4)}): it is not worth deploying as it is`,
  ]
}

/** How many entities have the same vector as another one. */
export function sharingEntities({ entities }: Pairs, vectors: number): number {
  const users = new Map<number, number>()
  for (const entity of entities) {
    const row = entityRow(entity, vectors)
    users.set(row, (users.get(row) ?? 0) + 1)
  }
  return [...users.values()].filter((n) => n > 1).reduce((sum, n) => sum + n, 0)
}
