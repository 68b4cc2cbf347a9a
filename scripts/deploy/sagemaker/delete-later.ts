import type { EndpointState } from '../../lib/aws/sagemaker/endpoints.ts'
import { duration, utc } from '../../lib/cli/format.ts'
import { noteSagemakerEndpoint, type SageMakerRecord, sagemakerNoteOf } from '../../lib/runs/endpoint.ts'
import { costText, type PrintedResult } from './render.ts'
import { type DeployStep, updaterOf } from './update.ts'

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
    `endpoint ${sagemaker} is deleted at ${utc(until)}, in ${duration(ms)}, or at once on Ctrl-C; until then it costs ${costText(spec.hardware, step.options.autoscale)}`,
  )
  await sleep(ms).catch(() => {})
  // The alarms of its scaling are paid for, too.
  if ('instances' in spec.hardware) await (await updaterOf(step)).scaling.end(sagemaker)
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
