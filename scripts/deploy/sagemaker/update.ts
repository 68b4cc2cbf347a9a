import type { EndpointState, Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { endpointFailure } from '../../lib/aws/sagemaker/failures.ts'
import type { Invoke } from '../../lib/aws/sagemaker/invoke.ts'
import { SCALING_TAG } from '../../lib/aws/sagemaker/names.ts'
import type { Range } from '../../lib/aws/sagemaker/scaling.ts'
import type { Context } from '../../lib/cli/command.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { type DeployOptions, rangeOf } from './options.ts'
import type { EndpointSpec } from './spec.ts'

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
  readonly scaling: {
    /** Undefined when the endpoint is not scaled, as far as may be known. */
    of(endpoint: string): Promise<Range | undefined>
    set(endpoint: string, range: Range): Promise<void>
    end(endpoint: string): Promise<void>
  }
  /** @param config that serves, or will: it says how many requests are taken at once */
  invoke(endpoint: string, config: string, patienceMs?: number): Promise<Invoke>
  warn(text: string): void
}

export async function updaterOf({ context, aws, endpoints, spec }: Omit<DeployStep, 'run' | 'options'>) {
  const { talk } = context
  const { autoScalingClient, sagemakerRuntimeClient } = await import('../../lib/aws/clients.ts')
  const { CONCURRENCY, invoker } = await import('../../lib/aws/sagemaker/invoke.ts')
  const { scale, scalingOf, unscale } = await import('../../lib/aws/sagemaker/scaling.ts')
  const runtime = await sagemakerRuntimeClient(aws, spec.region)
  const scaler = await autoScalingClient(aws, spec.region)
  const updater: Updater = {
    endpoints,
    scaling: {
      of: (endpoint) => scalingOf(scaler, endpoint),
      set: (endpoint, range) => scale(scaler, endpoint, range),
      end: (endpoint) => unscale(scaler, endpoint),
    },
    invoke: async (endpoint, config, patienceMs) => {
      const { ServerlessConfig } = (await variantOf(endpoints, config)) ?? {}
      const concurrency = Math.min(CONCURRENCY, ServerlessConfig?.MaxConcurrency ?? CONCURRENCY)
      const onRetry = (reason: string) => talk.detail(reason)
      return invoker(runtime, endpoint, { ...context, concurrency, onRetry, ...(patienceMs && { patienceMs }) })
    },
    warn: (text) => talk.warn(text),
  }
  return updater
}

/** The one variant of a configuration; undefined when that is gone. */
export const variantOf = async (endpoints: Endpoints, config: string) =>
  (await endpoints.configOf(config))?.ProductionVariants?.[0]

/** Configurations before and after an update. */
interface Change {
  readonly from: string
  readonly to: string
}

/**
 * Asks for another configuration. Scaling goes on, with as many instances as it has come to, while these stay of one type. Otherwise
 * SageMaker refuses the update until it has ended ("Update endpoints that use auto scaling", developer guide): it is noted at the
 * configuration for the way back.
 * @returns the scaling that has ended
 */
export async function change(updater: Updater, endpoint: string, { from, to }: Change): Promise<Range | undefined> {
  const { endpoints, scaling } = updater
  const [old, next] = [await variantOf(endpoints, from), await variantOf(endpoints, to)]
  const range = old?.InstanceType === undefined ? undefined : await scaling.of(endpoint)
  if (old?.InstanceType === undefined || old.InstanceType === next?.InstanceType) {
    await endpoints.update(endpoint, to, range !== undefined)
    return undefined
  }
  const kept = await endpoints.configOf(from)
  if (range !== undefined)
    await endpoints.tag(kept?.EndpointConfigArn ?? '', [{ Key: SCALING_TAG, Value: `${range.min}:${range.max}` }])
  await scaling.end(endpoint)
  try {
    await endpoints.update(endpoint, to, false)
  } catch (error) {
    await resumeScaling(updater, endpoint, from)
    throw error
  }
  return range
}

/** Scales instances again as they were when others replaced them. A failure is only told: it must not hide why they are back. */
export async function resumeScaling(updater: Updater, endpoint: string, config: string): Promise<void> {
  const { endpoints, scaling, warn } = updater
  try {
    const kept = await endpoints.configOf(config)
    const { [SCALING_TAG]: noted } = kept === undefined ? {} : await endpoints.tags(kept.EndpointConfigArn ?? '')
    if (noted !== undefined && (await scaling.of(endpoint)) === undefined) await scaling.set(endpoint, rangeOf(noted))
  } catch (error) {
    warn(`endpoint ${endpoint} is not scaled any more: ${messageOf(error)}`)
  }
}

/**
 * Waits for the end of an update. When it fails, SageMaker rolls back and reports the endpoint as in service: only the name of the
 * configuration shows it.
 */
export async function updated(updater: Updater, name: string, config: string): Promise<EndpointState> {
  const now = await updater.endpoints.settled(name)
  const isServing = now?.EndpointStatus === 'InService'
  if (isServing && now.EndpointConfigName === config) return now
  if (isServing) await resumeScaling(updater, name, now.EndpointConfigName ?? '')
  throw endpointFailure(
    name,
    'the update failed',
    now?.FailureReason,
    isServing ? `SageMaker went back to ${now.EndpointConfigName}` : `it is ${now?.EndpointStatus ?? 'gone'} now`,
  )
}

/** What an endpoint serves with, and is to serve with. */
interface KindChange {
  readonly from: string
  readonly toServerless: boolean
  /** What to do instead. */
  readonly hint: string
}

/**
 * @throws UserError when an endpoint on instances would become serverless, which SageMaker refuses, also as a way back: "Update a serverless
 * endpoint", developer guide
 */
export async function refuseServerless(
  endpoints: Endpoints,
  endpoint: string,
  { from, toServerless, hint }: KindChange,
): Promise<void> {
  const { InstanceType: type } = (toServerless ? await variantOf(endpoints, from) : undefined) ?? {}
  if (type === undefined) return
  throw new UserError(`endpoint ${endpoint} is on ${type}, and SageMaker does not make a serverless one of it`, {
    hint,
  })
}

/** Brings a configuration back into service. @throws UserError when SageMaker does not go back to it */
export async function goBack(updater: Updater, endpoint: string, { from, to }: Change): Promise<void> {
  const { endpoints } = updater
  const toServerless = (await variantOf(endpoints, to))?.ServerlessConfig !== undefined
  const hint = `delete it, and deploy the run of ${to} again: aws sagemaker delete-endpoint --endpoint-name ${endpoint}`
  await refuseServerless(endpoints, endpoint, { from, toServerless, hint })
  await change(updater, endpoint, { from, to })
  await updated(updater, endpoint, to)
  await resumeScaling(updater, endpoint, to)
}
