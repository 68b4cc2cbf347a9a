import type { Change, ChangeSet, DesiredStack } from '../lib/aws/cloudformation/change-set.ts'
import type { Stack, StackEvent } from '../lib/aws/cloudformation/stack.ts'
import type { AwsSettings } from '../lib/aws/settings.ts'
import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { plural } from '../lib/cli/format.ts'
import { changeSetName, type Parameters } from './parameters.ts'

/** CloudFormation, with all that a step of setup needs of it. */
export async function openStack(name: string, settings: AwsSettings, poll: number, context: Context) {
  const [{ cloudFormationClient }, stacks, sets] = await Promise.all([
    import('../lib/aws/clients.ts'),
    import('../lib/aws/cloudformation/stack.ts'),
    import('../lib/aws/cloudformation/change-set.ts'),
  ])
  const client = await cloudFormationClient(settings, settings.awsRegion)
  const region = await stacks.regionOfClient(client)
  const { signal, sleep, talk } = context
  const watching = { poll, signal, sleep, onEvent: (event: StackEvent) => talk.info(eventText(event)) }
  return {
    name,
    region,
    find: (id = name) => stacks.findStack(client, id),
    isUsable: stacks.isUsable,
    isMoving: stacks.isMoving,
    events: (id = name) => stacks.eventsAfter(client, id, undefined),
    resources: (id = name) => stacks.resourcesOfStack(client, id),
    drift: (resource: string, id = name) => stacks.driftOf(client, id, resource),
    newest: (id = name) => sets.newestEvent(client, id),
    settled: (id: string, after?: string) => sets.settled(client, id, after, watching),
    stackFailure: sets.stackFailure,
    propose: (desired: Omit<DesiredStack, 'stack'>) =>
      sets.proposeChanges(client, { ...desired, stack: name }, { poll, signal, sleep }),
    execute: (set: ChangeSet) => sets.executeChanges(client, set),
    discard: (set: ChangeSet) => sets.discard(client, set),
    remove: (id: string) => sets.deleteStack(client, id),
  }
}

export type OpenStack = Awaited<ReturnType<typeof openStack>>

const eventText = ({ time, resource, status, reason }: StackEvent): string =>
  `${time.toISOString().slice(11, 19)} ${resource} ${status}${reason === undefined ? '' : `: ${reason}`}`

/** The stack once it has stopped changing; undefined if there is none. @throws UserError when it can only be deleted */
export async function currentStack(stack: OpenStack, talk: Context['talk']): Promise<Stack | undefined> {
  let found = await stack.find()
  if (found !== undefined && stack.isMoving(found)) {
    talk.info(`stack ${stack.name} is ${found.status}: waiting for it`)
    found = (await stack.settled(found.id, await stack.newest(found.id))).stack
  }
  // An interrupted setup: nothing but its change set is there.
  if (found === undefined || found.status === 'REVIEW_IN_PROGRESS' || found.status === 'DELETE_COMPLETE')
    return undefined
  if (stack.isUsable(found)) return found
  throw stack.stackFailure(found, await stack.events(found.id))
}

export interface Setting {
  readonly stack: OpenStack
  readonly existing: Stack | undefined
  readonly template: string
  readonly parameters: Parameters
  /** Whether what was changed or deleted outside of the stack goes back to what the template says. */
  readonly restore: boolean
  readonly tags: Readonly<Record<string, string>>
  readonly dryRun: boolean
  /** Lines of the plan that follow the changes. */
  readonly after: readonly string[]
  /** What must be there before the stack is made: done once the plan is approved. */
  prepare?(): Promise<void>
}

/** Creates or updates the stack by a change set that is shown and approved first. Undefined when only shown. */
export async function setUp(context: Context, setting: Setting) {
  const { stack, existing, template, parameters, restore, tags, dryRun, after } = setting
  context.talk.info(`asking CloudFormation what would change in stack ${stack.name}, ${stack.region}`)
  const name = changeSetName(template, parameters)
  const set = await stack.propose({ existing, template, parameters, restore, tags, name })
  if (set === undefined) return { changes: undefined, stack: existing, plan: [] }
  const plan = [
    `${existing === undefined ? 'create' : 'update'} stack ${stack.name} in ${stack.region}`,
    ...(set.changes.length === 0 ? ['  ~ outputs of the stack'] : changeLines(set.changes)),
    ...after,
  ]
  if (dryRun) {
    await stack.discard(set)
    return { changes: set.changes, stack: undefined, plan }
  }
  try {
    await context.approve({ action: plan[0] ?? '', plan, kind: 'spend' })
  } catch (error) {
    await stack.discard(set)
    throw error
  }
  await setting.prepare?.()
  const id = (await stack.find())?.id ?? stack.name
  const newest = await stack.newest(id)
  await stack.execute(set)
  const ended = await stack.settled(id, newest)
  if (ended.stack === undefined) throw new UserError(`stack ${stack.name} is gone: somebody has deleted it`)
  if (!stack.isUsable(ended.stack) || ended.stack.status.includes('ROLLBACK'))
    throw stack.stackFailure(ended.stack, ended.events)
  return { changes: set.changes, stack: ended.stack, plan }
}

