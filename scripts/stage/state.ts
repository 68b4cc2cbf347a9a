import * as z from 'zod'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import { prove } from './proof.ts'
import { type Draft, type Selection, savedSelection } from './selection.ts'

const planSchema = z.object({
  objects: z.number(),
  bytes: z.number(),
  digest: z.string(),
  listRequests: z.number(),
  selectedAt: z.iso.datetime(),
  final: z.boolean(),
  /** When the youngest selected object was written: one that is younger was overwritten since. */
  newest: z.iso.datetime().nullable(),
  /** Named by an index, but not in the logs. */
  lost: z.array(z.object({ key: z.string(), reason: z.string() })),
  /** What finding the keys has cost, besides LIST requests. */
  costs: z.array(z.object({ what: z.string(), count: z.number(), each: z.number() })).default([]),
})

/** What the ledger keeps of a plan. */
export type PlanRecord = z.infer<typeof planSchema>

export const PLAN = 'plan'

/** The plan of an earlier attempt, finished or not, whose selection lies complete in the run's folder. */
export async function recalledPlan(run: Run): Promise<{ plan: PlanRecord; selection: Draft } | undefined> {
  const parsed = planSchema.safeParse(run.ledger.steps.stage?.memory[PLAN])
  if (!parsed.success || (await run.store.head(paths.selection)) === undefined) return undefined
  const { objects, bytes, digest } = parsed.data
  return { plan: parsed.data, selection: await savedSelection(run.store, { objects, bytes, digest }) }
}

/** Whether every row of the manifest is still there; somebody may have removed copies since. */
export async function stillStaged(run: Run, selection: Selection): Promise<boolean> {
  const nothing = { missing: () => {}, extra: () => {} }
  const { missing, extra } = await prove(selection, run.store.within(paths.staged), nothing)
  return missing === 0 && extra === 0
}
