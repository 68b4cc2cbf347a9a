import type { Outcome } from '../cli/command.ts'
import { UserError } from '../cli/errors.ts'
import { bytes, count, facts, percent, table } from '../cli/format.ts'
import { nextCommand } from '../runs/next.ts'
import { windowOfRequest } from '../runs/request.ts'
import type { Run } from '../runs/run.ts'
import { describeWindow } from '../runs/window.ts'
import type { Extracted } from './duckdb.ts'
import { digestOfOutputs, outputs } from './run-files.ts'
import type { LogFile } from './spool.ts'

interface Choice {
  readonly entity: string
  readonly includePrivate: boolean
  readonly cutoff: Date
}

type Result = Awaited<ReturnType<typeof resultOf>>

/** What would be done. */
export function previewOf(
  run: Run,
  files: readonly LogFile[],
  { entity, cutoff }: Pick<Choice, 'entity' | 'cutoff'>,
): Outcome {
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return {
    json: { run: run.id, dryRun: true, objects: files.length, bytes: size, entity, cutoff: cutoff.toISOString() },
    text: facts([
      ['run', run.id],
      ['window', describeWindow(windowOfRequest(run.request))],
      ['reads', `${count(files.length)} objects (${bytes(size)})`],
      ['entity', entity],
      ['held out', `from ${cutoff.toISOString()}`],
      ['writes', Object.values(outputs).join(', ')],
    ]),
  }
}

/** What extraction came to, as the ledger and `--output json` have it. */
export async function resultOf(run: Run, extracted: Extracted, { entity, includePrivate, cutoff }: Choice) {
  const { events, trainPairs, holdoutPairs, entities, dropped, bad } = extracted
  const rows = { train: trainPairs, holdout: holdoutPairs, entities }
  const files = Object.entries(outputs).map(async ([name, path]) => ({
    path,
    rows: rows[name as keyof typeof rows],
    bytes: (await run.store.head(path))?.size ?? 0,
  }))
  return {
    events,
    pairs: trainPairs + holdoutPairs,
    trainPairs,
    holdoutPairs,
    entities,
    entity,
    includePrivate,
    dropped: { ...dropped },
    files: await Promise.all(files),
    skippedFiles: bad.map(({ key, reason }) => ({ path: key, reason })),
    cutoff: cutoff.toISOString(),
    digest: await digestOfOutputs(run),
  }
}

/** A funnel: all records, where they were lost, and what is left. */
export function outcomeOf(run: Run, result: Result, repeated: boolean): Outcome {
  const { events, pairs, trainPairs, holdoutPairs, entities, entity, dropped, skippedFiles } = result
  const row = (name: string, n: number) => [name, count(n), percent(Math.abs(n), events)]
  const reasons = Object.entries(dropped).sort(([, a], [, b]) => b - a)
  const rows = [
    row('records', events),
    ...reasons.map(([reason, n]) => row(`  ${reason}`, -n)),
    row('pairs', pairs),
    row('  to train on', trainPairs),
    row('  held out', holdoutPairs),
  ]
  return {
    json: { run: run.id, ...result, repeated },
    text: [
      facts([
        ['run', `${run.id}${repeated ? ', as extracted before' : ''}`],
        ['entities', `${count(entities)} (${entity})`],
        skippedFiles.length === 0 ? undefined : ['left out', `${count(skippedFiles.length)} files that cannot be read`],
      ]),
      '',
      table([['', 'events', 'share'], ...rows]),
    ].join('\n'),
    next: nextCommand('train', run),
  }
}

/** Why there is nothing to train on, in the words that help most. */
export function allDropped(run: Run, { events, dropped, span, bad, holdoutPairs }: Extracted, cutoff: Date): UserError {
  const window = windowOfRequest(run.request)
  const skipped = bad.length === 0 ? '' : `; ${count(bad.length)} files were left out`
  if (events === 0)
    return new UserError(`run ${run.id}: no record in any of the staged files${skipped}`, {
      hint: 'look into a file below staged/: is it a log of this source?',
    })
  if (dropped['outside-window'] === events && span !== undefined) {
    const [first, last] = span.map((time) => new Date(time).toISOString())
    return new UserError(
      `run ${run.id}: none of ${count(events)} events is in the window, ${describeWindow(window)}; they are from ${first} to ${last}`,
      { hint: 'stage the window that the events are from' },
    )
  }
  if (holdoutPairs > 0)
    return new UserError(
      `run ${run.id}: all ${count(holdoutPairs)} pairs are from ${cutoff.toISOString()} on and would be held out: none is left to train on`,
      { hint: 'a smaller --holdout, or a longer window' },
    )
  const reasons = Object.entries(dropped).map(([reason, n]) => `\n    ${reason}: ${count(n)}`)
  return new UserError(`run ${run.id}: none of ${count(events)} records is a pair${skipped}${reasons.join('')}`, {
    hint: 'another --entity, --include-private, or a longer window',
  })
}
