import { type EndpointState, isOurs } from '../../lib/aws/sagemaker/endpoints.ts'
import { endpointFailure } from '../../lib/aws/sagemaker/failures.ts'
import { tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import type { HoldoutMetrics } from '../../lib/runs/results.ts'
import { createConfig, type Deployment } from './deployment.ts'
import { configName, modelRequest } from './spec.ts'
import { answers, championOf } from './trial.ts'
import { compare, onTrial, savedTrial, type Tried, tryOut } from './try-out.ts'
import { change, goBack, updated } from './update.ts'

export interface Deployed {
  readonly config: string
  /** What was in service before; null for a new endpoint. */
  readonly previous: string | null
  readonly calibration: Calibration | undefined
  readonly challenger: HoldoutMetrics | null
  readonly champion: HoldoutMetrics | null
}

/**
 * Brings a model into service: on a new endpoint, which is deleted when its model fails the tests; or in place of another model,
 * after it was tried and compared on an endpoint of its own.
 * @throws UserError that says what is in service now
 */
export async function serve(deployment: Deployment): Promise<Deployed> {
  const { endpoints, checkpoint, role, spec } = deployment
  const config = configName(spec, role)
  let now = await endpoints.settled(spec.endpoint)
  if (now !== undefined) await refuseForeign(deployment, now)
  await endpoints.createModel(modelRequest(spec, role))
  if (now?.EndpointStatus === 'Failed') {
    // It can only be deleted.
    await remove(deployment)
    now = undefined
  }
  if (now === undefined) {
    await checkpoint.save({ created: config })
    await createConfig(deployment, config, spec.hardware)
    await endpoints.create(spec.endpoint, config, tagsOf(spec.id, spec.workspace, spec.tags))
    return begin(deployment, config)
  }
  if (now.EndpointConfigName !== config) return replace(deployment, config, now)
  if (checkpoint.saved.created === config) return begin(deployment, config)
  // An earlier attempt was killed after the update, or its result was lost.
  const previous = checkpoint.saved.previous ?? null
  await takeOver(deployment, config, previous)
  const tried = (await savedTrial(deployment)) ?? (await tryOut(deployment, spec.endpoint, config))
  return deployed({ config, previous }, tried, checkpoint.saved.champion ?? null)
}

async function refuseForeign({ endpoints, spec }: Deployment, now: EndpointState): Promise<void> {
  const { endpoint } = spec
  const tags = await endpoints.tags(now.EndpointArn ?? '')
  if (!isOurs(tags))
    throw new UserError(`endpoint ${endpoint} exists, and prestage did not make it`, {
      hint: 'name another --endpoint',
    })
  if (now.EndpointStatus === 'UpdateRollbackFailed' || now.EndpointStatus === 'OutOfService')
    throw new UserError(`endpoint ${endpoint} is ${now.EndpointStatus}: SageMaker cannot change it any more`, {
      hint: `delete it, then repeat this: aws sagemaker delete-endpoint --endpoint-name ${endpoint}`,
    })
}

/** A new endpoint: it stays only if its model passes the tests. */
async function begin(deployment: Deployment, config: string): Promise<Deployed> {
  const { endpoints, signal, spec } = deployment
  try {
    const now = await endpoints.settled(spec.endpoint)
    if (now?.EndpointStatus !== 'InService')
      throw endpointFailure(spec.endpoint, 'it did not come into service', now?.FailureReason, 'it was deleted again')
    return deployed({ config, previous: null }, await tryOut(deployment, spec.endpoint, config), null)
  } catch (error) {
    if (signal.aborted) throw error
    deployment.warn(`deleting endpoint ${spec.endpoint} again: ${messageOf(error)}`)
    await remove(deployment)
    await endpoints.removeConfig(config)
    throw error
  }
}

/** The endpoint, and the alarms of its scaling, which are paid for, too. */
async function remove({ endpoints, scaling, spec }: Deployment): Promise<void> {
  if ('instances' in spec.hardware) await scaling.end(spec.endpoint)
  await endpoints.remove(spec.endpoint)
}

const deployed = (
  configs: Pick<Deployed, 'config' | 'previous'>,
  tried: Tried | undefined,
  champion: HoldoutMetrics | null,
): Deployed => ({
  ...configs,
  champion,
  calibration: tried?.calibration,
  challenger: tried?.challenger ?? null,
})

/** In place of another model, whose configuration is kept. */
async function replace(deployment: Deployment, config: string, now: EndpointState): Promise<Deployed> {
  const { checkpoint, test, signal, spec } = deployment
  const previous = now.EndpointConfigName ?? ''
  await checkpoint.save({ previous, config })
  const tried = await onTrial(deployment)
  const champion =
    tried === undefined || test.trial === undefined
      ? null
      : await championOf(await deployment.invoke(spec.endpoint, previous), test, test.trial, signal)
  await checkpoint.save({ champion })
  if (tried !== undefined && champion !== null) compare(deployment, tried.challenger, champion)
  signal.throwIfAborted()
  await createConfig(deployment, config, spec.hardware)
  const ended = await change(deployment, spec.endpoint, { from: previous, to: config })
  if (ended !== undefined && !deployment.scales)
    deployment.warn(
      `endpoint ${spec.endpoint} was scaled from ${ended.min} to ${ended.max} instances, which ends with their type: --autoscale scales the new ones`,
    )
  await takeOver(deployment, config, previous)
  return deployed({ config, previous }, tried, champion)
}

/** Of an endpoint that is being updated: the new model answers, or the one before is restored. Then it belongs to this run. */
async function takeOver(deployment: Deployment, config: string, previous: string | null): Promise<void> {
  const { endpoints, signal, spec } = deployment
  const now = await updated(deployment, spec.endpoint, config)
  try {
    await answers(await deployment.invoke(spec.endpoint, config))
  } catch (error) {
    if (signal.aborted || previous === null) throw error
    throw await afterGoingBack(deployment, { from: config, to: previous }, error)
  }
  await endpoints.tag(now.EndpointArn ?? '', tagsOf(spec.id, spec.workspace))
}

/** Goes back to the earlier configuration. @returns what went wrong first, and what became of the way back */
async function afterGoingBack(
  deployment: Deployment,
  way: { readonly from: string; readonly to: string },
  error: unknown,
): Promise<unknown> {
  const { signal, spec, warn } = deployment
  warn(`going back to ${way.to}: ${messageOf(error)}`)
  try {
    await goBack(deployment, spec.endpoint, way)
    return error
  } catch (second) {
    signal.throwIfAborted()
    const hint = second instanceof UserError ? second.hint : undefined
    return new UserError(`${messageOf(error)}; and it could not go back to ${way.to}: ${messageOf(second)}`, {
      ...(hint !== undefined && { hint }),
      cause: error,
    })
  }
}
