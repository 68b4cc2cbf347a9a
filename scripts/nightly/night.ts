import * as v from 'valibot'
import { plural } from '../lib/cli/format.ts'
import { fitted, listOf } from '../lib/cli/shapes.ts'
import { take } from '../lib/cli/take.ts'
import { alertsOf } from '../lib/runs/alerts.ts'
import { modelNote } from '../lib/runs/models.ts'
import { type Judged, type Night, nightName } from '../lib/runs/nights.ts'
import { RUNS, scorePaths, scoreStep } from '../lib/runs/paths.ts'
import { verdictsOf } from '../lib/runs/verdicts.ts'
import { EmptyWindow, type Window } from '../lib/runs/window.ts'
import { newAlerts } from './alerts.ts'
import { accountsOf, driftMessage, fittingBefore, isPartOf, jumpsOf, Parts, recordsOf } from './drift.ts'
import { driftFindings } from './finding.ts'
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
  // What was judged once, and is no longer in the logs, stays judged.
  if (run === undefined && before?.judged) return before
  const now = run === undefined ? null : await judgedDay(work, { nights, window, run })
  const judged = now !== null && before?.judged ? judgedAgain(work, window, { before: before.judged, now }) : now
  const state = judged === null ? 'no-logs' : 'judged'
  return { ...about, at: context.now().toISOString(), state, judged }
}

/** A day that was judged before: says what has come late. A training of that night stays noted. */
function judgedAgain(
  { context }: Work,
  { from, to }: Window,
  { before, now }: Record<'before' | 'now', Judged>,
): Judged {
  const day = nightName({ from: from.toISOString(), to: to.toISOString() })
  const late = recordsOf(now) - recordsOf(before)
  context.talk.info(
    `${late > 0 ? plural(late, 'record') : 'no record'} of ${day} ${late > 1 ? 'have' : 'has'} come since it was judged`,
  )
  return { ...now, trained: now.trained ?? before.trained }
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
  await take(score, context, { ...given, findings: [] })
  await take((await import('../report/command.ts')).command, context, given)
  const judged = await noted(work, day, renewal)
  if (options.findings.length === 0) return judged
  // What is written follows from what was judged: the second time nothing is scored.
  const { json } = await take(score, context, { ...given, ...(judged.drift && { findingsCap: BESIDE_DRIFT }) })
  return { ...judged, findings: [...filesIn(json), ...(await driftFindings(work, day.window, judged))] }
}

const findingsSchema = v.object({ findings: v.optional(v.object({ files: listOf(v.string()) })) })

const filesIn = (json: unknown): readonly string[] => fitted(findingsSchema, json).findings?.files ?? []

/** Alerts that are told beside a drift. */
const BESIDE_DRIFT = 3

/** What is noted about a day, read back from its run and the model's. */
async function noted(work: Work, { nights, window, run: id }: Day, { model, trained }: Renewed): Promise<Judged> {
  const { options, context } = work
  const [run, judging] = [await runOfNight(work, id), await runOfNight(work, model.run)]
  const { events, pairs, dropped, ipv6 } = run.result('extract')
  const { scored, evidence = 0, unseen, sparse, flagged, unfit } = judging.result(scoreStep(id))
  const alerts = await alertsOf(judging, id)
  const { told, goingOn } = newAlerts(alerts, nights, window, options.findingsPeriod)
  const measures = {
    events,
    dropped,
    // Whatever they are judged by.
    scored: scored + evidence,
    unseen,
    sparse,
    unfit: unfit?.pairs ?? flagged,
    budget: options.alertsPerDay,
  }
  const jumps = jumpsOf(measures, fittingBefore(nights, window.from.toISOString()))
  const parts = new Parts()
  if (jumps.size > 0)
    for await (const verdicts of verdictsOf(judging, id, context.signal))
      for (const verdict of verdicts) if (isPartOf(verdict, jumps, unfit?.threshold ?? 0)) parts.add(verdict)
  const before = nights.filter(({ judged, to }) => judged !== null && to <= window.from.toISOString()).at(-1)
  const drift =
    jumps.size === 0
      ? null
      : driftMessage(jumps, parts.named(accountsOf(alerts, nights)), before?.judged?.drift ?? null)
  const tellable = told.slice(0, drift === null ? told.length : BESIDE_DRIFT)
  return {
    ...measures,
    run: id,
    model: model.run,
    trained,
    accesses: pairs + (ipv6 === undefined ? 0 : ipv6.trainPairs + ipv6.holdoutPairs),
    flagged,
    told: tellable,
    goingOn,
    capped: told.length - tellable.length,
    drift,
    report: `${RUNS}${model.run}/${scorePaths(id).report}`,
    findings: [],
  }
}
