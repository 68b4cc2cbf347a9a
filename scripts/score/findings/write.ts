import { UserError } from '../../lib/cli/errors.ts'
import { count, plural } from '../../lib/cli/format.ts'
import { toMakePairs } from '../../lib/runs/pairs.ts'
import { HOLDOUT, paths, scorePaths } from '../../lib/runs/paths.ts'
import { windowOfRequest } from '../../lib/runs/request.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type Verdict, verdictsOf } from '../../lib/runs/verdicts.ts'
import { writeFindings } from './files.ts'
import { type About, isBelow } from './finding.ts'
import { gather, timesOf } from './gather.ts'
import type { Wanted } from './options.ts'

/** What was written, as it is printed. */
export type FindingsResult = {
  /** Open findings, and archived ones of allowed networks. */
  readonly open: number
  readonly allowed: number
  /** Flagged pairs that share a finding with another pair, and open findings beyond the cap. */
  readonly merged: number
  readonly capped: number
  readonly files: string[]
}

export interface Alerts {
  readonly wanted: Wanted
  /** The run whose model judged. */
  readonly run: Run
  /** The run whose accesses were judged: the same one for its holdout. */
  readonly judged: Run
  readonly threshold: number
  readonly signal: AbortSignal
  /** Called when the times of the accesses are no longer known. */
  warn(text: string): void
}

/** Turns the verdicts on a run into alerts. The same verdicts give the same bytes. */
export async function writeAlerts({ wanted, run, judged, threshold, signal, warn }: Alerts): Promise<FindingsResult> {
  const { account, region, period, cap } = wanted
  const about: About = {
    run: judged.id,
    source: run.request.source,
    kind: run.result('extract').entity,
    threshold,
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    window: judged.id === run.id ? run.holdout() : windowOfRequest(judged.request),
    period,
  }
  const of = judged.id === run.id ? HOLDOUT : judged.id
  const verdicts = await suspects(run, of, signal)
  const times = await timesOf(judged, verdicts, about.window)
  if (times === undefined)
    warn(
      `run ${judged.id} no longer has files in ${paths.times}: alerts give the bounds of what was judged instead of times. ${await toMakePairs(judged)}`,
    )
  const { findings, merged, capped } = gather(verdicts, about, cap, times)
  const store = run.store.within(scorePaths(of).findings)
  const files: string[] = []
  for (const format of wanted.formats) files.push(...(await writeFindings(store, format, findings, about)))
  const open = findings.filter(({ state }) => state === 'open').length
  return { open, allowed: findings.length - open, merged, capped, files: files.map((key) => store.uriOf(key)) }
}

/** More pairs are no set of alerts, and would take too much memory. */
const MOST_PAIRS = 500_000

/** The pairs below the threshold, allowed or not. @throws UserError when there are too many */
async function suspects(run: Run, of: string, signal: AbortSignal): Promise<Verdict[]> {
  const found: Verdict[] = []
  for await (const verdicts of verdictsOf(run, of, signal)) {
    found.push(...verdicts.filter(isBelow))
    if (found.length > MOST_PAIRS)
      throw new UserError(`more than ${count(MOST_PAIRS)} pairs are below the threshold: too many for alerts`, {
        hint: 'a smaller --alerts-per-day, or a lower --threshold',
      })
  }
  return found
}

/** The same for people, as rows of the summary. */
export const findingRows = ({ open, allowed, merged, capped, files }: FindingsResult): [string, string][] => [
  [
    'findings',
    [
      count(open),
      ...(merged > 0 ? [`${plural(merged, 'more pair')} merged into them`] : []),
      ...(capped > 0 ? [`${count(capped)} beyond the cap left out`] : []),
      ...(allowed > 0 ? [`${count(allowed)} of allowed networks archived`] : []),
    ].join(', '),
  ],
  ...files.map((file): [string, string] => ['', file]),
]
