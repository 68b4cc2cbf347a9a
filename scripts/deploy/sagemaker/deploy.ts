import type { Outcome } from '../../lib/cli/command.ts'
import type { Context } from '../../lib/cli/context.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { facts } from '../../lib/cli/format.ts'
import type { Saved } from '../../lib/runs/checkpoints.ts'
import { noteSagemakerEndpoint, sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { requirePairs } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run, StepPlan } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { back, endLater, hadItsTime, sayWhatStays } from './end.ts'
import { type EndpointState, Endpoints } from './endpoint.ts'
import { type DeployResult, hourlyUsd, outcomeOf, type Plan, planFacts, planUsd, previewOf } from './render.ts'
import { check, type DeployWish, orderOf, settingsOf } from './request.ts'
import { type DeployWorld, serve } from './service.ts'
import type { Order } from './spec.ts'
import { worldOf } from './state.ts'

/** Deploys a run whose workspace is in S3. */
export async function deployInSagemaker(
  context: Context,
  run: Run,
  wish: DeployWish,
  aws: AwsSettings,
): Promise<Outcome> {
  check(wish)
  const trained = run.resultBy('sagemaker', 'train')
  const { sagemakerClient } = await import('../../lib/aws/clients.ts')
  const { region } = trained
  const client = await sagemakerClient(aws, region)
  const order = orderOf(run, wish, region)
  const progress = context.progress('SageMaker')
  const endpoints = new Endpoints(client, context.signal, (text) => progress.state(text))
  const champion = await endpoints.look(order.endpoint)
  if (wish.rollback) return back(context, run, wish, endpoints, aws)
  const plan: Plan = {
    order,
    autoscale: wish.autoscale,
    champion: champion?.EndpointConfigName,
    holdoutPairs: trained.holdoutPairs,
    deleteAfterMs: wish.deleteAfter,
  }
  if (wish.deleteAfter !== undefined && champion !== undefined)
    await refuseToDelete(run, champion.EndpointConfigName, order)
  if (wish.dryRun) return previewOf(plan)
  const wanted: StepPlan = {
    settings: settingsOf(order, wish),
    inputs: ['train'],
    overwrite: wish.overwrite,
    onChange: 'redo',
  }
  if (wish.deleteAfter !== undefined && (await run.isCurrent('deploy', wanted))) {
    const over = await hadItsTime(context, run, order, champion, endpoints)
    if (over !== undefined) return outcomeOf(run.id, over, order.hardware, over.repeated)
  }
  const step = { ...wanted, redoIf: async () => !(await isInService(run, endpoints)) }
  if (!(await run.isCurrent('deploy', step))) {
    await requirePairs(run)
    if (!isMade(champion, run.unfinished('deploy', step)?.checkpoint)) await approve(context, plan)
  }
  const { repeated } = await run.step('deploy', step, async (checkpoint) => {
    try {
      const world = await worldOf(context, { run, wish, order, endpoints, checkpoint }, aws)
      return await perform(world, run, wish, order, aws)
    } catch (error) {
      if (context.signal.aborted) await sayWhatStays(context, endpoints, order, aws)
      throw error
    }
  })
  const result = run.resultBy('sagemaker', 'deploy')
  progress.end(`${order.endpoint} in service`)
  if (wish.deleteAfter === undefined)
    return { ...outcomeOf(run.id, result, order.hardware, repeated), next: nextCommand('score', run) }
  await endLater(context, run, order, result, endpoints, wish.deleteAfter, aws)
  return outcomeOf(run.id, { ...result, status: 'Deleted' }, order.hardware, repeated)
}

async function approve(context: Context, plan: Plan): Promise<void> {
  const usd = planUsd(plan)
  await context.approve({
    action: `deploy to ${plan.order.endpoint}`,
    plan: facts(planFacts(plan)).split('\n'),
    kind: 'spend',
    ...(usd !== undefined && { usd }),
  })
}

/** What others rely on is not taken away. */
async function refuseToDelete(run: Run, config: string | undefined, { endpoint }: Order): Promise<void> {
  const note = await sagemakerEndpointOf(run)
  if (note?.config === config || run.ledger.steps.deploy?.checkpoint.created === config) return
  throw new UserError(`endpoint ${endpoint} serves another model: --delete-after would take that away, too`, {
    hint: 'name another --endpoint for what is not to stay',
  })
}

/** Whether an attempt that was interrupted has made the endpoint, or changed it: all that costs is there. */
function isMade(now: EndpointState | undefined, saved: Saved<'deploy'> = {}): boolean {
  const config = saved.created ?? saved.config
  const configs = [now?.EndpointConfigName, now?.PendingDeploymentSummary?.EndpointConfigName]
  return config !== undefined && now?.EndpointStatus !== 'Failed' && configs.includes(config)
}

/** Whether what deploy noted still serves. */
async function isInService(run: Run, endpoints: Endpoints): Promise<boolean> {
  const note = await sagemakerEndpointOf(run)
  if (note === undefined) return false
  const now = await endpoints.look(note.sagemaker)
  return now?.EndpointStatus === 'InService' && now.EndpointConfigName === note.config
}

async function perform(
  world: DeployWorld,
  run: Run,
  wish: DeployWish,
  order: Order,
  aws: AwsSettings,
): Promise<DeployResult> {
  const { config, previous, calibration, challenger, champion } = await serve(world, order)
  const { autoScalingClient } = await import('../../lib/aws/clients.ts')
  if (wish.autoscale !== undefined) {
    const { scale } = await import('./scaling.ts')
    await scale(await autoScalingClient(aws, order.region), order.endpoint, wish.autoscale)
  }
  if (calibration === undefined) await run.store.remove(paths.calibration)
  else await world.calibration.keep(calibration)
  await noteSagemakerEndpoint(run, { sagemaker: order.endpoint, region: order.region, config, model: order.digest })
  return {
    backend: 'sagemaker',
    endpoint: order.endpoint,
    region: order.region,
    status: 'InService',
    config,
    previous,
    threshold: calibration?.threshold ?? null,
    auc: calibration?.auc ?? null,
    challenger,
    champion,
    hourlyUsd: hourlyUsd(order.hardware) ?? null,
    digest: order.digest,
  }
}
