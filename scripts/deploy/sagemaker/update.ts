import type { Invoke } from '../../lib/aws/sagemaker/invoke.ts'
import type { EndpointState, Endpoints } from './endpoint.ts'
import { endpointFailure } from './failure.ts'

/** What it takes to put another model behind an endpoint. */
export interface Updater {
  readonly endpoints: Endpoints
  invoke(endpoint: string): Invoke
  /** What every model has to stand. @throws UserError */
  smoke(invoke: Invoke): Promise<void>
  /** Called before a configuration is changed, which scaled instances stand in the way of. */
  unscale(endpoint: string): Promise<void>
}

/** Instances that are scaled stand in the way of an update. */
export async function standAside({ endpoints, unscale }: Updater, endpoint: string, config: string): Promise<void> {
  const variants = (await endpoints.configOf(config))?.ProductionVariants ?? []
  if (variants.some(({ InstanceType }) => InstanceType !== undefined)) await unscale(endpoint)
}

/**
 * Waits for the end of an update. SageMaker goes back by itself when it fails, and then is in service without a word: only the
 * name of the configuration tells.
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
