import {
  type CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetCommandInput,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  type ResourceChange,
} from '@aws-sdk/client-cloudformation'
import { UserError } from '../../cli/errors.ts'
import type { Waiting } from '../../cli/host.ts'
import { detailsOf, explained } from '../errors.ts'
import { asked, causeOf, eventsAfter, findStack, isMoving, rethrow, type Stack, type StackEvent } from './stack.ts'

/** What a stack is to become. */
export interface DesiredStack {
  readonly stack: string
  /** Undefined to create it. */
  readonly existing: Stack | undefined
  readonly template: string
  /** By name; undefined keeps what the stack has. */
  readonly parameters: Readonly<Record<string, string | undefined>>
  /** Whether what was changed or deleted outside of the stack is made again as the template says. */
  readonly restore: boolean
  readonly tags: Readonly<Record<string, string>>
  /** Names the change set; the same desired stack has the same. */
  readonly name: string
}

/** One resource that is added, changed or taken away. */
export interface Change {
  readonly action: 'Add' | 'Modify' | 'Remove'
  readonly resource: string
  readonly type: string
  readonly physical: string | undefined
  /** Whether the change makes a new one in place of the old. */
  readonly replaced: 'yes' | 'perhaps' | 'no'
  /** Removed from the stack, but not deleted. */
  readonly kept: boolean
  /** Names of what is changed. */
  readonly details: readonly string[]
}

export interface ChangeSet {
  readonly id: string
  readonly stack: string
  readonly creates: boolean
  readonly changes: readonly Change[]
}

interface Polling extends Waiting {
  /** Milliseconds between two looks. */
  readonly poll: number
}

/**
 * Has CloudFormation work out what reaching the desired stack changes. A set without changes of resources changes outputs alone.
 * @returns undefined when nothing would change. @throws UserError when refused
 */
export async function proposeChanges(
  client: CloudFormationClient,
  desired: DesiredStack,
  wait: Polling,
): Promise<ChangeSet | undefined> {
  const { stack, name } = desired
  const id = await create(client, desired, wait)
  const changes: Change[] = []
  let NextToken: string | undefined
  for (;;) {
    const page = await client
      .send(new DescribeChangeSetCommand({ StackName: stack, ChangeSetName: id, ...(NextToken && { NextToken }) }), {
        abortSignal: wait.signal,
      })
      .catch(rethrow('DescribeChangeSet', stack))
    const { Status, StatusReason = '' } = page
    if (Status === 'FAILED') {
      await discard(client, { id, stack, creates: desired.existing === undefined })
      if (/didn't contain changes|No updates are to be performed/.test(StatusReason)) return undefined
      throw new UserError(`stack ${stack}: CloudFormation does not take the change set ${name}: ${StatusReason}`)
    }
    if (Status !== 'CREATE_COMPLETE') {
      await wait.sleep(wait.poll)
      continue
    }
    changes.push(...(page.Changes ?? []).map(({ ResourceChange = {} }) => changeOf(ResourceChange)))
    NextToken = page.NextToken
    if (NextToken === undefined) return { id, stack, creates: desired.existing === undefined, changes }
  }
}

async function create(client: CloudFormationClient, desired: DesiredStack, wait: Polling): Promise<string> {
  const { stack, existing, template, parameters, restore, tags, name } = desired
  const input: CreateChangeSetCommandInput = {
    StackName: stack,
    ChangeSetName: name,
    ChangeSetType: existing === undefined ? 'CREATE' : 'UPDATE',
    TemplateBody: template,
    Capabilities: ['CAPABILITY_IAM'],
    ...(restore && existing !== undefined && { DeploymentMode: 'REVERT_DRIFT' }),
    Parameters: Object.entries(parameters).map(([ParameterKey, value]) => ({
      ParameterKey,
      ...(value === undefined ? { UsePreviousValue: true } : { ParameterValue: value }),
    })),
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  }
  try {
    return (await client.send(new CreateChangeSetCommand(input))).Id ?? name
  } catch (error) {
    // An interrupted setup left one of this name.
    if (detailsOf(error).code !== 'AlreadyExistsException') throw refused(error, stack)
    await clearAway(client, stack, name, wait)
    return (await client.send(new CreateChangeSetCommand(input)).catch(rethrow('CreateChangeSet', stack))).Id ?? name
  }
}

const MOST_TRIES = 60

/** Takes a change set away that CloudFormation may still be at work on, which keeps it. */
async function clearAway(client: CloudFormationClient, stack: string, name: string, wait: Polling): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      await client.send(new DeleteChangeSetCommand({ StackName: stack, ChangeSetName: name }))
      return
    } catch (error) {
      if (detailsOf(error).code !== 'InvalidChangeSetStatus' || tries === MOST_TRIES)
        throw explained(error, asked('DeleteChangeSet', stack))
      await wait.sleep(wait.poll)
    }
}

