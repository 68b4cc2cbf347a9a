import type { Outcome } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { aboutUsd, bytes, count, facts, percent, plural, table } from '../lib/cli/format.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Results } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { describeWindow } from '../lib/runs/window.ts'
import type { Extracted, Written } from './counts.ts'

interface Choice {
  readonly entity: string
  readonly includePrivate: boolean
  readonly cutoff: Date
}

/** What extracts, as a plan shows it. */
export interface Engine {
  readonly name: 'duckdb' | 'athena'
  readonly about: readonly (readonly [string, string])[]
  /** Estimate. */
  readonly usd?: number
}

type Result = Results['extract']

/** What would be done. */
export function previewOf(
  run: Run,
  { objects, bytes: size }: { readonly objects: number; readonly bytes: number },
  { entity, cutoff }: Pick<Choice, 'entity' | 'cutoff'>,
  engine: Engine,
): Outcome {
  return {
    json: {
      run: run.id,
      dryRun: true,
      objects,
      bytes: size,
      entity,
      cutoff: cutoff.toISOString(),
      engine: engine.name,
      ...(engine.usd !== undefined && { estimatedUsd: engine.usd }),
    },
    text: facts([
      ['run', run.id],
      ['window', describeWindow(windowOfRequest(run.request))],
      ['reads', `${plural(objects, 'object')} (${bytes(size)})`],
      ['entity', entity],
      ['held out', `from ${cutoff.toISOString()}`],
      ['writes', `${paths.train}, ${paths.holdout} and ${paths.entities}`],
      ...engine.about,
    ]),
  }
}

/** What extraction came to, as the ledger and `--output json` have it. */
export function resultOf(extracted: Extracted, written: Written, { entity, includePrivate, cutoff }: Choice): Result {
  const { events, trainPairs, holdoutPairs, entities, dropped, bad } = extracted
  return {
    events,
    pairs: trainPairs + holdoutPairs,
    trainPairs,
    holdoutPairs,
    entities,
    entity,
    includePrivate,
    dropped: { ...dropped },
    files: written.files,
    skippedFiles: bad.map(({ key, reason }) => ({ path: key, reason })),
    cutoff: cutoff.toISOString(),
    digest: written.digest,
  }
}

/** A funnel: all records, where they were lost, and what is left. */
export function outcomeOf(run: Run, result: Result, repeated: boolean): Outcome {
  const { events, pairs, trainPairs, holdoutPairs, entities, entity, dropped, skippedFiles, scannedBytes } = result
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
        skippedFiles.length === 0
          ? undefined
          : ['left out', `${plural(skippedFiles.length, 'file')} that cannot be read`],
        scannedBytes === undefined ? undefined : ['scanned', `${bytes(scannedBytes)} (${aboutUsd(result.usd ?? 0)})`],
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
  const skipped = bad.length === 0 ? '' : `; ${plural(bad.length, 'file was', 'files were')} left out`
  if (events === 0)
    return new UserError(`run ${run.id}: no record in any of the staged files${skipped}`, {
      hint: 'look into a file below staged/: is it a log of this source?',
    })
  if (dropped['outside-window'] === events && span !== undefined) {
    const [first, last] = span.map((time) => new Date(time).toISOString())
    return new UserError(
      `run ${run.id}: none of ${plural(events, 'event')} is in the window, ${describeWindow(window)}; they are from ${first} to ${last}`,
      { hint: 'stage the window that the events are from' },
    )
  }
  if (holdoutPairs > 0)
    return new UserError(
      `run ${run.id}: ${holdoutPairs === 1 ? 'the only pair is' : `all ${count(holdoutPairs)} pairs are`} from ${cutoff.toISOString()} on and would be held out: none is left to train on`,
      { hint: 'a smaller --holdout, or a longer window' },
    )
  const reasons = Object.entries(dropped).map(([reason, n]) => `\n    ${reason}: ${count(n)}`)
  return new UserError(`run ${run.id}: none of ${plural(events, 'record')} is a pair${skipped}${reasons.join('')}`, {
    hint: 'another --entity, --include-private, or a longer window',
  })
}
