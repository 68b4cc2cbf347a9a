import type { StagePlan } from '../lib/runs/checkpoints.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { prove } from './proof.ts'
import { type Draft, type Selection, savedSelection } from './selection.ts'

/** What an earlier attempt, finished or not, has left of its plan. */
export interface Interrupted {
  readonly selection: Draft
  /** Undefined when the selection is of another plan, which nobody has noted. */
  readonly plan: StagePlan | undefined
}

/** Undefined when there is nothing to go on with. */
export async function savedPlan(run: Run): Promise<Interrupted | undefined> {
  const plan = run.ledger.steps.stage?.checkpoint.plan
  if (plan === undefined || (await run.store.head(paths.selection)) === undefined) return undefined
  const { objects, bytes, digest } = plan
  const { selection, isWhole } = await savedSelection(run.store, { objects, bytes, digest })
  return { selection, plan: isWhole ? plan : undefined }
}

/** Whether every row of the manifest is still there; somebody may have removed copies since. */
export async function stillStaged(run: Run, selection: Selection): Promise<boolean> {
  const nothing = { missing: () => {}, extra: () => {} }
  const { missing, extra } = await prove(selection, run.store.within(paths.staged), nothing)
  return missing === 0 && extra === 0
}
