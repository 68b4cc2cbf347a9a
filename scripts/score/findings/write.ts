import { UserError } from '../../lib/cli/errors.ts'
import { count, plural } from '../../lib/cli/format.ts'
import { toMakePairs } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import { windowOfRequest } from '../../lib/runs/request.ts'
import type { ScoreResult } from '../../lib/runs/results.ts'
import type { Run } from '../../lib/runs/run.ts'
import { linesOf } from '../../lib/stores/lines.ts'
import type { PairVerdict } from '../tally.ts'
import { writeFindings } from './files.ts'
import { type About, isBelow } from './finding.ts'
import { gather } from './gather.ts'
import type { Wanted } from './options.ts'
import { timesOf } from './times.ts'

/** What was written, as it is printed. */
export type FindingsResult = {
  /** Alerts, and those of allowed networks beside them. */
  readonly open: number
  readonly allowed: number
  /** Flagged pairs that are told with another one, and alerts beyond the cap. */
  readonly merged: number
  readonly capped: number
  readonly files: string[]
}

/**
 * Makes alerts of the verdicts of a run. The same verdicts give the same bytes.
 * @param judged the run whose accesses they are
 * @param warn told when it is not known any more when the accesses were
 */
export async function writeAlerts(
  wanted: Wanted,
  run: Run,
  judged: Run | undefined,
  { threshold }: Pick<ScoreResult, 'threshold'>,
  warn: (text: string) => void,
): Promise<FindingsResult> {
  const { account, region, period, cap } = wanted
  const window = windowOfRequest((judged ?? run).request)
  const about: About = {
    run: (judged ?? run).id,
    source: run.request.source,
    kind: run.result('extract').entity,
    threshold,
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    window: judged === undefined ? run.holdout() : window,
    period,
  }
  const verdicts = await suspects(run)
  const times = await timesOf(judged ?? run, verdicts, about.window)
  if (times === undefined)
    warn(
      `run ${about.run} has no files in ${paths.times} any more: alerts tell the bounds of what was judged in place of times. ${await toMakePairs(judged ?? run)}`,
    )
  const { findings, merged, capped } = gather(verdicts, about, cap, times)
  const store = run.store.within(paths.findings)
  const files: string[] = []
  for (const format of wanted.formats) files.push(...(await writeFindings(store, format, findings, about, wanted.hub)))
  const open = findings.filter(({ state }) => state === 'open').length
  return { open, allowed: findings.length - open, merged, capped, files: files.map((key) => store.uriOf(key)) }
}

/** More than this is no set of alerts, and would take much memory. */
const MOST_PAIRS = 500_000

/** The pairs below the threshold, allowed or not. @throws UserError when they are too many */
async function suspects(run: Run): Promise<PairVerdict[]> {
  const found: PairVerdict[] = []
  for await (const line of linesOf(await run.store.read(paths.verdicts))) {
    const verdict = verdictIn(line)
    if (!isBelow(verdict)) continue
    found.push(verdict)
    if (found.length > MOST_PAIRS)
      throw new UserError(`more than ${count(MOST_PAIRS)} pairs are below the threshold: too many for alerts`, {
        hint: 'a smaller --alerts-per-day, or a lower --threshold',
      })
  }
  return found
}

function verdictIn(line: string): PairVerdict {
  try {
    return JSON.parse(line) as PairVerdict
  } catch {
    throw new UserError(`${paths.verdicts} is damaged`, { hint: 'score again with --overwrite' })
  }
}

/** The same for people, as rows of the summary. */
export const findingRows = ({ open, allowed, merged, capped, files }: FindingsResult): [string, string][] => [
  [
    'findings',
    `${count(open)}${merged > 0 ? `, ${plural(merged, 'more pair')} told with them` : ''}${capped > 0 ? `, ${count(capped)} beyond the cap left out` : ''}${allowed > 0 ? `, ${count(allowed)} of allowed networks as archived` : ''}`,
  ],
  ...files.map((file): [string, string] => ['', file]),
]
