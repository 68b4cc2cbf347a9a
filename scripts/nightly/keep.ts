import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { take } from '../lib/cli/take.ts'
import { modelNote, noteModel } from '../lib/runs/models.ts'
import { type Night, nightsOf, removeNight } from '../lib/runs/nights.ts'
import { scorePaths } from '../lib/runs/paths.ts'
import { DAY_MS } from '../lib/runs/window.ts'
import { touchRun } from '../lib/runs/workspace.ts'
import { runOfNight, type Work } from './work.ts'

/**
 * Removes what nights have made and no longer need: runs of days that were judged longer than `--keep` ago, with their verdicts and pages, and
 * models that neither judge, nor can be rolled back to, nor have judged a day that is kept.
 */
export async function cleanOld(work: Work): Promise<void> {
  const { root, source, options, context } = work
  // What is made up for must be known to be judged.
  const keep = Math.max(options.keep, (options.catchUp + 2) * DAY_MS)
  const limit = new Date(context.now().getTime() - keep).toISOString()
  const nights = await nightsOf(root, source)
  // A day of long ago may have been judged just now.
  const old = nights.filter(({ at }) => at <= limit)
  for (const night of old) await cleanDay(work, night)
  const kept = nights.filter(({ at }) => at > limit)
  const cleaned = await cleanModels(work, kept, limit)
  const { model } = await modelNote(root, source)
  // What was cleaned must not be the latest run.
  if (model !== undefined && old.length + cleaned > 0) await touchRun(await runOfNight(work, model.run), work.aws)
}

/** Its note goes last: while it is there, a removal that was interrupted is repeated. */
async function cleanDay(work: Work, night: Night): Promise<void> {
  if (night.judged !== null) {
    const { run, model } = night.judged
    await cleanRun(work, run, true)
    const store = (await foundRun(work, model))?.store
    const { folder, findings } = scorePaths(run)
    for (const prefix of store === undefined ? [] : [folder, findings])
      for await (const { key } of store?.list({ prefix }) ?? []) await store?.remove(key)
  }
  await removeNight(work.root, night)
}

/** @returns how many */
async function cleanModels(work: Work, kept: readonly Night[], limit: string): Promise<number> {
  const { root, source } = work
  const note = await modelNote(root, source)
  const { model } = note
  if (model === undefined) return 0
  const needed = new Set([model.run, model.replaced?.run, ...kept.map(({ judged }) => judged?.model)])
  const gone: string[] = []
  for (const id of model.trained) {
    if (needed.has(id)) continue
    const run = await foundRun(work, id)
    if (run !== undefined && run.ledger.createdAt > limit) continue
    if (run !== undefined) await cleanRun(work, id, true)
    gone.push(id)
  }
  if (gone.length > 0)
    await noteModel(root, source, { ...model, trained: model.trained.filter((id) => !gone.includes(id)) }, note)
  return gone.length
}

/** @param everything false: only the copies of its logs */
export async function cleanRun(work: Work, id: string, everything: boolean): Promise<void> {
  const { context, options } = work
  if ((await foundRun(work, id)) === undefined) return
  const { command } = await import('../clean/command.ts')
  await take(command, consenting(context), { ...options, run: id, everything })
}

/** Whoever sets nights up has agreed to their removal with `--keep`: only what nights have made is ever cleaned here. */
const consenting = (context: Context): Context => ({
  ...context,
  talk: { ...context.talk, info: (text) => context.talk.detail(text) },
  approve: async (approval) => (approval.kind === 'delete' ? undefined : context.approve(approval)),
})

/** Undefined when it is gone. */
async function foundRun(work: Work, id: string) {
  try {
    return await runOfNight(work, id)
  } catch (error) {
    if (error instanceof UserError && error.exitCode === 2) return undefined
    throw error
  }
}
