import { type EndpointState, isOurs } from '../../lib/aws/sagemaker/endpoints.ts'
import { endpointFailure } from '../../lib/aws/sagemaker/failures.ts'
import { tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import type { HoldoutMetrics } from '../../lib/runs/results.ts'
import {
  configName,
  configRequest,
  type EndpointSpec,
  type Hardware,
  modelRequest,
  offersServerless,
  trialName,
} from './spec.ts'
import { championOf, type HoldoutTest, isWorse, metricsOf, metricsText, tested } from './trial.ts'
import { allowUpdate, type Updater, updated } from './update.ts'

/** What a deployment works with. */
export interface Deployment extends Updater {
  readonly spec: EndpointSpec
  readonly checkpoint: Checkpoint<Saved<'deploy'>>
  readonly role: string
  readonly signal: AbortSignal
  /** Where a new model is tried before it replaces another one. */
  readonly trial: Hardware
  readonly test: HoldoutTest
  /** Whether a worse model may replace a better one. */
  readonly force: boolean
  readonly calibration: {
    save(calibration: Calibration): Promise<void>
    /** What was saved last. */
    saved(): Promise<Calibration | undefined>
  }
  info(text: string): void
  warn(text: string): void
}

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
    // It was never in service, and can only be deleted.
    await endpoints.remove(spec.endpoint)
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
  const tried = (await savedTrial(deployment)) ?? (await tryOut(deployment, spec.endpoint))
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

async function createConfig({ endpoints, spec, role }: Deployment, name: string, hardware: Hardware): Promise<void> {
  const created = endpoints.createConfig(configRequest(spec, role, name, hardware))
  if (!('memoryMB' in hardware) || offersServerless(spec.region)) return created
  return created.catch((error: unknown) => {
    throw new UserError(messageOf(error), {
      hint: `serverless endpoints are documented for other regions than ${spec.region}: name an --instance-type`,
      cause: error,
    })
  })
}

/** A new endpoint: it stays only if its model passes the tests. */
async function begin(deployment: Deployment, config: string): Promise<Deployed> {
  const { endpoints, signal, spec } = deployment
  try {
    const now = await endpoints.settled(spec.endpoint)
    if (now?.EndpointStatus !== 'InService')
      throw endpointFailure(spec.endpoint, 'it did not come into service', now?.FailureReason, 'it was deleted again')
    return deployed({ config, previous: null }, await tryOut(deployment, spec.endpoint), null)
  } catch (error) {
    if (signal.aborted) throw error
    deployment.warn(`deleting endpoint ${spec.endpoint} again: ${messageOf(error)}`)
    await endpoints.remove(spec.endpoint)
    await endpoints.removeConfig(config)
    throw error
  }
}

/** How a model did when it was tried. */
interface Tried {
  readonly calibration: Calibration
  readonly challenger: HoldoutMetrics
}

/** Undefined when nothing of the holdout can be scored. @throws UserError when the model fails the tests */
async function tryOut(deployment: Deployment, endpoint: string): Promise<Tried | undefined> {
  const { invoke, smoke, test, signal, spec } = deployment
  await smoke(invoke(endpoint))
  const result = await tested(invoke(endpoint), test, spec.digest, signal)
  if (result === undefined) return undefined
  const { calibration, measured } = result
  return { calibration, challenger: metricsOf(calibration, measured, test.alertsPerDay) }
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
  const { endpoints, checkpoint, test, signal, spec } = deployment
  const previous = now.EndpointConfigName ?? ''
  await checkpoint.save({ previous, config })
  const tried = await onTrial(deployment)
  const champion =
    tried === undefined || test.trial === undefined
      ? null
      : await championOf(deployment.invoke(spec.endpoint), test, test.trial, signal)
  await checkpoint.save({ champion })
  if (tried !== undefined && champion !== null) compare(deployment, tried.challenger, champion)
  signal.throwIfAborted()
  await createConfig(deployment, config, spec.hardware)
  await allowUpdate(deployment, spec.endpoint, previous)
  await endpoints.update(spec.endpoint, config)
  await takeOver(deployment, config, previous)
  return deployed({ config, previous }, tried, champion)
}

/** Of an endpoint that is being updated: the new model answers, or the one before is restored. Then it belongs to this run. */
async function takeOver(deployment: Deployment, config: string, previous: string | null): Promise<void> {
  const { endpoints, signal, spec } = deployment
  const now = await updated(deployment, spec.endpoint, config)
  try {
    await deployment.smoke(deployment.invoke(spec.endpoint))
  } catch (error) {
    if (signal.aborted || previous === null) throw error
    deployment.warn(`going back to ${previous}: ${messageOf(error)}`)
    await endpoints.update(spec.endpoint, previous)
    await updated(deployment, spec.endpoint, previous)
    throw error
  }
  await endpoints.claim(now.EndpointArn ?? '', tagsOf(spec.id, spec.workspace))
}

/** Tries the new model on an endpoint of its own, which is always deleted again. It is tried once, however often deploy is killed. */
async function onTrial(deployment: Deployment): Promise<Tried | undefined> {
  const { endpoints, role, checkpoint, spec } = deployment
  const name = trialName(spec, role)
  // What a killed attempt has left: it is being deleted, or has failed, or nobody deletes it.
  const left = await endpoints.settled(name)
  const before = await savedTrial(deployment)
  if (left !== undefined && (left.EndpointStatus === 'Failed' || before !== undefined)) await endpoints.remove(name)
  if (before !== undefined) {
    await endpoints.removeConfig(name)
    return before
  }
  await createConfig(deployment, name, deployment.trial)
  await endpoints.create(name, name, tagsOf(spec.id, spec.workspace, spec.tags))
  try {
    const state = await endpoints.settled(name)
    if (state?.EndpointStatus !== 'InService')
      throw endpointFailure(name, 'the new model could not be tried', state?.FailureReason, unchanged(spec))
    const tried = await tryOut(deployment, name)
    if (tried !== undefined) {
      await deployment.calibration.save(tried.calibration)
      await checkpoint.save({ trial: { name, challenger: tried.challenger } })
    }
    return tried
  } finally {
    await endpoints.remove(name)
    await endpoints.removeConfig(name)
  }
}

/** The result of a trial before an earlier attempt was killed. */
async function savedTrial({ checkpoint, role, calibration, spec }: Deployment): Promise<Tried | undefined> {
  const { trial } = checkpoint.saved
  if (trial?.name !== trialName(spec, role)) return undefined
  const saved = await calibration.saved()
  return saved?.model === spec.digest ? { calibration: saved, challenger: trial.challenger } : undefined
}

const unchanged = ({ endpoint }: EndpointSpec): string => `${endpoint} serves the same model as before`

/** @throws UserError for a worse model, unless --force allows it */
function compare({ force, spec, info, warn }: Deployment, challenger: HoldoutMetrics, champion: HoldoutMetrics): void {
  const both = `new: ${metricsText(challenger)}; in service: ${metricsText(champion)}`
  if (!isWorse(challenger, champion)) info(`compared on the same holdout: ${both}`)
  else if (force) warn(`the new model is worse than the one in service (${both})`)
  else
    throw new UserError(
      `the new model is worse than the one in service on the same holdout: ${both}; ${unchanged(spec)}`,
      { hint: 'check what it was trained on; --force deploys it anyway' },
    )
}