/** A stack that is to go, by what it is called in the plan. */
export interface Removal {
  readonly stack: OpenStack
  readonly found: Stack
}

/** Deletes a stack and waits until it is gone. @throws UserError when something of it cannot be deleted */
export async function removeStack({ stack, found }: Removal): Promise<void> {
  const newest = await stack.newest(found.id)
  await stack.remove(found.id)
  const ended = await stack.settled(found.id, newest)
  if (ended.stack !== undefined && ended.stack.status !== 'DELETE_COMPLETE')
    throw stack.stackFailure(ended.stack, ended.events)
}

/** What `takeDown` does beside its own. */
export interface TakingDown {
  readonly dryRun: boolean
  /** Goes before the stack, whose policies it uses. */
  readonly first: Removal | undefined
  /** Lines of the plan that follow. */
  readonly after: readonly string[]
}

/** Deletes the stack, after its name was typed. @returns undefined when there is none */
export async function takeDown(context: Context, stack: OpenStack, { dryRun, first, after }: TakingDown) {
  const found = await stack.find()
  if (found === undefined) return undefined
  const bucket = found.outputs.StagingBucket
  const stays = bucket === undefined ? 'a staging bucket' : `bucket ${bucket}`
  const plan = [
    `delete stack ${stack.name} in ${stack.region}: its roles, policies, workgroup, saved queries and database`,
    ...(first === undefined ? [] : [`  before it stack ${first.stack.name}: its schedule, role and topic`]),
    `  ${stays} stays, with all runs in it, and so does a KMS key of the stack: they are yours to delete`,
    ...(bucket === undefined ? [] : [`  to empty and delete it: aws s3 rb --force s3://${bucket}`]),
    ...after,
  ]
  if (dryRun) return { plan, bucket }
  await context.approve({ action: `delete stack ${stack.name}`, plan, kind: 'delete', typed: stack.name })
  if (first !== undefined) await removeStack(first)
  await removeStack({ stack, found })
  return { plan, bucket }
}

/** What a resource is, for people. */
const WORDS: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'bucket',
  'AWS::S3::BucketPolicy': 'policy of the bucket',
  'AWS::IAM::Role': 'role',
  'AWS::IAM::ManagedPolicy': 'policy',
  'AWS::KMS::Key': 'KMS key',
  'AWS::Athena::WorkGroup': 'Athena workgroup',
  'AWS::Athena::NamedQuery': 'saved query',
  'AWS::Glue::Database': 'Glue database',
  'AWS::CodeBuild::Project': 'CodeBuild project',
  'AWS::Scheduler::Schedule': 'schedule',
  'AWS::SNS::Topic': 'SNS topic',
  'AWS::SNS::TopicPolicy': 'policy of the topic',
  'AWS::SNS::Subscription': 'subscription by e-mail',
  'AWS::Events::Rule': 'EventBridge rule',
  'AWS::CloudWatch::Alarm': 'CloudWatch alarm',
  'AWS::Logs::LogGroup': 'log group',
}

const wordOf = (type: string): string => WORDS[type] ?? type

/** A change in plain words. */
export function changeText(change: Change): string {
  const { action, resource, type, physical, replaced, kept, details } = change
  const what = `${wordOf(type)} ${resource}`
  const named = physical === undefined ? '' : ` (${physical})`
  const about = details.length === 0 ? '' : `: ${details.join(', ')}`
  if (action === 'Add') return `  + ${what}`
  if (action === 'Remove')
    return kept
      ? `  - ${what}${named} leaves the stack and stays as it is`
      : `  - ${what}${named} is DELETED${lossOf(type)}`
  if (replaced === 'no') return `  ~ ${what}${about}`
  const how = replaced === 'yes' ? 'is REPLACED' : 'may be REPLACED'
  return `  ! ${what}${named} ${how} by a new one${about}${lossOf(type)}`
}

/** What goes with a resource. */
const lossOf = (type: string): string =>
  ({
    'AWS::S3::Bucket': '; runs stay in the old one, where nothing looks for them',
    'AWS::Glue::Database': '; its tables go, and are made again when they are needed',
    'AWS::Athena::WorkGroup': '; its history of queries goes',
    'AWS::KMS::Key': '; what it has encrypted can be read only while the old one is kept',
  })[type] ?? ''

/** The saved queries are many and alike. */
export function changeLines(changes: readonly Change[]): string[] {
  const isQuery = ({ type, action }: Change) => type === 'AWS::Athena::NamedQuery' && action !== 'Remove'
  const queries = changes.filter(isQuery)
  const lines = changes.filter((change) => !isQuery(change)).map(changeText)
  const word = queries.every(({ action }) => action === 'Add') ? '+' : '~'
  return queries.length === 0
    ? lines
    : [...lines, `  ${word} ${plural(queries.length, 'saved query', 'saved queries')} of Athena`]
}
