import { defineCommand, type Outcome } from '../cli/command.ts'
import type { Context } from '../cli/context.ts'
import { UsageError } from '../cli/errors.ts'
import { list, number, parsed, text, type Values } from '../cli/options.ts'
import { runOptions } from '../cli/shared-options.ts'
import { nextCommand } from '../runs/next.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import { openRun } from '../runs/workspace.ts'
import { openStore } from '../stores/open.ts'
import { MOST_ROWS } from './anomalies.ts'
import { findingsOptions, wantedFindings } from './findings/options.ts'
import { findingRows, writeAlerts } from './findings/write.ts'
import { type Prepared, preparedFor, runTarget, type Target } from './prepare.ts'
import { resultOf, type ScoreResult, summaryOf } from './result.ts'
import { files, score } from './score.ts'

const options = {
  fromRun: text({ about: 'judge all pairs of this other run, instead of the holdout', value: 'ID' }),
  pairs: list({ about: 'judge the pairs of this file, without a run; needs --model', value: 'FILE' }),
  model: text({ about: 'folder with model.tar.gz and calibration.json, where there is no run', value: 'DIR' }),
  scores: text({ about: 'folder for the verdicts, where there is no run', value: 'DIR', default: 'scores' }),
  endpoint: parsed({ about: 'score through this endpoint (default: in this process)', value: 'URL', parse: httpUrl }),
  alertsPerDay: number({ about: 'alerts a day that somebody can look at', default: 10, min: 0 }),
  threshold: number({ about: 'flag what scores below this, instead of what the alerts a day come to', value: 'SCORE' }),
  minEvents: number({
    about: 'training accesses from which on an entity is judged (default: as calibrated)',
    min: 1,
    integer: true,
  }),
  allow: list({ about: 'network that is never flagged, or a file of them, one a line', value: 'CIDR|FILE' }),
  labels: text({ about: 'known attacks, to measure against: source,entity,ip,kind,time', value: 'FILE' }),
  ...findingsOptions,
  ...runOptions,
}

export const command = defineCommand({
  name: 'score',
  summary: 'judge pairs: which accesses do not fit their entity?',
  description:
    'Judges every distinct pair of the holdout, of another run or of files. Entities that the model has not seen, or too seldom, are said to be so and never passed off as normal. What scores below the threshold is flagged; the threshold comes from the holdout and the alerts a day.',
  examples: [
    { run: 'npx zx scripts/score.mjs --run latest --alerts-per-day 5', does: 'judges the holdout' },
    {
      run: 'npx zx scripts/score.mjs --run latest --allow 203.0.113.0/24 --endpoint http://127.0.0.1:8080',
      does: 'through an endpoint, with the office left alone',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --from-run cloudtrail-20260312T0000Z-20260313T0000Z-3f9a1c',
      does: 'judges the next day with the model of an earlier window',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --findings asff --findings-account 111122223333 --findings-region us-east-1',
      does: 'also as findings for AWS Security Hub',
    },
    { run: 'npx zx scripts/score.mjs --pairs pairs.csv --model ./model', does: 'judges files without a run' },
  ],
  options,
  async run(context, values) {
    const bare = values.pairs.length > 0 || values.model !== undefined
    if (!bare) return scoreRun(context, await openRun(values.workspace, values.run), values)
    if (values.pairs.length === 0 || values.model === undefined)
      throw new UsageError('--pairs and --model belong together', 'leave both out to judge the holdout of a run')
    if (values.findings.length > 0)
      throw new UsageError('--findings needs a run: files do not tell when, or whose accesses they are')
    if (values.fromRun !== undefined) throw new UsageError('--pairs and --from-run contradict each other')
    return scoreFiles(context, { model: values.model, pairs: values.pairs }, values)
  },
})

type Options = Values<typeof options>

async function scoreRun(context: Context, run: Run, values: Options): Promise<Outcome> {
  const other = values.fromRun === undefined ? undefined : await openRun(values.workspace, values.fromRun)
  run.result('train')
  const wanted = wantedFindings(run, values)
  const target = await runTarget(run, other)
  const prepared = await preparedFor(target, values, context)
  if (values.dryRun) return preview(target, prepared, { run: run.id })
  const plan = {
    settings: prepared.settings,
    inputs: ['extract', 'train'],
    overwrite: values.overwrite,
    onChange: 'redo',
    stale: async () => (await run.store.head(paths.verdicts)) === undefined,
  } as const
  const { repeated, ...result } = await run.step('score', plan, () =>
    carryOut(context, target, prepared, values, run.store.within(FOLDER)),
  )
  if (repeated) context.talk.info('nothing to do, this was scored before')
  const findings = wanted && (await writeAlerts(wanted, run, other, result))
  return {
    json: { run: run.id, ...result, ...(findings && { findings }), repeated },
    text: summaryOf(result, run.id, findings && findingRows(findings)),
    next: nextCommand('report', run),
  }
}

const FOLDER = paths.verdicts.slice(0, paths.verdicts.lastIndexOf('/') + 1)

async function scoreFiles(
  context: Context,
  { model, pairs }: { model: string; pairs: readonly string[] },
  values: Options,
): Promise<Outcome> {
  const target: Target = {
    of: 'files',
    judged: pairs,
    model: `${model}/model.tar.gz`,
    calibration: `${model}/calibration.json`,
  }
  const prepared = await preparedFor(target, values, context)
  if (values.dryRun) return preview(target, prepared, {})
  const result = await carryOut(context, target, prepared, values, await openStore(values.scores))
  return { json: { ...result }, text: summaryOf(result) }
}

const preview = (target: Target, { policy, settings }: Prepared, run: { run?: string }): Outcome => ({
  json: { ...run, dryRun: true, threshold: policy.threshold, ...settings },
  text: `would judge ${target.of}; flagged is what scores below ${policy.threshold}`,
})

async function carryOut(
  context: Context,
  target: Target,
  prepared: Prepared,
  values: Options,
  store: Awaited<ReturnType<typeof openStore>>,
): Promise<ScoreResult> {
  const task = await prepared.task(values.endpoint)
  const progress = context.progress('scoring', undefined, 'pairs')
  const { tally, digest } = await score({ ...task, progress: (pairs) => progress.advance(pairs) }, store)
  progress.end()
  const output = store.localPath?.(files.verdicts) ?? `${store.uri}/${files.verdicts}`
  const anomalies = store.localPath?.(files.anomalies) ?? `${store.uri}/${files.anomalies}`
  const result = resultOf({ of: target.of, tally, prepared, output, anomalies, digest })
  if (tally.flagged > MOST_ROWS)
    context.talk.warn(`${anomalies} holds the ${MOST_ROWS} most anomalous pairs; the verdicts have all`)
  if (tally.scored === 0) context.talk.warn('no pair could be judged: the model knows none of these entities well')
  if (prepared.labels !== undefined && tally.attacks === 0)
    context.talk.warn('none of the labelled pairs is among what was judged')
  return result
}

function httpUrl(input: string): string {
  if (!/^https?:\/\/[^/]/i.test(input) || !URL.canParse(input)) throw new Error('must be http://… or https://…')
  return input
}
