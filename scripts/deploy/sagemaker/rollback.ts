import { RUN_TAG } from '../../lib/aws/sagemaker/names.ts'
import type { CommandResult } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { facts } from '../../lib/cli/format.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { paths } from '../../lib/runs/paths.ts'
import { allowUpdate, type DeployStep, updated, updaterOf } from './update.ts'

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
