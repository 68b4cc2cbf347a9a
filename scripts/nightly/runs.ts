import * as v from 'valibot'
import { fitted } from '../lib/cli/shapes.ts'
import { take } from '../lib/cli/take.ts'
import type { Window } from '../lib/runs/window.ts'
import { runOfNight, type Work } from './work.ts'

const stagedSchema = v.object({ run: v.string() })

/** How a window is made a run. */
interface Making {
  /** Share of the window. */
  readonly holdout: number
  /** Looks again for what the logs hold. */
  readonly isAgain?: boolean
}

/** Stages a window and extracts its pairs. @returns the id of the run. @throws EmptyWindow when the logs hold nothing of it */
export async function stagedRun(work: Work, { from, to }: Window, { holdout, isAgain }: Making): Promise<string> {
  const { context, options, source } = work
  const given = { ...options, source, from: from.toISOString(), to: to.toISOString(), last: undefined, holdout }
  const { command: stage } = await import('../stage/command.ts')
  const { json } = await take(stage, context, { ...given, overwrite: isAgain })
  const { run } = fitted(stagedSchema, json)
  // Somebody may have taken the same window through another command: all pairs are there, however they are divided.
  const before = (await runOfNight(work, run)).ledger.steps.extract
  const divided = before?.state === 'done' ? before.settings.holdout : undefined
  const { command: extract } = await import('../extract/command.ts')
  await take(extract, context, { ...given, run, ...(typeof divided === 'number' && { holdout: divided }) })
  return run
}
