import { sagemakerClient } from '../../lib/aws/clients.ts'
import { Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { RUN_TAG, WORKSPACE_TAG } from '../../lib/aws/sagemaker/names.ts'
import { sleepOf } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { Run } from '../../lib/runs/run.ts'
import { openRun } from '../../lib/runs/workspace.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'

/** The run that is in service at an endpoint, according to its tags. @throws UserError when prestage has not made it */
export async function runAtEndpoint(name: string, region: string, aws: AwsSettings): Promise<Run> {
  const host = { signal: aws.signal ?? new AbortController().signal, sleep: sleepOf(aws) }
  const endpoints = new Endpoints(await sagemakerClient(aws, region), host)
  const found = await endpoints.look(name)
  if (found === undefined)
    throw new UserError(`there is no endpoint ${name} in ${region}`, { hint: 'npx zx scripts/deploy.mjs makes one' })
  const tags = await endpoints.tags(found.EndpointArn ?? '')
  const [workspace, id] = [tags[WORKSPACE_TAG], tags[RUN_TAG]]
  if (workspace === undefined || id === undefined)
    throw new UserError(`endpoint ${name} was not made by prestage, so the entities that its model knows are unknown`, {
      hint: 'name the --model that it serves',
    })
  return openRun(workspace, id, aws)
}
