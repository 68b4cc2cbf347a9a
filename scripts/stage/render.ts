import type { CommandResult } from '../lib/cli/command.ts'
import { aboutUsd, bytes, count, facts } from '../lib/cli/format.ts'
import { type CostItem, itemsText, PRICES, priceNote, totalOf } from '../lib/runs/cost.ts'
import { nextCommand } from '../lib/runs/next.ts'
import type { Results } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { describeWindow, type Window } from '../lib/runs/window.ts'
import type { SelectionTotals } from './selection.ts'

/** What staging would do and cost. */
export interface StagePreview {
  readonly window: Window
  readonly totals: SelectionTotals
  readonly listRequests: number
  readonly costs: readonly CostItem[]
  readonly copier: string
  /** When files that come late are due; the plan is final if it was made after that. */
  readonly completeAfter: Date
  readonly final: boolean
  /** The command that takes up what has come late. */
  readonly again: string
  /** How the keys were found. */
  readonly keys: string
}

/** What a plan costs in all, in dollars. */
export const estimatedUsd = (plan: StagePreview): number => totalOf(plan.costs)

/** Listing is paid by whoever reads the logs, whatever then happens to them. */
export const listCost = (requests: number): CostItem => ({
  what: 'LIST requests',
  count: requests,
  each: PRICES.listRequest,
})

/** What to do about files that come late. @param until ISO. @param keys how the keys were found: a report stays as it is */
export const lateFilesText = (until: string, again: string, keys?: string): string =>
  keys === 'inventory'
    ? `may be missing from the report: one that was begun after ${until.slice(0, 16)}Z has them all`
    : `may come until ${until.slice(0, 16)}Z; then repeat: ${again}`

/** The plan in lines for people. */
export function planText(plan: StagePreview, run: string): string {
  return facts([
    ['run', run],
    ['window', describeWindow(plan.window)],
    ['objects', `${count(plan.totals.objects)} (${bytes(plan.totals.bytes)})`],
    ['copied by', plan.copier],
    plan.costs.length > 0
      ? ['cost', `${aboutUsd(estimatedUsd(plan))}: ${itemsText(plan.costs)} (${priceNote})`]
      : undefined,
    plan.final ? undefined : ['late files', lateFilesText(plan.completeAfter.toISOString(), plan.again, plan.keys)],
  ])
}

/** What `--dry-run` shows. */
export function renderStagePlan(id: string, plan: StagePreview): CommandResult {
  return {
    json: {
      run: id,
      dryRun: true,
      objects: plan.totals.objects,
      bytes: plan.totals.bytes,
      listRequests: plan.listRequests,
      estimatedUsd: estimatedUsd(plan),
      copier: plan.copier,
      final: plan.final,
      completeAfter: plan.completeAfter.toISOString(),
    },
    text: planText(plan, id),
  }
}

/** @param repeated that nothing was done, since an earlier stage stands */
export function renderStaged(run: Run, earlier: Results['stage'], repeated: boolean): CommandResult {
  const result = repeated ? { ...earlier, copied: 0, skipped: earlier.objects } : earlier
  const { objects, copied, skipped, verified, final, completeAfter, staged, inPlace } = result
  const whole = inPlace
    ? 'read where they lie, nothing is copied'
    : `${count(copied)} copied, ${count(skipped)} were there`
  const done = repeated ? 'nothing to do, all was staged before' : whole
  return {
    json: { run: run.id, ...result, repeated },
    text: facts([
      ['run', run.id],
      ['objects', `${count(objects)} (${bytes(result.bytes)}): ${done}`],
      ['staged', staged],
      verified === undefined ? undefined : ['verified', `${count(verified)} by the SHA-256 of their content`],
      final ? undefined : ['late files', lateFilesText(completeAfter, nextCommand('stage', run), run.request.keys)],
    ]),
    next: nextCommand('extract', run),
  }
}
