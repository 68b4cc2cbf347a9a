import { DescribeEndpointCommand, ListTagsCommand } from '@aws-sdk/client-sagemaker'
import { sagemakerClient } from '../../lib/aws/clients.ts'
import { answered, ifThere, RUN_TAG, WORKSPACE_TAG } from '../../lib/aws/sagemaker/jobs.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { Run } from '../../lib/runs/run.ts'
import { openRun } from '../../lib/runs/workspace.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'

/** The run that is in service at an endpoint: its tags tell. @throws UserError when prestage has not made it */
export async function runAtEndpoint(EndpointName: string, region: string, aws: AwsSettings): Promise<Run> {
  const client = await sagemakerClient(aws, region)
  const about = (action: string) => ({
    what: `endpoint ${EndpointName}`,
    action: `sagemaker:${action}`,
    resource: `arn:aws:sagemaker:${region}:*:endpoint/${EndpointName}`,
  })
  const asked = ifThere(client.send(new DescribeEndpointCommand({ EndpointName })))
  const found = await answered(asked, about('DescribeEndpoint'))
  if (found === undefined)
    throw new UserError(`there is no endpoint ${EndpointName} in ${region}`, {
      hint: 'npx zx scripts/deploy.mjs makes one',
    })
  const listed = client.send(new ListTagsCommand({ ResourceArn: found.EndpointArn ?? '', MaxResults: 50 }))
  const { Tags = [] } = await answered(listed, about('ListTags'))
  const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]))
  const [workspace, id] = [tags.get(WORKSPACE_TAG), tags.get(RUN_TAG)]
  if (workspace === undefined || id === undefined)
    throw new UserError(
      `endpoint ${EndpointName} was not made by prestage: nobody knows which entities its model knows`,
      {
        hint: 'name the --model that it serves',
      },
    )
  return openRun(workspace, id, aws)
}
