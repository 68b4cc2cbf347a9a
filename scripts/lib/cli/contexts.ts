import type { Context, Talk } from './command.ts'
import type { Approval } from './confirm.ts'
import { Declined } from './errors.ts'
import { aboutUsd, usd } from './format.ts'
import { lineProgress } from './progress.ts'

/** A context whose every line says which source it is about. */
export function named(context: Context, name: string): Context {
  const { talk } = context
  const about = (text: string): string => `${name}: ${text}`
  return {
    ...context,
    talk: {
      info: (text) => talk.info(about(text)),
      warn: (text) => talk.warn(about(text)),
      detail: (text) => talk.detail(about(text)),
    },
    progress: (label, total, unit) => context.progress(about(label), total, unit),
    approve: (approval) =>
      context.approve({ ...approval, action: about(approval.action), plan: approval.plan.map(about) }),
  }
}

/**
 * A context for several sources at once. They ask one after the other; while one of them asks, the others' lines wait, so that the
 * question stays last. Progress comes in lines, because two bars would overwrite each other.
 */
export function together(context: Context): Context {
  let asking: Promise<void> = Promise.resolve()
  let isOpen = false
  const held: (() => void)[] = []
  const speak = (say: () => void): void => (isOpen ? void held.push(say) : say())
  const talk: Talk = {
    info: (text) => speak(() => context.talk.info(text)),
    warn: (text) => speak(() => context.talk.warn(text)),
    detail: (text) => speak(() => context.talk.detail(text)),
  }
  const ask = async (approval: Approval): Promise<void> => {
    context.signal.throwIfAborted()
    isOpen = true
    try {
      await context.approve(approval)
    } finally {
      isOpen = false
      for (const say of held.splice(0)) say()
    }
  }
  return {
    ...context,
    talk,
    progress: (label, _total, unit) => lineProgress({ write: (text) => talk.info(text.trimEnd()) }, { label, unit }),
    approve: (approval) => {
      const answered = asking.then(() => ask(approval))
      asking = answered.catch(() => {})
      return answered
    },
  }
}

/** One limit for all steps together: the estimates of earlier steps are subtracted from it. */
export function withBudget(context: Context, maxCost: number | undefined, yes: boolean): Context {
  if (maxCost === undefined || yes) return context
  let spent = 0
  return {
    ...context,
    approve: async (approval) => {
      const cost = approval.kind === 'spend' ? (approval.usd ?? 0) : 0
      if (spent > 0 && spent + cost > maxCost)
        throw new Declined(
          `${approval.action} would cost ${aboutUsd(cost)}, and earlier steps have used ${usd(spent)} of --max-cost ${maxCost}`,
          'raise --max-cost, narrow the window, or add --yes; steps that are done are not repeated',
        )
      await context.approve(approval)
      spent += cost
    },
  }
}
