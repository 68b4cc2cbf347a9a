import type { EndpointState, Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { endpointFailure } from '../../lib/aws/sagemaker/failures.ts'
import type { Invoke } from '../../lib/aws/sagemaker/invoke.ts'
import { RUN_TAG } from '../../lib/aws/sagemaker/names.ts'
import type { CommandResult, Context } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration, facts, utc } from '../../lib/cli/format.ts'
import { noteSagemakerEndpoint, type SageMakerRecord, sagemakerNoteOf } from '../../lib/runs/endpoint.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { DeployOptions } from './options.ts'
import { costText, type PrintedResult } from './render.ts'
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
  const { talk } = context
  const { region } = spec
  const { autoScalingClient, sagemakerRuntimeClient } = await import('../../lib/aws/clients.ts')
  const { invoker } = await import('../../lib/aws/sagemaker/invoke.ts')
  const { unscale } = await import('../../lib/aws/sagemaker/scaling.ts')
  const runtime = await sagemakerRuntimeClient(aws, region)
  return {
    endpoints,
    invoke: (endpoint) => invoker(runtime, endpoint, { ...context, onRetry: (reason) => talk.detail(reason) }),
    smoke: force ? warnOfNonsense((text) => talk.warn(text)) : refusesNonsense,
    unscale: async (endpoint) => unscale(await autoScalingClient(aws, region), endpoint),
  }
}

/** `deploy --rollback`: returns to the configuration that the run's model has replaced. */
export async function rollBack(step: DeployStep): Promise<CommandResult> {
  const { run, options } = step
  const { endpoint, region, config, previous } = run.resultBy('sagemaker', 'deploy')
  if (previous === null)
    throw new UserError(`run ${run.id}: nothing was in service at ${endpoint} before it`, {
      hint: 'clean removes an endpoint',
    })
  if (!options.dryRun) {
    await restore(step, config, previous)
    await run.store.remove(paths.endpoint)
  }
  return {
    json: { run: run.id, dryRun: options.dryRun, endpoint, region, from: config, config: previous },
    text: facts([
      ['endpoint', `${endpoint} in ${region}`],
      [options.dryRun ? 'would serve' : 'serves', previous],
      ['instead of', `${config}, which is kept: ${nextCommand('deploy', run)} restores it`],
    ]),
  }
}

/** When the earlier configuration is in service already, only the tags are corrected. */
async function restore(step: DeployStep, from: string, to: string): Promise<void> {
  const { run, endpoints, options } = step
  const { endpoint } = run.resultBy('sagemaker', 'deploy')
  const updater = await updaterOf(step, options.force)
  const now = await endpoints.settled(endpoint)
  if (now === undefined) throw new UserError(`there is no endpoint ${endpoint}`, { hint: 'deploy creates it' })
  const current = now.EndpointConfigName
  if (current !== from && current !== to)
    throw new UserError(`endpoint ${endpoint} serves ${current}, which another run brought into service`, {
      hint: 'name that run with --run: only its deployment can be rolled back',
    })
  const kept = await endpoints.configOf(to)
  if (kept === undefined)
    throw new UserError(`configuration ${to} is gone: ${endpoint} cannot go back to it`, {
      hint: 'deploy the run that it came from again',
    })
  if (current !== to) {
    await allowUpdate(updater, endpoint, from)
    await endpoints.update(endpoint, to)
    await updated(updater, endpoint, to)
  }
  await updater.smoke(updater.invoke(endpoint))
  const { [RUN_TAG]: owner, ...tags } = await endpoints.tags(kept.EndpointConfigArn ?? '')
  if (owner !== undefined)
    await endpoints.claim(
      now.EndpointArn ?? '',
      Object.entries({ [RUN_TAG]: owner, ...tags }).map(([Key, Value]) => ({ Key, Value })),
    )
}

/** Waits, then deletes the endpoint and ends its scaling; a stop only ends the wait. */
export async function deleteLater(step: DeployStep, config: string, ms: number): Promise<void> {
  const { context, run, spec } = step
  const { talk, now, sleep } = context
  const until = new Date(now().getTime() + ms)
  const { endpoint: sagemaker, region, digest: model } = spec
  // Should this process die, the note shows that nobody deletes the endpoint any more.
  const note = { sagemaker, region, config, model, until: until.toISOString() }
  await noteSagemakerEndpoint(run, note)
  talk.info(
    `endpoint ${sagemaker} is deleted at ${utc(until)}, in ${duration(ms)}, or at once on Ctrl-C; until then it costs ${costText(spec.hardware)}`,
  )
  await sleep(ms).catch(() => {})
  // The alarms of its scaling are paid for, too.
  if ('instances' in spec.hardware) await (await updaterOf(step, false)).unscale(sagemaker)
  await noteSagemakerEndpoint(run, { ...note, ending: true })
  await deleteEndpoint(step, { ...note, ending: true })
}

async function deleteEndpoint({ context, run, endpoints }: DeployStep, note: SageMakerRecord): Promise<void> {
  await endpoints.remove(note.sagemaker)
  await endpoints.removeConfig(note.config)
  // So that the same command does not deploy it again.
  await noteSagemakerEndpoint(run, { ...note, ended: context.now().toISOString() })
  context.talk.info(`endpoint ${note.sagemaker} is deleted`)
}

/**
 * The result of a deployment whose time is over: an earlier process has deleted the endpoint, or was killed meanwhile, and it is deleted
 * now. Undefined when there is none.
 */
export async function deletedAfterItsTime(
  step: DeployStep,
  now: EndpointState | undefined,
): Promise<(PrintedResult & { repeated: boolean }) | undefined> {
  const { context, run, spec } = step
  const note = await sagemakerNoteOf(run)
  if (note?.ending === undefined || note.sagemaker !== spec.endpoint) return undefined
  const result = { ...run.resultBy('sagemaker', 'deploy'), status: 'Deleted' as const }
  if (note.ended === undefined) {
    if (now !== undefined && now.EndpointConfigName !== note.config) return undefined
    await deleteEndpoint(step, note)
    return { ...result, repeated: false }
  }
  if (now !== undefined) return undefined
  const at = utc(new Date(note.ended))
  context.talk.info(`endpoint ${spec.endpoint} was deleted after its time, ${at}: --overwrite deploys it again`)
  return { ...result, repeated: true }
}
