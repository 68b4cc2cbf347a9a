import { roleOf } from '../../lib/aws/sagemaker/options.ts'
import type { Context } from '../../lib/cli/context.ts'
import { calibrationText, parseCalibration } from '../../lib/insights/calibration.ts'
import { pairsOf } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run, StepMemory } from '../../lib/runs/run.ts'
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

const DAY_MS = 86_400_000

/** What is deployed, and where. */
interface Deployment {
  readonly run: Run
  readonly wish: DeployWish
  readonly order: Order
  readonly endpoints: Endpoints
  readonly memory: StepMemory
}

/** All that a deployment works with; reads the pairs. */
export async function worldOf(context: Context, deployment: Deployment, aws: AwsSettings): Promise<DeployWorld> {
  const { run, wish, order, endpoints, memory } = deployment
  const { signal, talk } = context
  const role = roleOf(wish)
  const days = (Date.parse(run.request.to) - Date.parse(String(run.result('extract').cutoff))) / DAY_MS
  const held = { train: await pairsOf(run, 'train', signal), holdout: await pairsOf(run, 'holdout', signal) }
  return {
    ...(await updaterOf(context, endpoints, order.region, aws, wish.force)),
    memory,
    role,
    signal,
    trial: trialHardware(order, wish.memory ?? smallMemory(run)),
    test: testOf({ ...held, days: days > 0 ? days : 1, alertsPerDay: wish.alertsPerDay }),
    force: wish.force,
    calibration: {
      keep: async (calibration) => void (await run.store.write(paths.calibration, calibrationText(calibration))),
      kept: async () => {
        const text = await run.store.text(paths.calibration)
        return text === undefined ? undefined : parseCalibration(text)
      },
    },
    info: (text) => talk.info(text),
    warn: (text) => talk.warn(text),
  }
}
