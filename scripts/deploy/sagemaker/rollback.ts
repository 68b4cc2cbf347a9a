import { RUN_TAG, SCALING_TAG } from '../../lib/aws/sagemaker/names.ts'
import { cliFlags } from '../../lib/aws/sagemaker/options.ts'
import type { CommandResult } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { facts } from '../../lib/cli/format.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { paths } from '../../lib/runs/paths.ts'
import { answers } from './trial.ts'
import { type DeployStep, goBack, refuseServerless, resumeScaling, updaterOf } from './update.ts'

/** `deploy --rollback`: returns to the configuration that the run's model has replaced. */
export async function rollBack(step: DeployStep): Promise<CommandResult> {
  const { run, options } = step
  const { endpoint, region, config, previous } = run.resultBy('sagemaker', 'deploy')
  if (previous === null)
    throw new UserError(`run ${run.id}: nothing was in service at ${endpoint} before it`, {
      hint: 'clean removes an endpoint',
    })
  await restore(step, { from: config, to: previous })
  if (!options.dryRun) await run.store.remove(paths.endpoint)
  return {
    json: { run: run.id, dryRun: options.dryRun, endpoint, region, from: config, config: previous },
    text: facts([
      ['endpoint', `${endpoint} in ${region}`],
      [options.dryRun ? 'would serve' : 'serves', previous],
      ['instead of', `${config}, which is kept: ${nextCommand('deploy', run)} restores it`],
    ]),
  }
}

/** When the earlier configuration is in service already, only scaling and tags are corrected. A dry run only checks. */
async function restore(step: DeployStep, { from, to }: { from: string; to: string }): Promise<void> {
  const { run, endpoints, options, aws } = step
  const { endpoint, region } = run.resultBy('sagemaker', 'deploy')
  const now = options.dryRun ? await endpoints.look(endpoint) : await endpoints.settled(endpoint)
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
  const { [RUN_TAG]: owner, [SCALING_TAG]: _, ...tags } = await endpoints.tags(kept.EndpointConfigArn ?? '')
  await refuseServerless(endpoints, endpoint, {
    from: current,
    toServerless: kept.ProductionVariants?.[0]?.ServerlessConfig !== undefined,
    hint: `delete it, and deploy the earlier run again:\n  aws sagemaker delete-endpoint --endpoint-name ${endpoint}${cliFlags(region, aws)}\n  npx zx scripts/deploy.mjs --workspace ${run.workspace} --run ${owner}`,
  })
  if (options.dryRun) return
  const updater = await updaterOf(step)
  if (current !== to) await goBack(updater, endpoint, { from, to })
  else await resumeScaling(updater, endpoint, to)
  await answers(await updater.invoke(endpoint, to))
  if (owner === undefined) return
  const all = Object.entries({ [RUN_TAG]: owner, ...tags })
  await endpoints.tag(
    now.EndpointArn ?? '',
    all.map(([Key, Value]) => ({ Key, Value })),
  )
}
