import { aboutUsd, bytes, count, counted, facts } from '../lib/cli/format.ts'
import { type CostItem, PRICES, priceNote, totalOf } from '../lib/runs/cost.ts'
import { describeWindow, type Window } from '../lib/runs/window.ts'
import type { SelectionTotals } from './selection.ts'

/** What staging would do and cost. */
export interface StagePlan {
  readonly window: Window
  readonly totals: SelectionTotals
  readonly listRequests: number
  readonly costs: readonly CostItem[]
  readonly copier: string
  /** When files that come late are due; the plan is final if it was made after that. */
  readonly completeAfter: Date
  readonly final: boolean
}

/** What a plan costs in all, in dollars. */
export const estimatedUsd = (plan: StagePlan): number => totalOf(plan.costs)

/** Listing is paid by whoever reads the logs, whatever then happens to them. */
export const listCost = (requests: number): CostItem => ({
  what: 'LIST requests',
  count: requests,
  each: PRICES.listRequest,
})

/** The plan in lines for people. */
export function planText(plan: StagePlan, run: string): string {
  const cost = plan.costs.map(({ what, count: n }) => counted(n, what)).join(', ')
  return facts([
    ['run', run],
    ['window', describeWindow(plan.window)],
    ['objects', `${count(plan.totals.objects)} (${bytes(plan.totals.bytes)})`],
    ['copied by', plan.copier],
    plan.costs.length > 0 ? ['cost', `${aboutUsd(estimatedUsd(plan))}: ${cost} (${priceNote})`] : undefined,
    plan.final
      ? undefined
      : ['late files', `may come until ${plan.completeAfter.toISOString().slice(0, 16)}Z; stage again then`],
  ])
}