/** CloudFormation's own words about a template or a parameter are clear. */
function refused(error: unknown, stack: string): unknown {
  const { code, message } = detailsOf(error)
  if (code !== 'ValidationError') return explained(error, asked('CreateChangeSet', stack))
  return new UserError(`stack ${stack}: ${message}`, { exitCode: 2, cause: error })
}

function changeOf(change: ResourceChange): Change {
  const { Action, LogicalResourceId = '', ResourceType = '', PhysicalResourceId, Replacement, PolicyAction } = change
  return {
    action: Action === 'SyncWithActual' ? 'Modify' : Action === 'Modify' || Action === 'Remove' ? Action : 'Add',
    resource: LogicalResourceId,
    type: ResourceType,
    physical: PhysicalResourceId,
    replaced: ({ True: 'yes', Conditional: 'perhaps', False: 'no' } as const)[Replacement ?? 'False'],
    kept: /^Retain/.test(PolicyAction ?? ''),
    details: [...new Set((change.Details ?? []).flatMap(({ Target }) => Target?.Name ?? Target?.Attribute ?? []))],
  }
}

export async function executeChanges(client: CloudFormationClient, { id, stack }: ChangeSet): Promise<void> {
  await client
    .send(new ExecuteChangeSetCommand({ StackName: stack, ChangeSetName: id }))
    .catch(rethrow('ExecuteChangeSet', stack))
}

/** Takes a change set away, and with it the empty stack that one to create it has left. */
export async function discard(
  client: CloudFormationClient,
  { id, stack, creates }: Pick<ChangeSet, 'id' | 'stack' | 'creates'>,
): Promise<void> {
  if (creates) return deleteStack(client, stack)
  await client
    .send(new DeleteChangeSetCommand({ StackName: stack, ChangeSetName: id }))
    .catch(rethrow('DeleteChangeSet', stack))
}

export async function deleteStack(client: CloudFormationClient, stack: string): Promise<void> {
  await client.send(new DeleteStackCommand({ StackName: stack })).catch(rethrow('DeleteStack', stack))
}

export interface Watching extends Waiting {
  /** Milliseconds between two looks. */
  readonly poll: number
  onEvent(event: StackEvent): void
}

/** Id of the newest event of a stack, to watch what comes after it. */
export const newestEvent = async (client: CloudFormationClient, stack: string): Promise<string | undefined> =>
  (await eventsAfter(client, stack, undefined)).at(-1)?.id

/**
 * Waits until a stack stands still. An abort ends the wait alone: CloudFormation goes on.
 * @returns how it ended, and what happened meanwhile
 */
export async function settled(
  client: CloudFormationClient,
  id: string,
  after: string | undefined,
  { poll, sleep, onEvent }: Watching,
): Promise<{ stack: Stack | undefined; events: StackEvent[] }> {
  const events: StackEvent[] = []
  for (let newest = after; ; ) {
    const stack = await findStack(client, id)
    const fresh = stack === undefined ? [] : await eventsAfter(client, id, newest)
    for (const event of fresh) onEvent(event)
    events.push(...fresh)
    newest = fresh.at(-1)?.id ?? newest
    if (stack === undefined || !isMoving(stack)) return { stack, events }
    await sleep(poll)
  }
}

/** The first failure, in CloudFormation's words. @param removal the command that deletes such a stack */
export function stackFailure(
  stack: Pick<Stack, 'name' | 'status' | 'reason'>,
  events: readonly StackEvent[],
  removal = `npx zx scripts/setup.mjs --stack ${stack.name} --delete`,
): UserError {
  const cause = causeOf(events)
  const why =
    cause === undefined
      ? (stack.reason ?? 'it does not say why')
      : `${cause.resource} (${cause.type}) ${cause.status}: ${cause.reason ?? 'without a reason'}`
  return new UserError(`stack ${stack.name} is ${stack.status}: ${why}`, { hint: nextAfter(stack, removal) })
}

function nextAfter({ name, status }: Pick<Stack, 'name' | 'status'>, removal: string): string {
  if (/^(ROLLBACK|CREATE_FAILED|DELETE_FAILED)/.test(status))
    return `it was never whole and can only be deleted: ${removal}, then set up again`
  if (status === 'UPDATE_ROLLBACK_COMPLETE') return 'it is as it was before; set up again when the cause is gone'
  return `look at it: aws cloudformation describe-stack-events --stack-name ${name}`
}
