import { RUN_TAG } from '../../lib/aws/sagemaker/jobs.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { standAside, type Updater, updated } from './update.ts'

/**
 * Goes back to a configuration that was in service before. When it is in service already, only its owner is put right.
 * @param from the configuration that is expected in service
 */
export async function rollBack(updater: Updater, endpoint: string, from: string, to: string): Promise<void> {
  const { endpoints } = updater
  const now = await endpoints.settled(endpoint)
  if (now === undefined) throw new UserError(`there is no endpoint ${endpoint}`, { hint: 'deploy makes it' })
  const is = now.EndpointConfigName
  if (is !== from && is !== to)
    throw new UserError(`endpoint ${endpoint} serves ${is}, which another run brought into service`, {
      hint: 'name that run with --run; its own deploy is what can be taken back',
    })
  const kept = await endpoints.configOf(to)
  if (kept === undefined)
    throw new UserError(`configuration ${to} is gone: ${endpoint} cannot go back to it`, {
      hint: 'deploy the run that it came from again',
    })
  if (is !== to) {
    await standAside(updater, endpoint, from)
    await endpoints.update(endpoint, to)
    await updated(updater, endpoint, to)
  }
  await updater.smoke(updater.invoke(endpoint))
  const { [RUN_TAG]: run, ...tags } = await endpoints.tags(kept.EndpointConfigArn ?? '')
  if (run !== undefined)
    await endpoints.claim(
      now.EndpointArn ?? '',
      Object.entries({ [RUN_TAG]: run, ...tags }).map(([Key, Value]) => ({ Key, Value })),
    )
}
