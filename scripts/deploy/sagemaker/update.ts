import type { EndpointState, Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { endpointFailure } from '../../lib/aws/sagemaker/failures.ts'
import type { Invoke } from '../../lib/aws/sagemaker/invoke.ts'
import type { Context } from '../../lib/cli/context.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { DeployOptions } from './options.ts'
import type { EndpointSpec } from './spec.ts'
import { refusesNonsense, warnOfNonsense } from './trial.ts'

/** A run to be deployed, and how. */
export interface DeployStep {
  readonly context: Context
  readonly run: Run
  readonly options: DeployOptions
  readonly aws: AwsSettings
  readonly spec: EndpointSpec
  readonly endpoints: Endpoints
}

/** What is needed to put another model behind an endpoint. */
export interface Updater {
  readonly endpoints: Endpoints
  invoke(endpoint: string): Invoke
  /** The test that every model has to pass. @throws UserError */
  smoke(invoke: Invoke): Promise<void>
  /** Ends scaling, during which SageMaker refuses another configuration. */
  unscale(endpoint: string): Promise<void>
}

/** Ends the scaling of instances, during which SageMaker refuses an update. */
export async function allowUpdate({ endpoints, unscale }: Updater, endpoint: string, config: string): Promise<void> {
  const variants = (await endpoints.configOf(config))?.ProductionVariants ?? []
  if (variants.some(({ InstanceType }) => InstanceType !== undefined)) await unscale(endpoint)
}

/**
 * Waits for the end of an update. When it fails, SageMaker rolls back and reports the endpoint as in service: only the name of the
 * configuration shows it.
 */
export async function updated({ endpoints }: Updater, name: string, config: string): Promise<EndpointState> {
  const now = await endpoints.settled(name)
  if (now?.EndpointStatus === 'InService' && now.EndpointConfigName === config) return now
  throw endpointFailure(
    name,
    'the update failed',
    now?.FailureReason,
    now?.EndpointStatus === 'InService'
      ? `SageMaker went back to ${now.EndpointConfigName}`
      : `it is ${now?.EndpointStatus ?? 'gone'} now`,
  )
}

/** @param force a model that accepts malformed input only causes a warning */
export async function updaterOf(
  { context, aws, endpoints, spec }: Pick<DeployStep, 'context' | 'aws' | 'endpoints' | 'spec'>,
  force: boolean,
): Promise<Updater> {
  const { signal, talk } = context
  const { region } = spec
  const { autoScalingClient, sagemakerRuntimeClient } = await import('../../lib/aws/clients.ts')
  const { invoker } = await import('../../lib/aws/sagemaker/invoke.ts')
  const { unscale } = await import('../../lib/aws/sagemaker/scaling.ts')
  const runtime = await sagemakerRuntimeClient(aws, region)
  return {
    endpoints,
    invoke: (endpoint) => invoker(runtime, endpoint, { signal, onRetry: (reason) => talk.detail(reason) }),
    smoke: force ? warnOfNonsense((text) => talk.warn(text)) : refusesNonsense,
    unscale: async (endpoint) => unscale(await autoScalingClient(aws, region), endpoint),
  }
}
