import { type EndpointState, Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { cliFlags, roleOf } from '../../lib/aws/sagemaker/options.ts'
import type { CommandResult, Context } from '../../lib/cli/command.ts'
import { facts } from '../../lib/cli/format.ts'
import { calibrationText, parseCalibration } from '../../lib/insights/calibration.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { testOf } from '../../lib/runs/comparison.ts'
import { noteSagemakerEndpoint, sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { pairsOf, requirePairs } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run, StepPlan } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { concurrencyQuota, inService, refuseToDelete } from './before.ts'
import { deletedAfterItsTime, deleteLater } from './delete-later.ts'
import type { Deployment } from './deployment.ts'
import { modelBytes, trialHardware } from './hardware.ts'
import { checkOptions, type DeployOptions } from './options.ts'
import {
  costText,
  type DeployResult,
  doubtsIn,
  hourlyUsd,
  type Plan,
  planFacts,
  planUsd,
  renderDeployed,
  renderDeployPlan,
} from './render.ts'
import { rollBack } from './rollback.ts'
import { serve } from './serve.ts'
import { settingsOf, specOf } from './spec.ts'
import { type DeployStep, updaterOf } from './update.ts'

/** Deploys a run whose workspace is in S3. */
export async function deployInSagemaker(
  context: Context,
  run: Run,
  options: DeployOptions,
  aws: AwsSettings,
): Promise<CommandResult> {
  checkOptions(options)
  const { region, holdoutPairs } = run.resultBy('sagemaker', 'train')
  const { sagemakerClient } = await import('../../lib/aws/clients.ts')
  const spec = specOf(run, options, region)
  const progress = context.progress('SageMaker')
  const client = await sagemakerClient(aws, region)
  const endpoints = new Endpoints(client, context, (text) => progress.state(text))
  const step = { context, run, options, aws, spec, endpoints }
  const champion = await endpoints.look(spec.endpoint)
  if (options.rollback) return rollBack(step)
  const { deleteAfter } = options
  const plan = {
    spec,
    modelBytes: modelBytes(run),
    autoscale: options.autoscale,
    ...(await inService(step, champion)),
    holdoutPairs,
    deleteAfterMs: deleteAfter,
  }
  if (deleteAfter !== undefined && champion !== undefined) await refuseToDelete(step, champion.EndpointConfigName)
  if (options.dryRun) return renderDeployPlan(await judged(step, plan))
  const wanted: StepPlan = {
    settings: settingsOf(spec, options),
    inputs: ['train'],
    overwrite: options.overwrite,
    onChange: 'redo',
  }
  if (deleteAfter !== undefined && (await run.isCurrent('deploy', wanted))) {
    const deleted = await deletedAfterItsTime(step, champion)
    if (deleted !== undefined) return renderDeployed(run.id, deleted, spec.hardware, deleted.repeated)
  }
  const stepPlan = { ...wanted, redoIf: async () => !(await isInService(step)) }
  if (!(await run.isCurrent('deploy', stepPlan))) {
    await requirePairs(run)
    if (!isMade(champion, run.unfinished('deploy', stepPlan)?.checkpoint))
      await approve(context, await judged(step, plan))
  }
  const { repeated } = await run.step('deploy', stepPlan, async (checkpoint) => {
    try {
      return await perform(step, await deploymentOf(step, checkpoint))
    } catch (error) {
      if (context.signal.aborted) await warnOfCosts(step)
      throw error
    }
  })
  const result = run.resultBy('sagemaker', 'deploy')
  progress.end(`${spec.endpoint} in service`)
  if (deleteAfter === undefined)
    return { ...renderDeployed(run.id, result, spec.hardware, repeated), next: nextCommand('score', run) }
  await deleteLater(step, result.config, deleteAfter)
  return renderDeployed(run.id, { ...result, status: 'Deleted' }, spec.hardware, repeated)
}

/** Completes a plan by what takes a while to find out, and tells what speaks against it. */
async function judged(step: DeployStep, plan: Omit<Plan, 'concurrencyQuota'>): Promise<Plan> {
  const judgedPlan = { ...plan, concurrencyQuota: await concurrencyQuota(step) }
  for (const doubt of doubtsIn(judgedPlan)) step.context.talk.warn(doubt)
  return judgedPlan
}

async function approve(context: Context, plan: Plan): Promise<void> {
  const usd = planUsd(plan)
  await context.approve({
    action: `deploy to ${plan.spec.endpoint}`,
    plan: facts(planFacts(plan)).split('\n'),
    kind: 'spend',
    ...(usd !== undefined && { usd }),
  })
}

/** Whether an interrupted attempt has created the endpoint, or changed it: then there is nothing more to pay for. */
function isMade(now: EndpointState | undefined, saved: Saved<'deploy'> = {}): boolean {
  const config = saved.created ?? saved.config
  const configs = [now?.EndpointConfigName, now?.PendingDeploymentSummary?.EndpointConfigName]
  return config !== undefined && now?.EndpointStatus !== 'Failed' && configs.includes(config)
}

/** Whether the endpoint that deploy noted still serves the run's model. */
async function isInService({ run, endpoints }: DeployStep): Promise<boolean> {
  const note = await sagemakerEndpointOf(run)
  if (note === undefined) return false
  const now = await endpoints.look(note.sagemaker)
  return now?.EndpointStatus === 'InService' && now.EndpointConfigName === note.config
}

/** After a stop: says what exists, what it costs, and how to delete it. */
async function warnOfCosts({ context, endpoints, spec, options, aws }: DeployStep): Promise<void> {
  const { endpoint, region, hardware } = spec
  const now = await endpoints.look(endpoint)
  if (now === undefined) return
  context.talk.warn(
    `endpoint ${endpoint} is ${now.EndpointStatus} in AWS, and costs ${costText(hardware, options.autoscale)}. The same command continues; this deletes it:\n  aws sagemaker delete-endpoint --endpoint-name ${endpoint}${cliFlags(region, aws)}`,
  )
}

/** Reads the pairs. */
async function deploymentOf(step: DeployStep, checkpoint: Checkpoint<Saved<'deploy'>>): Promise<Deployment> {
  const { run, options, spec, context } = step
  const { signal, talk } = context
  const role = roleOf(options)
  const pairs = { train: await pairsOf(run, 'train', signal), holdout: await pairsOf(run, 'holdout', signal) }
  return {
    ...(await updaterOf(step)),
    spec,
    checkpoint,
    role,
    signal,
    trial: trialHardware(spec.hardware),
    scales: options.autoscale !== undefined,
    test: testOf({ ...pairs, days: run.holdout().days, alertsPerDay: options.alertsPerDay }),
    force: options.force,
    calibration: {
      save: async (calibration) => void (await run.store.write(paths.calibration, calibrationText(calibration))),
      saved: async () => {
        const text = await run.store.text(paths.calibration)
        return text === undefined ? undefined : parseCalibration(text, run.uriOf(paths.calibration))
      },
    },
    info: (text) => talk.info(text),
  }
}

async function perform({ run, options, spec }: DeployStep, deployment: Deployment): Promise<DeployResult> {
  const { endpoint, region, digest } = spec
  const { config, previous, calibration, challenger, champion } = await serve(deployment)
  if (options.autoscale !== undefined) await deployment.scaling.set(endpoint, options.autoscale)
  if (calibration === undefined) await run.store.remove(paths.calibration)
  else await deployment.calibration.save(calibration)
  await noteSagemakerEndpoint(run, { sagemaker: endpoint, region, config, model: digest })
  return {
    backend: 'sagemaker',
    endpoint,
    region,
    status: 'InService',
    config,
    previous,
    threshold: calibration?.threshold ?? null,
    auc: calibration?.auc ?? null,
    challenger,
    champion,
    hourlyUsd: hourlyUsd(spec.hardware, options.autoscale) ?? null,
    digest,
  }
}
