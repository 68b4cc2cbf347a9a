import type { Tag } from '@aws-sdk/client-sagemaker'
import { tagsOf } from '../../lib/aws/sagemaker/jobs.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { type EndpointState, isOurs } from './endpoint.ts'
import { endpointFailure } from './failure.ts'
import { configName, type Hardware, type Order, trialName } from './spec.ts'
import { championOf, isWorse, type Standing, standingOf, standingText, tested, type testOf } from './trial.ts'
import { standAside, type Updater, updated } from './update.ts'

export interface DeployWorld extends Updater {
  readonly checkpoint: Checkpoint<Saved<'deploy'>>
  readonly role: string
  readonly signal: AbortSignal
  /** Where a new model is tried before it takes another one's place. */
  readonly trial: Hardware
  readonly test: ReturnType<typeof testOf>
  /** A worse model replaces a better one, too. */
  readonly force: boolean
  readonly calibration: {
    keep(calibration: Calibration): Promise<void>
    /** What was kept last. */
    kept(): Promise<Calibration | undefined>
  }
  info(text: string): void
  warn(text: string): void
}

export interface Deployed {
  readonly config: string
  /** What was in service before; null for a new endpoint. */
  readonly previous: string | null
  readonly calibration: Calibration | undefined
  readonly challenger: Standing | null
  readonly champion: Standing | null
}

/**
 * Brings a model into service: on a new endpoint, which is deleted when its model fails the tests; or in place of another model,
 * after it was tried and compared on an endpoint of its own.
 * @throws UserError that says what is in service now
 */
export async function serve(world: DeployWorld, order: Order): Promise<Deployed> {
  const { endpoints, checkpoint, role } = world
  const config = configName(order, role)
  let now = await endpoints.settled(order.endpoint)
  if (now !== undefined) await refuseForeign(world, order, now)
  await endpoints.model(order, role)
  if (now?.EndpointStatus === 'Failed') {
    // Nothing can be done with it but this; it never was in service.
    await endpoints.remove(order.endpoint)
    now = undefined
  }
  if (now === undefined) {
    await checkpoint.save({ created: config })
    await endpoints.config(order, role, config, order.hardware)
    await endpoints.create(order.endpoint, config, tagsOf(order.id, order.workspace, order.tags))
    return begin(world, order, config)
  }
  if (now.EndpointConfigName !== config) return replace(world, order, config, now)
  if (checkpoint.saved.created === config) return begin(world, order, config)
  // An earlier attempt was killed after the update, or its result was lost.
  const previous = checkpoint.saved.previous ?? null
  await takeOver(world, order, config, previous)
  const tried = (await recalledTrial(world, order)) ?? (await tryOut(world, order, order.endpoint))
  return deployed(config, previous, tried, checkpoint.saved.champion ?? null)
}

