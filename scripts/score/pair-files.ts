import { awsOf } from '../lib/aws/settings.ts'
import type { CommandResult } from '../lib/cli/command.ts'
import type { Context } from '../lib/cli/context.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { runOfModel } from '../lib/runs/workspace.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import { backendFor } from './backend.ts'
import type { ScoreOptions } from './options.ts'
import { preparedFor } from './prepare.ts'
import { renderScorePlan, scoreApproval, summaryOf } from './render.ts'
import { score } from './score.ts'
import { filesOfRun, filesTarget } from './target.ts'

/** Judges files of pairs, with a model in a folder, of a run, or at an endpoint. */
export async function scoreFiles(context: Context, options: ScoreOptions): Promise<CommandResult> {
  const { model = '', pairs } = options
  const aws = awsOf(options, context)
  const run = await modelRun(context, options, aws)
  const target = run === undefined ? await filesTarget(pairs, model, aws) : await filesOfRun(run, pairs, aws)
  const prepared = await preparedFor(target, options)
  const backend = await backendFor(options, { run, target, prepared, context, aws })
  const usd = backend.usd?.((await target.pairs(context.signal)).ip.length) ?? undefined
  if (options.dryRun) return renderScorePlan(target, prepared, backend, { run: run?.id, usd })
  if (backend.usd !== undefined) await context.approve(scoreApproval('the files', backend, usd))
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
    import('./sagemaker/endpoint-run.ts'),
    import('./sagemaker/backend.ts'),
  ])
  return runAtEndpoint(endpoint ?? '', await regionFor(undefined, aws, context), aws)
}
