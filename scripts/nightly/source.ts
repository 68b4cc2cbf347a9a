import { plural } from '../lib/cli/format.ts'
import { withLock } from '../lib/runs/lock.ts'
import { type ModelInService, modelNote } from '../lib/runs/models.ts'
import { hasSomething, type Night, nightName, nightsOf, writeNight } from '../lib/runs/nights.ts'
import { NIGHTS } from '../lib/runs/paths.ts'
import type { Window } from '../lib/runs/window.ts'
import { dueWindows } from './days.ts'
import { historyKey, historyPage } from './history.ts'
import { cleanOld } from './keep.ts'
import { nightOf } from './night.ts'
import type { Work } from './work.ts'

/** What tonight has come to for one source. */
export interface SourceNight {
  readonly source: string
  /** Those of tonight, and before them those that an earlier start has noted and not told. */
  readonly nights: readonly Night[]
  /** Undefined where none could be trained. */
  readonly model: ModelInService | undefined
  /** Of its history. */
  readonly page: string
}

/** Judges what is due. @throws UserError when another process is at it */
export const nightsOfSource = (work: Work): Promise<SourceNight> => {
  const { root, source, context } = work
  return withLock(root.within(`${NIGHTS}${source}/`), { ...context, step: 'nightly', place: 'source' }, () =>
    judgeAll(work),
  )
}

async function judgeAll(work: Work): Promise<SourceNight> {
  const { root, source, options, context } = work
  const known = await nightsOf(root, source)
  const { windows, leftOut } = dueWindows(source, options, known, context.now())
  let nights = known.filter(({ isUntold }) => isUntold)
  if (nights.length > 0)
    context.talk.info(
      `${source} ${nights.map(nightName).join(', ')} ${nights.length === 1 ? 'is' : 'are'} told now: an earlier start ended before that`,
    )
  const keep = async (night: Night) => {
    const noted: Night = hasSomething(night) ? { ...night, isUntold: true } : night
    await writeNight(root, noted)
    nights = [...nights.filter((other) => nightName(other) !== nightName(noted)), noted]
  }
  if (leftOut.length > 0)
    context.talk.warn(
      `${plural(leftOut.length, 'missed day')} beyond --catch-up ${options.catchUp} ${leftOut.length === 1 ? 'is' : 'are'} left out: ${leftOut.map(dayOf).join(', ')}; --day DATE judges one of them`,
    )
  for (const window of leftOut) await keep(leftOutNight(work, window))
  for (const window of windows) {
    context.signal.throwIfAborted()
    context.talk.info(`${source}: ${dayOf(window)}`)
    const night = await nightOf(work, replacing(known, nights), window)
    // What is still missing was told before.
    if (night.state === 'judged' || !known.some((other) => nightName(other) === nightName(night))) await keep(night)
  }
  await cleanOld(work)
  const { model } = await modelNote(root, source)
  return { source, nights, model, page: await writeHistory(work, model) }
}

/** @returns its path or URI */
async function writeHistory({ root, source }: Work, model: ModelInService | undefined): Promise<string> {
  const key = historyKey(source)
  const page = historyPage(source, await nightsOf(root, source), model)
  if ((await root.text(key)) !== page) await root.write(key, page)
  return root.localPath?.(key) ?? root.uriOf(key)
}

const dayOf = ({ from, to }: Window): string => nightName({ from: from.toISOString(), to: to.toISOString() })

const leftOutNight = ({ source, context }: Work, { from, to }: Window): Night => ({
  version: 1,
  source,
  from: from.toISOString(),
  to: to.toISOString(),
  at: context.now().toISOString(),
  state: 'left-out',
  judged: null,
})

/** All nights by now, oldest day first. */
function replacing(known: readonly Night[], later: readonly Night[]): Night[] {
  const all = new Map([...known, ...later].map((night) => [nightName(night), night]))
  return [...all.values()].sort((a, b) => (a.from < b.from ? -1 : 1))
}