async function refuseForeign({ endpoints }: DeployWorld, { endpoint }: Order, now: EndpointState): Promise<void> {
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

/** A new endpoint: it stays only if its model stands the tests. */
async function begin(world: DeployWorld, order: Order, config: string): Promise<Deployed> {
  const { endpoints, signal } = world
  try {
    const now = await endpoints.settled(order.endpoint)
    if (now?.EndpointStatus !== 'InService')
      throw endpointFailure(order.endpoint, 'it did not come into service', now?.FailureReason, 'it was deleted again')
    return deployed(config, null, await tryOut(world, order, order.endpoint), null)
  } catch (error) {
    if (signal.aborted) throw error
    world.warn(`deleting endpoint ${order.endpoint} again: ${messageOf(error)}`)
    await endpoints.remove(order.endpoint)
    await endpoints.removeConfig(config)
    throw error
  }
}

/** What a model came to when it was tried. */
interface Tried {
  readonly calibration: Calibration
  readonly challenger: Standing
}

/** Undefined when nothing of the holdout can be scored. @throws UserError when the model fails the tests */
async function tryOut(
  { invoke, smoke, test, signal }: DeployWorld,
  order: Order,
  endpoint: string,
): Promise<Tried | undefined> {
  const result = await tested(invoke(endpoint), test, order.digest, signal, smoke)
  if (result === undefined) return undefined
  const { calibration, measured } = result
  return { calibration, challenger: standingOf(calibration, measured, test.alertsPerDay) }
}

const deployed = (
  config: string,
  previous: string | null,
  tried: Tried | undefined,
  champion: Standing | null,
): Deployed => ({
  ...{ config, previous, champion },
  calibration: tried?.calibration,
  challenger: tried?.challenger ?? null,
})

/** In place of another model, whose configuration is kept. */
async function replace(world: DeployWorld, order: Order, config: string, now: EndpointState): Promise<Deployed> {
  const { endpoints, checkpoint, role, test, signal } = world
  const previous = now.EndpointConfigName ?? ''
  await checkpoint.save({ previous, config })
  const tried = await onTrial(world, order)
  const champion =
    tried === undefined || test.trial === undefined
      ? null
      : await championOf(world.invoke(order.endpoint), test, test.trial, signal)
  await checkpoint.save({ champion })
  if (tried !== undefined && champion !== null) judge(world, order, tried.challenger, champion)
  signal.throwIfAborted()
  await endpoints.config(order, role, config, order.hardware)
  await standAside(world, order.endpoint, previous)
  await endpoints.update(order.endpoint, config)
  await takeOver(world, order, config, previous)
  return deployed(config, previous, tried, champion)
}

/** Of an endpoint that is being updated: the new model answers, or the one before comes back. Then it is this run's. */
async function takeOver(world: DeployWorld, order: Order, config: string, previous: string | null): Promise<void> {
  const { endpoints, signal } = world
  const now = await updated(world, order.endpoint, config)
  try {
    await world.smoke(world.invoke(order.endpoint))
  } catch (error) {
    if (signal.aborted || previous === null) throw error
    world.warn(`going back to ${previous}: ${messageOf(error)}`)
    await endpoints.update(order.endpoint, previous)
    await updated(world, order.endpoint, previous)
    throw error
  }
  await endpoints.claim(now.EndpointArn ?? '', tagsOf(order.id, order.workspace))
}

/** The new model on an endpoint of its own, which is taken away again whatever comes out. Tried once, however often we are killed. */
async function onTrial(world: DeployWorld, order: Order): Promise<Tried | undefined> {
  const { endpoints, role, checkpoint } = world
  const name = trialName(order, role)
  const tags: Tag[] = tagsOf(order.id, order.workspace, order.tags)
  // Of an attempt that was killed: on its way out, or failed, or with nobody to take it away.
  const left = await endpoints.settled(name)
  const before = await recalledTrial(world, order)
  if (left !== undefined && (left.EndpointStatus === 'Failed' || before !== undefined)) await endpoints.remove(name)
  if (before !== undefined) {
    await endpoints.removeConfig(name)
    return before
  }
  await endpoints.config(order, role, name, world.trial)
  await endpoints.create(name, name, tags)
  try {
    const state = await endpoints.settled(name)
    if (state?.EndpointStatus !== 'InService')
      throw endpointFailure(name, 'the new model could not be tried', state?.FailureReason, unchanged(order))
    const tried = await tryOut(world, order, name)
    if (tried !== undefined) {
      await world.calibration.keep(tried.calibration)
      await checkpoint.save({ trial: { name, challenger: tried.challenger } })
    }
    return tried
  } finally {
    await endpoints.remove(name)
    await endpoints.removeConfig(name)
  }
}

/** What came of the trial before an earlier attempt was killed. */
async function recalledTrial({ checkpoint, role, calibration }: DeployWorld, order: Order): Promise<Tried | undefined> {
  const { trial } = checkpoint.saved
  if (trial?.name !== trialName(order, role)) return undefined
  const kept = await calibration.kept()
  return kept?.model === order.digest ? { calibration: kept, challenger: trial.challenger } : undefined
}

const unchanged = ({ endpoint }: Order): string => `${endpoint} serves what it did`

/** @throws UserError for a worse model, unless that is wanted */
function judge(world: DeployWorld, order: Order, challenger: Standing, champion: Standing): void {
  const both = `new: ${standingText(challenger)}; in service: ${standingText(champion)}`
  if (!isWorse(challenger, champion)) world.info(`compared on the same holdout: ${both}`)
  else if (world.force) world.warn(`the new model is worse than the one in service (${both})`)
  else throw worse(order, both)
}

const worse = (order: Order, both: string): UserError =>
  new UserError(`the new model is worse than the one in service on the same holdout: ${both}; ${unchanged(order)}`, {
    hint: 'look at what it was trained on; --force deploys it all the same',
  })
