import * as z from 'zod'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import { type Selection, savedSelection } from './selection.ts'

const planSchema = z.object({
  objects: z.number(),
  bytes: z.number(),
  digest: z.string(),
  listRequests: z.number(),
  selectedAt: z.iso.datetime(),
  final: z.boolean(),
  /** Named by an index, but not in the logs. */
  lost: z.array(z.object({ key: z.string(), reason: z.string() })),
})

/** What the ledger keeps of a plan. */
export type PlanRecord = z.infer<typeof planSchema>

export const PLAN = 'plan'

/** The plan of an earlier attempt, finished or not, whose selection lies complete in the run's folder. */
export async function recalledPlan(run: Run): Promise<{ plan: PlanRecord; selection: Selection } | undefined> {
  const parsed = planSchema.safeParse(run.ledger.steps.stage?.memory[PLAN])
  if (!parsed.success || (await run.store.head(paths.selection)) === undefined) return undefined
  const { objects, bytes, digest } = parsed.data
  return { plan: parsed.data, selection: savedSelection(run.store, { objects, bytes, digest }) }
}

/** Whether a finished stage still has its copies, judged by the first one. */
export async function stillStaged(run: Run, selection: Selection): Promise<boolean> {
  for await (const { key, size } of selection.rows())
    return (await run.store.within(paths.staged).head(key))?.size === size
  return false
}
