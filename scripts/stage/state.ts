import * as v from 'valibot'
import { number, time } from '../lib/cli/shapes.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { prove } from './proof.ts'
import { type Draft, type Selection, savedSelection } from './selection.ts'

const planSchema = v.object({
  objects: number,
  bytes: number,
  digest: v.string(),
  listRequests: number,
  selectedAt: time,
  final: v.boolean(),
  /** When the youngest selected object was written: one that is younger was overwritten since. */
  newest: v.nullable(time),
  /** Named by an index, but not in the logs. */
  lost: v.array(v.object({ key: v.string(), reason: v.string() })),
  /** What finding the keys has cost, besides LIST requests. */
  costs: v.optional(v.array(v.object({ what: v.string(), count: number, each: number })), () => []),
})

/** What the ledger keeps of a plan. */
export type PlanRecord = v.InferOutput<typeof planSchema>

export const PLAN = 'plan'

/** What an earlier attempt, finished or not, has left of its plan. */
export interface Recalled {
  readonly selection: Draft
  /** Undefined when the selection is of another plan, which nobody has noted. */
  readonly plan: PlanRecord | undefined
}

/** Undefined when there is nothing to go on with. */
export async function recalledPlan(run: Run): Promise<Recalled | undefined> {
  const parsed = v.safeParse(planSchema, run.ledger.steps.stage?.memory[PLAN])
  if (!parsed.success || (await run.store.head(paths.selection)) === undefined) return undefined
  const { objects, bytes, digest } = parsed.output
  const { selection, isWhole } = await savedSelection(run.store, { objects, bytes, digest })
  return { selection, plan: isWhole ? parsed.output : undefined }
}

/** Whether every row of the manifest is still there; somebody may have removed copies since. */
export async function stillStaged(run: Run, selection: Selection): Promise<boolean> {
  const nothing = { missing: () => {}, extra: () => {} }
  const { missing, extra } = await prove(selection, run.store.within(paths.staged), nothing)
  return missing === 0 && extra === 0
}
