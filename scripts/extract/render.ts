import type { CommandResult } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { aboutUsd, bytes, count, facts, percent, plural, table } from '../lib/cli/format.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Results } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { describeWindow, EmptyWindow } from '../lib/runs/window.ts'
import { type Extracted, type Extraction, hasAnyPair } from './extract.ts'

interface Choice {
  readonly entity: string
  readonly includePrivate: boolean
  /** Share of the window. */
  readonly holdout: number
  readonly cutoff: Date
  readonly ipv6: boolean
}

/** A backend as a plan shows it. */
interface Engine {
  readonly name: 'duckdb' | 'athena'
  readonly about: readonly (readonly [string, string])[]
  /** Estimate. */
  readonly usd?: number
}

type Result = Results['extract']

/** The plan of an extraction. */
export function renderExtractPlan(
  run: Run,
  { objects, bytes: size }: { readonly objects: number; readonly bytes: number },
  { entity, cutoff }: Pick<Choice, 'entity' | 'cutoff'>,
  engine: Engine,
): CommandResult {
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

/** The result of an extraction, as the ledger and `--output json` have it. @throws UserError when no record is a pair */
export function extractResultOf(run: Run, { extracted, written, ...paid }: Extraction, choice: Choice): Result {
  if (!hasAnyPair(extracted) || written === undefined) throw noPairs(run, extracted)
  const { entity, includePrivate, cutoff } = choice
  const { events, trainPairs, holdoutPairs, entities, dropped, ipv6, ipv6Pairs, bad } = extracted
  return {
    events,
    pairs: trainPairs + holdoutPairs,
    trainPairs,
    holdoutPairs,
    entities,
    entity,
    includePrivate,
    dropped: { ...dropped },
    ...(choice.ipv6 && { ipv6: { ...ipv6, distinct: ipv6Pairs } }),
    files: written.files,
    skippedFiles: bad.map(({ key, reason }) => ({ path: key, reason })),
    cutoff: cutoff.toISOString(),
    digest: written.digest,
    ...paid,
  }
}

/** Shows all records, how many were dropped and why, and how many are left. */
export function renderExtracted(run: Run, result: Result, repeated: boolean): CommandResult {
  const { events, pairs, trainPairs, holdoutPairs, entities, entity, dropped, ipv6, skippedFiles, scannedBytes } =
    result
  const row = (name: string, n: number) => [name, count(n), percent(Math.abs(n), events)]
  const reasons = Object.entries(dropped).sort(([, a], [, b]) => b - a)
  const rows = [
    row('records', events),
    ...reasons.map(([reason, n]) => row(`  ${reason}`, -n)),
    row('pairs', pairs),
    row('  to train on', trainPairs),
    row('  held out', holdoutPairs),
    ...(ipv6 !== undefined && ipv6.distinct > 0
      ? [row('IPv6, judged by evidence', ipv6.trainPairs + ipv6.holdoutPairs), row('  held out', ipv6.holdoutPairs)]
      : []),
  ]
  return {
    json: { run: run.id, ...result, repeated },
    text: [
      facts([
        ['run', `${run.id}${repeated ? ', as extracted before' : ''}`],
        ['entities', `${count(entities)} to train on (${entity})`],
        skippedFiles.length === 0
          ? undefined
          : ['left out', `${plural(skippedFiles.length, 'file')} that cannot be read`],
        scannedBytes === undefined ? undefined : ['scanned', `${bytes(scannedBytes)} (${aboutUsd(result.usd ?? 0)})`],
      ]),
      '',
      table([['', 'events', 'share'], ...rows]),
    ].join('\n'),
    ...(trainPairs > 0 && { next: nextCommand('train', run) }),
  }
}

/** What the user should know about the two parts of the pairs; undefined when both are as they should be. */
export function warningOf({ trainPairs, holdoutPairs }: Result, { cutoff, holdout }: Choice): string | undefined {
  if (trainPairs === 0) {
    const all = holdoutPairs === 1 ? 'the only pair is' : `all ${count(holdoutPairs)} pairs are`
    return `${all} from ${cutoff.toISOString()} on and held out, so this run has nothing to train on: score it with the model of another run, or extract it again with a smaller --holdout or over a longer window`
  }
  if (holdoutPairs === 0 && holdout > 0)
    return `no pair since ${cutoff.toISOString()}: the holdout is empty, and a model cannot be calibrated`
  return undefined
}

/** Reasons that hold whatever is chosen: where nothing else was found, the files are no logs of this source. */
const NO_LOG: ReadonlySet<string> = new Set(['unreadable-record', 'no-event-time', 'no-address'])
const NO_LOG_HINT = 'look into a file below staged/: is it a log of this source?'

/** Why no record is a pair, and what to do about it. */
function noPairs(run: Run, { events, dropped: others, ipv6, span, bad }: Extracted): UserError {
  const ofIpv6 = ipv6.trainPairs + ipv6.holdoutPairs
  const dropped: Readonly<Record<string, number>> = { ...others, ...(ofIpv6 > 0 && { ipv6: ofIpv6 }) }
  const window = windowOfRequest(run.request)
  const skipped = bad.length === 0 ? '' : `; ${plural(bad.length, 'file was', 'files were')} left out`
  if (events === 0)
    return new UserError(`run ${run.id}: no record in any of the staged files${skipped}`, {
      hint: NO_LOG_HINT,
    })
  if (dropped['outside-window'] === events && span !== undefined) {
    const [first, last] = span.map((time) => new Date(time).toISOString())
    return new EmptyWindow(
      `run ${run.id}: none of ${plural(events, 'event')} is in the window, ${describeWindow(window)}; they are from ${first} to ${last}`,
      { hint: 'stage the window that the events are from' },
    )
  }
  const reasons = Object.entries(dropped).map(([reason, n]) => `\n    ${reason}: ${count(n)}`)
  const message = `run ${run.id}: none of ${plural(events, 'record')} is a pair${skipped}${reasons.join('')}`
  return Object.keys(dropped).every((reason) => NO_LOG.has(reason))
    ? new UserError(message, { hint: NO_LOG_HINT })
    : new EmptyWindow(message, { hint: 'try another --entity, --include-private, or a longer window' })
}
