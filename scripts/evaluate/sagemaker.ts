import { sagemakerRuntimeClient } from '../lib/aws/clients.ts'
import { invoker } from '../lib/aws/sagemaker/invoke.ts'
import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import type { Score } from '../lib/insights/evaluation.ts'
import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { nextCommand } from '../lib/runs/next.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'

/** The model of a run, asked through the endpoint that deploy made. @throws UserError when there is none */
export async function endpointScore(run: Run, { signal, sleep, now, talk }: Context, aws: AwsSettings): Promise<Score> {
  if (!run.isDone('deploy'))
    throw new UserError(`the model of run ${run.id} is in SageMaker, and no endpoint serves it`, {
      hint: nextCommand('deploy', run),
    })
  const { endpoint, region } = run.resultBy('sagemaker', 'deploy')
  const onRetry = (text: string) => talk.warn(text)
  const invoke = invoker(await sagemakerRuntimeClient(aws, region), endpoint, { signal, sleep, now, onRetry })
  return async (entities, entityIndex, ips) =>
    Float64Array.from(await invoke(Array.from(ips, (ip, i) => `${entities[entityIndex[i] ?? 0]},${formatIpv4(ip)}`)))
}
