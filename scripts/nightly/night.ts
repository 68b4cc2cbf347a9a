import * as v from 'valibot'
import { fitted, listOf } from '../lib/cli/shapes.ts'
import { take } from '../lib/cli/take.ts'
import { alertsOf } from '../lib/runs/alerts.ts'
import { modelNote } from '../lib/runs/models.ts'
import type { Judged, Night } from '../lib/runs/nights.ts'
import { RUNS, scorePaths, scoreStep } from '../lib/runs/paths.ts'
import { EmptyWindow, type Window } from '../lib/runs/window.ts'
import { newAlerts } from './alerts.ts'
import { stagedRun } from './runs.ts'
import { type Renewed, renewed } from './training.ts'
import { runOfNight, type Work } from './work.ts'

/** What the logs of a day have come to. @param nights of the source, oldest day first */
export async function nightOf(work: Work, nights: readonly Night[], window: Window): Promise<Night> {
  const { context, source } = work
  const before = nights.find(
    (night) => night.from === window.from.toISOString() && night.to === window.to.toISOString(),
  )
  const about = { version: 1, source, from: window.from.toISOString(), to: window.to.toISOString() } as const
  const run = await runOfDay(work, window, before !== undefined)
  const judged = run === undefined ? null : await judgedDay(work, { nights, window, run })
  const state = judged === null ? 'no-logs' : 'judged'
  return { ...about, at: context.now().toISOString(), state, judged }
}

/** The run of a day, with its pairs; undefined where the logs have none. */
async function runOfDay(work: Work, window: Window, isAgain: boolean): Promise<string | undefined> {
  const { context, root, source } = work
  try {
    return await stagedRun(work, window, { holdout: 0, isAgain })
  } catch (error) {
    // Whoever has never judged anything has rather named the wrong place.
    if (!(error instanceof EmptyWindow) || (await modelNote(root, source)).model === undefined) throw error
    if (!isAgain) context.talk.warn(error.message)
    return undefined
  }
}

interface Day {
  readonly nights: readonly Night[]
  readonly window: Window
  /** Id of the run of the day. */
  readonly run: string
}

async function judgedDay(work: Work, day: Day): Promise<Judged> {
  const { context, options } = work
  const renewal = await renewed(work, day.nights, day.window)
  const given = { ...options, run: renewal.model.run, fromRun: day.run }
  const { command: score } = await import('../score/command.ts')
  const { json } = await take(score, context, given)
  await take((await import('../report/command.ts')).command, context, given)
  return noted(work, day, renewal, filesIn(json))
}

const findingsSchema = v.object({ findings: v.optional(v.object({ files: listOf(v.string()) })) })

const filesIn = (json: unknown): readonly string[] => fitted(findingsSchema, json).findings?.files ?? []

/** What is noted about a day, read back from its run and the model's. */
async function noted(
  work: Work,
  { nights, window, run: id }: Day,
  { model, trained }: Renewed,
  findings: readonly string[],
): Promise<Judged> {
  const { options } = work
  const [run, judging] = [await runOfNight(work, id), await runOfNight(work, model.run)]
  const { events, pairs, dropped } = run.result('extract')
  const { scored, unseen, sparse, flagged, unfit } = judging.result(scoreStep(id))
  const { told, goingOn } = newAlerts(await alertsOf(judging, id), nights, window, options.findingsPeriod)
  return {
    run: id,
    model: model.run,
    trained,
    events,
    accesses: pairs,
    dropped,
    scored,
    unseen,
    sparse,
    flagged,
    unfit: unfit?.pairs ?? flagged,
    budget: options.alertsPerDay,
    told,
    goingOn,
    drift: null,
    report: `${RUNS}${model.run}/${scorePaths(id).report}`,
    findings,
  }
}
