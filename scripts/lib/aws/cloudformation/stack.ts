import {
  type CloudFormationClient,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  DetectStackResourceDriftCommand,
  paginateDescribeStackEvents,
} from '@aws-sdk/client-cloudformation'
import { messageOf, UserError } from '../../cli/errors.ts'
import { urisOfObjects } from '../arn.ts'
import { detailsOf, explained, explaining } from '../errors.ts'
import type { AwsSettings } from '../settings.ts'

/** A stack as CloudFormation describes it. */
export interface Stack {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly reason: string | undefined
  readonly outputs: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
  /** When it was made, or changed last. */
  readonly changed: Date | undefined
}

export interface StackEvent {
  readonly id: string
  readonly time: Date
  /** Logical id in the template; of the stack's own events its name. */
  readonly resource: string
  readonly type: string
  readonly status: string
  readonly reason: string | undefined
}

/** What is asked of CloudFormation about a stack, by its name or its id, for messages. */
export function asked(operation: string, stack: string) {
  const [, name = stack] = /:stack\/([^/]+)/.exec(stack) ?? []
  return {
    what: `stack ${name}`,
    action: `cloudformation:${operation}`,
    resource: `arn:aws:cloudformation:*:*:stack/${name}/*`,
  }
}

/** @returns undefined when there is no such stack. @throws UserError when it cannot be asked about */
export async function findStack(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }))
    const [found] = Stacks
    if (found === undefined) return undefined
    return {
      id: found.StackId ?? name,
      name: found.StackName ?? name,
      status: found.StackStatus ?? '',
      reason: found.StackStatusReason,
      outputs: Object.fromEntries(
        (found.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
      ),
      parameters: Object.fromEntries(
        (found.Parameters ?? []).map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]),
      ),
      changed: found.LastUpdatedTime ?? found.CreationTime,
    }
  } catch (error) {
    const { code, message } = detailsOf(error)
    if (code === 'ValidationError' && /does not exist/.test(message)) return undefined
    throw explained(error, asked('DescribeStacks', name))
  }
}

/** The region that a client asks. @throws UserError when none is configured */
export async function regionOfClient(client: CloudFormationClient): Promise<string> {
  try {
    return await client.config.region()
  } catch (error) {
    throw new UserError(`no AWS region (${messageOf(error)})`, {
      hint: 'name one with --aws-region, or set AWS_REGION',
      exitCode: 2,
    })
  }
}

const USABLE = /^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE$/

/** Whether a stack stands as it was last made: an update that was rolled back leaves the one before. */
export const isUsable = ({ status }: Pick<Stack, 'status'>): boolean => USABLE.test(status)

export const isMoving = ({ status }: Pick<Stack, 'status'>): boolean =>
  status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS'

/** Outputs of a stack, from the settings of a script, and `Logs`: where logs may be read. @throws UserError as `stackOutputs` */
export async function outputsOfStack(name: string, settings: AwsSettings): Promise<Stack['outputs']> {
  const { cloudFormationClient } = await import('../clients.ts')
  const client = await cloudFormationClient(settings, settings.awsRegion)
  try {
    const outputs = await stackOutputs(client, name)
    const objects = [outputs.LogsObjectArns, outputs.LakeObjectArns].flatMap((arns) => arns ?? [])
    return objects.length === 0 ? outputs : { ...outputs, Logs: urisOfObjects(objects.join()).join() }
  } finally {
    client.destroy()
  }
}

/** Outputs of a stack that others take their settings from. @throws UserError when there is none, or it is not finished */
async function stackOutputs(client: CloudFormationClient, name: string): Promise<Stack['outputs']> {
  const region = await regionOfClient(client)
  const stack = await findStack(client, name)
  if (stack === undefined)
    throw new UserError(`there is no stack ${name} in ${region}`, {
      hint: 'npx zx scripts/setup.mjs makes one; or name another --stack, --profile or --aws-region',
      exitCode: 2,
    })
  if (isUsable(stack)) return stack.outputs
  throw new UserError(`stack ${name} in ${region} is not finished: ${stack.status}`, {
    hint: `npx zx scripts/setup.mjs --stack ${name} waits for it, or says what is wrong`,
  })
}

/** Events of a stack that came after one that is known, oldest first. */
export async function eventsAfter(
  client: CloudFormationClient,
  stack: string,
  known: string | undefined,
): Promise<StackEvent[]> {
  const read = async () => {
    const events: StackEvent[] = []
    for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: stack }))
      for (const event of StackEvents) {
        if (event.EventId === known) return events.reverse()
        events.push({
          id: event.EventId ?? '',
          time: event.Timestamp ?? new Date(0),
          resource: event.LogicalResourceId ?? '',
          type: event.ResourceType ?? '',
          status: event.ResourceStatus ?? '',
          reason: event.ResourceStatusReason,
        })
      }
    return events.reverse()
  }
  return explaining(read(), asked('DescribeStackEvents', stack))
}

/** What went wrong first: the rest of the failures only follow from it. */
export const causeOf = (events: readonly StackEvent[]): StackEvent | undefined =>
  events.find(
    ({ status, reason = '' }) => status.endsWith('_FAILED') && !/cancelled|^The following resource/i.test(reason),
  )

export interface StackResource {
  /** Logical id in the template. */
  readonly resource: string
  readonly type: string
  readonly status: string
  readonly reason: string | undefined
}

/** What a stack is made of; 100 of it at most. @throws UserError when it cannot be asked about */
export async function resourcesOfStack(client: CloudFormationClient, stack: string): Promise<StackResource[]> {
  const { StackResources = [] } = await client
    .send(new DescribeStackResourcesCommand({ StackName: stack }))
    .catch(rethrow('DescribeStackResources', stack))
  return StackResources.map(({ LogicalResourceId = '', ResourceType = '', ResourceStatus, ResourceStatusReason }) => ({
    resource: LogicalResourceId,
    type: ResourceType,
    status: ResourceStatus ?? '',
    reason: ResourceStatusReason,
  }))
}

/** How a resource is, beside what its stack made it. */
export interface Drift {
  readonly status: 'as made' | 'changed' | 'deleted' | 'unknown'
  /** Paths of properties that were changed: `/Policies/0/PolicyDocument`. */
  readonly changed: readonly string[]
}

const DRIFTS: Readonly<Record<string, Drift['status']>> = {
  IN_SYNC: 'as made',
  MODIFIED: 'changed',
  DELETED: 'deleted',
}

/** Has CloudFormation look at one resource, which it does in the name of the caller. @throws UserError when it cannot be asked about */
export async function driftOf(client: CloudFormationClient, stack: string, resource: string): Promise<Drift> {
  const { StackResourceDrift: drift } = await client
    .send(new DetectStackResourceDriftCommand({ StackName: stack, LogicalResourceId: resource }))
    .catch(rethrow('DetectStackResourceDrift', stack))
  return {
    status: DRIFTS[drift?.StackResourceDriftStatus ?? ''] ?? 'unknown',
    changed: (drift?.PropertyDifferences ?? []).map(({ PropertyPath = '' }) => PropertyPath),
  }
}

/** Explains what a call about a stack has thrown. */
export const rethrow = (operation: string, stack: string) => (error: unknown) => {
  throw explained(error, asked(operation, stack))
}
