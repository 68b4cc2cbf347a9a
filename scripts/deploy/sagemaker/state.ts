import { roleOf } from '../../lib/aws/sagemaker/options.ts'
import type { Context } from '../../lib/cli/context.ts'
import { calibrationText, parseCalibration } from '../../lib/insights/calibration.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { pairsOf } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { Endpoints } from './endpoint.ts'
import { type DeployWish, smallMemory } from './request.ts'
import type { DeployWorld } from './service.ts'
import { type Order, trialHardware } from './spec.ts'
import { refusesNonsense, tellsOfNonsense, testOf } from './trial.ts'
import type { Updater } from './update.ts'

/** How endpoints are asked and changed. */
export async function updaterOf(
  { signal, talk }: Context,
  endpoints: Endpoints,
  region: string,
  aws: AwsSettings,
  force = false,
): Promise<Updater> {
  const { autoScalingClient, sagemakerRuntimeClient } = await import('../../lib/aws/clients.ts')
  const { invoker } = await import('../../lib/aws/sagemaker/invoke.ts')
  const { unscale } = await import('./scaling.ts')
  const runtime = await sagemakerRuntimeClient(aws, region)
  return {
    endpoints,
    invoke: (endpoint) => invoker(runtime, endpoint, { signal, onRetry: (reason) => talk.detail(reason) }),
    smoke: force ? tellsOfNonsense((text) => talk.warn(text)) : refusesNonsense,
    unscale: async (endpoint) => unscale(await autoScalingClient(aws, region), endpoint),
  }
}

/** What is deployed, and where. */
interface Deployment {
  readonly run: Run
  readonly wish: DeployWish
  readonly order: Order
  readonly endpoints: Endpoints
  readonly checkpoint: Checkpoint<Saved<'deploy'>>
}

/** All that a deployment works with; reads the pairs. */
export async function worldOf(context: Context, deployment: Deployment, aws: AwsSettings): Promise<DeployWorld> {
  const { run, wish, order, endpoints, checkpoint } = deployment
  const { signal, talk } = context
  const role = roleOf(wish)
  const held = { train: await pairsOf(run, 'train', signal), holdout: await pairsOf(run, 'holdout', signal) }
  return {
    ...(await updaterOf(context, endpoints, order.region, aws, wish.force)),
    checkpoint,
    role,
    signal,
    trial: trialHardware(order, wish.memory ?? smallMemory(run)),
    test: testOf({ ...held, days: run.holdout().days, alertsPerDay: wish.alertsPerDay }),
    force: wish.force,
    calibration: {
      keep: async (calibration) => void (await run.store.write(paths.calibration, calibrationText(calibration))),
      kept: async () => {
        const text = await run.store.text(paths.calibration)
        return text === undefined ? undefined : parseCalibration(text, run.uriOf(paths.calibration))
      },
    },
    info: (text) => talk.info(text),
    warn: (text) => talk.warn(text),
  }
}
