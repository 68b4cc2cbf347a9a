import { roleOf } from '../aws/sagemaker-wish.ts'
import type { Context } from '../cli/context.ts'
import { calibrationText, parseCalibration } from '../insights/calibration.ts'
import { pairsOf } from '../runs/pairs.ts'
import { paths } from '../runs/paths.ts'
import type { Run, StepMemory } from '../runs/run.ts'
import type { AwsSettings } from '../stores/open.ts'
import type { Endpoints } from './sagemaker.ts'
import { type Order, trialHardware } from './sagemaker-order.ts'
import type { DeployWorld } from './sagemaker-service.ts'
import { refusesNonsense, tellsOfNonsense, testOf } from './sagemaker-trial.ts'
import type { Updater } from './sagemaker-update.ts'
import { type DeployWish, smallMemory } from './sagemaker-wish.ts'

/** How endpoints are asked and changed. */
export async function updaterOf(
  { signal, talk }: Context,
  endpoints: Endpoints,
  region: string,
  aws: AwsSettings,
  force = false,
): Promise<Updater> {
  const { autoScalingClient, sagemakerRuntimeClient } = await import('../aws/clients.ts')
  const { invoker } = await import('../aws/invoke.ts')
  const { unscale } = await import('./sagemaker-scaling.ts')
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
