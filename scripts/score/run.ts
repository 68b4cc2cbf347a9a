import { awsOf } from '../lib/aws/settings.ts'
import type { CommandResult, Context } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { alertsOf } from '../lib/runs/alerts.ts'
import { differentDefinitions } from '../lib/runs/definition.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths, reportStep, scorePaths, scoreStep } from '../lib/runs/paths.ts'
import { OF_FILES } from '../lib/runs/request.ts'
import type { StepName } from '../lib/runs/results.ts'
import { type Run, type StepPlan, typedOption } from '../lib/runs/run.ts'
import { chosenRun, otherRun, runOfModel } from '../lib/runs/workspace.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import { lookupFor } from './alerts/lookup.ts'
import { alertTable, SHOWN } from './alerts/text.ts'
import { backendFor } from './backend.ts'
import { wantedFindings } from './findings/options.ts'
import { findingRows, writeAlerts } from './findings/write.ts'
import type { ScoreOptions } from './options.ts'
import { preparedFor } from './prepare.ts'
import { costOf, judgedText, renderScorePlan, scoreApproval, summaryOf } from './render.ts'
import { score } from './score.ts'
import { filesOfRun, filesTarget, runTarget } from './target.ts'

export const noFindings = () =>
  new UsageError('--findings needs logs: files of pairs say neither when the accesses were nor whose they are')

/** Settings that decide which pairs the model scores; the others only decide what its scores mean. */
const WHAT_IS_SCORED = ['of', 'pairs', 'minEvents']

/** Judges the holdout of a run, or another run. */
export async function scoreRun(context: Context, options: ScoreOptions): Promise<CommandResult> {
  const aws = awsOf(options, context)
  const { talk } = context
  const { fromRun } = options
  const run = await chosenRun(options, context)
  const other = fromRun === undefined ? undefined : await otherRun({ ...options, run: fromRun }, run, context)
  if (other?.id === run.id)
    throw new UsageError(
      `--from-run names run ${run.id} itself: its model learned most of these pairs and would find them normal`,
      'leave it out to judge the holdout',
    )
  run.result('train')
  if (options.findings.length > 0 && (other ?? run).request.keys === OF_FILES) throw noFindings()
  const wanted = wantedFindings(run.request, options)
  const target = await runTarget(run, other, aws)
  const changed = other && differentDefinitions(run, other)
  if (changed !== undefined) talk.warn(changed)
  const prepared = await preparedFor(target, options, context)
  const [step, place] = [scoreStep(target.of), scorePaths(target.of)]
  const plan = {
    settings: { ...prepared.settings, details: options.details },
    inputs: ['extract', 'train'],
    overwrite: options.overwrite,
    onChange: 'redo',
    redoIf: async () => (await run.store.head(place.verdicts)) === undefined,
  } as const
  const isDone = await run.isCurrent(step, plan)
  if (!isDone) await target.check?.()
  const backend = await backendFor(options, { run, target, prepared, context, aws })
  const judged = other ?? run
  const left = run.unfinished(step, plan)
  const lookup = isDone ? undefined : await lookupFor(options, { run, judged, context, aws, left })
  // Statements in Athena are noted by the attempt that they belong to.
  const { salt: _, queries: __, ...noted } = run.savedBy(step, plan, WHAT_IS_SCORED) ?? {}
  const paid = isDone ? 0 : ((await backend.paid?.(noted)) ?? 0)
  const cost = costOf({ own: backend.usd?.(pairsToJudge(run, other)), paid, lookup: lookup?.usd })
  if (options.dryRun) return renderScorePlan(target, prepared, backend, { run: run.id, cost })
  if (!isDone && cost !== undefined && cost.usd !== 0)
    await context.approve(scoreApproval(`${judgedText(target.of)} with the model of run ${run.id}`, backend, cost))
  const replaced = isDone ? [] : changedSettings(run, step, plan)
  if (replaced.length > 0)
    talk.info(`replacing the verdicts on ${judgedText(target.of)}, which were made with ${replaced.join(' ')}`)
  const { repeated, ...result } = await run.step(step, plan, async (checkpoint) => {
    // After two jobs were started, the second attempt at one of them must not forget the price of the other.
    const usd = checkpoint.saved.usd ?? cost?.usd
    if (cost !== undefined) await checkpoint.save({ ...noted, ...(usd !== undefined && { usd }) })
    const keep = async (calibration: string) => void (await run.store.write(paths.calibration, calibration))
    const scores = run.store.within(place.folder)
    const done = await score({
      context,
      target,
      prepared,
      options,
      backend,
      scores,
      checkpoint,
      keep,
      ...(lookup && { lookup }),
    })
    return usd === undefined ? done : { ...done, estimatedUsd: usd }
  })
  if (repeated) talk.info('nothing to do, this was scored before')
  const { threshold } = result
  const { signal } = context
  const findings =
    wanted && (await writeAlerts({ wanted, run, judged, threshold, signal, warn: (text) => talk.warn(text) }))
  const alerts = await alertsOf(run, target.of)
  return {
    json: { run: run.id, ...result, alerts: alerts.slice(0, SHOWN), ...(findings && { findings }), repeated },
    text: [summaryOf(result, run.id, findings && findingRows(findings)), alertTable(alerts)]
      .filter(Boolean)
      .join('\n\n'),
    next: nextCommand(reportStep(target.of), run),
  }
}

