import type { Context } from '../lib/cli/context.ts'
import { Declined } from '../lib/cli/errors.ts'
import { aboutUsd, usd } from '../lib/cli/format.ts'

/** One limit for all steps together: what earlier ones were estimated to cost is no longer there for later ones. */
export function withBudget(context: Context, maxCost: number | undefined, yes: boolean): Context {
  if (maxCost === undefined || yes) return context
  let spent = 0
  return {
    ...context,
    approve: async (approval) => {
      const cost = approval.kind === 'spend' ? (approval.usd ?? 0) : 0
      if (spent > 0 && spent + cost > maxCost)
        throw new Declined(
          `${approval.action} would cost ${aboutUsd(cost)}, and ${usd(spent)} of --max-cost ${maxCost} is gone for earlier steps`,
          'raise --max-cost, narrow the window, or answer with --yes; what is done stays done',
        )
      await context.approve(approval)
      spent += cost
    },
  }
}
