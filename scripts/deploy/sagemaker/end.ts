import { cliFlags } from '../../lib/aws/sagemaker/options.ts'
import type { Outcome } from '../../lib/cli/command.ts'
import type { Context } from '../../lib/cli/context.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration, facts, utc } from '../../lib/cli/format.ts'
import { noteSagemakerEndpoint, type SageMakerRecord, sagemakerNoteOf } from '../../lib/runs/endpoint.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { EndpointState, Endpoints } from './endpoint.ts'
import { costText, type DeployResult, type Printed } from './render.ts'
import { rollBack } from './rollback.ts'
import type { Order } from './spec.ts'
import { updaterOf } from './state.ts'

/** After a stop in the middle: what is there, what it costs, how it ends. */
export async function sayWhatStays(
  { talk }: Context,
  endpoints: Endpoints,
  { endpoint, region, hardware }: Order,
  aws: AwsSettings,
): Promise<void> {
  const now = await endpoints.look(endpoint)
  if (now === undefined) return
  talk.warn(
    `endpoint ${endpoint} is ${now.EndpointStatus} in AWS, and costs ${costText(hardware)}. The same command goes on with it; this deletes it:\n  aws sagemaker delete-endpoint --endpoint-name ${endpoint}${cliFlags(region, aws)}`,
  )
}

/** Waits, then deletes the endpoint and what scales it; a stop only ends the waiting. */
export async function endLater(
  context: Context,
  run: Run,
  order: Order,
  { config }: Pick<DeployResult, 'config'>,
  endpoints: Endpoints,
  ms: number,
  aws: AwsSettings,
): Promise<void> {
  const { talk, now, sleep } = context
  const until = new Date(now().getTime() + ms)
  const { endpoint: sagemaker, region, digest: model } = order
  // Should this process die, the note says that nobody deletes it any more.
  const note = { sagemaker, region, config, model, until: until.toISOString() }
  await noteSagemakerEndpoint(run, note)
  talk.info(
    `endpoint ${sagemaker} is deleted at ${utc(until)}, in ${duration(ms)}, or at once on Ctrl-C; until then it costs ${costText(order.hardware)}`,
  )
  await sleep(ms).catch(() => {})
  // The alarms of its scaling are paid for, too.
  if ('instances' in order.hardware) await (await updaterOf(context, endpoints, region, aws)).unscale(sagemaker)
  await noteSagemakerEndpoint(run, { ...note, ending: true })
  await end(context, run, { ...note, ending: true }, endpoints)
}

async function end({ talk, now }: Context, run: Run, note: SageMakerRecord, endpoints: Endpoints): Promise<void> {
  await endpoints.remove(note.sagemaker)
  await endpoints.removeConfig(note.config)
  // So that the same command does not make anew what was to end.
  await noteSagemakerEndpoint(run, { ...note, ended: now().toISOString() })
  talk.info(`endpoint ${note.sagemaker} is deleted`)
}

/**
 * What was deployed as it is now wanted, and had its time: an earlier process has deleted it, or was killed at that, which is then
 * done here.
 * @returns undefined when there is no such thing
 */
export async function hadItsTime(
  context: Context,
  run: Run,
  { endpoint }: Order,
  now: EndpointState | undefined,
  endpoints: Endpoints,
): Promise<(Printed & { repeated: boolean }) | undefined> {
  const note = await sagemakerNoteOf(run)
  if (note?.ending === undefined || note.sagemaker !== endpoint) return undefined
  const result = { ...run.resultBy('sagemaker', 'deploy'), status: 'Deleted' as const }
  if (note.ended === undefined) {
    if (now !== undefined && now.EndpointConfigName !== note.config) return undefined
    await end(context, run, note, endpoints)
    return { ...result, repeated: false }
  }
  if (now !== undefined) return undefined
  const at = utc(new Date(note.ended))
  context.talk.info(`endpoint ${endpoint} had its time and was deleted, ${at}: --overwrite deploys anew`)
  return { ...result, repeated: true }
}

/** `deploy --rollback`: back to what the run's model has replaced. */
export async function back(
  context: Context,
  run: Run,
  { dryRun, force }: { readonly dryRun: boolean; readonly force: boolean },
  endpoints: Endpoints,
  aws: AwsSettings,
): Promise<Outcome> {
  const { endpoint, region, config, previous } = run.resultBy('sagemaker', 'deploy')
  if (previous === null)
    throw new UserError(`run ${run.id}: nothing was in service at ${endpoint} before it`, {
      hint: 'clean removes an endpoint',
    })
  if (!dryRun) {
    await rollBack(await updaterOf(context, endpoints, region, aws, force), endpoint, config, previous)
    await run.store.remove(paths.endpoint)
  }
  return {
    json: { run: run.id, dryRun, endpoint, region, from: config, config: previous },
    text: facts([
      ['endpoint', `${endpoint} in ${region}`],
      [dryRun ? 'would serve' : 'serves', previous],
      ['instead of', `${config}, which is kept: ${nextCommand('deploy', run)} brings it back`],
    ]),
  }
}