/** At most: distinct pairs are fewer. */
const pairsToJudge = (run: Run, other: Run | undefined): number =>
  other === undefined ? run.result('extract').holdoutPairs : other.result('extract').pairs

/** Of these only the digest is known. */
const OF_FILE: Readonly<Record<string, string>> = {
  labels: 'other --labels',
  networks: 'other --networks',
  allowances: 'other entries of --allow',
}

/** Options with which finished verdicts were made, where they differ from those of the plan, as they are typed. */
function changedSettings(run: Run, step: StepName, { settings }: StepPlan): string[] {
  const before = run.isDone(step) ? run.ledger.steps[step]?.settings : undefined
  if (before === undefined) return []
  return Object.keys({ ...before, ...settings })
    .filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(settings[name]))
    .map((name) => {
      if (name === 'pairs') return 'other pairs'
      return OF_FILE[name] ?? typedOption(name, before[name])
    })
}

/** Judges files of pairs, with a model in a folder, of a run, or at an endpoint. */
export async function scoreFiles(context: Context, options: ScoreOptions): Promise<CommandResult> {
  const { model = '', pairs } = options
  const aws = awsOf(options, context)
  const run = await modelRun(context, options, aws)
  const target = run === undefined ? await filesTarget(pairs, model, aws) : await filesOfRun(run, pairs, aws)
  const prepared = await preparedFor(target, options, context)
  const backend = await backendFor(options, { run, target, prepared, context, aws })
  const cost = costOf({ own: backend.usd?.((await target.pairs(context.signal)).ip.length), paid: 0 })
  if (options.dryRun) return renderScorePlan(target, prepared, backend, { run: run?.id, cost })
  if (cost !== undefined) await context.approve(scoreApproval('the files', backend, cost))
  const scores = await openStore(options.scores, aws)
  const keep = async (calibration: string) => void (await run?.store.write(paths.calibration, calibration))
  const result = await score({ context, target, prepared, options, backend, scores, keep })
  return { json: { ...(run && { run: run.id }), ...result }, text: summaryOf(result, run?.id) }
}

/** The run of a model that SageMaker trained, or of the model at an endpoint; undefined for a model without a run. */
async function modelRun(
  context: Context,
  { model, endpoint }: ScoreOptions,
  aws: AwsSettings,
): Promise<Run | undefined> {
  if (model !== undefined) return model.startsWith('s3://') ? runOfModel(model.replace(/\/+$/, ''), aws) : undefined
  const [{ runAtEndpoint }, { regionFor }] = await Promise.all([
    import('./sagemaker/endpoint.ts'),
    import('./sagemaker/backend.ts'),
  ])
  return runAtEndpoint(endpoint ?? '', await regionFor(undefined, aws, context), aws)
}
