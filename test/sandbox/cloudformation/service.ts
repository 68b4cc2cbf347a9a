import * as client from '@aws-sdk/client-cloudformation'
import { AwsError, type Incoming, type Service } from '../http.ts'
import { queryService } from '../query-service.ts'
import type { Caller } from '../s3/state.ts'
import type { Node } from '../xml.ts'
import { parametersOf } from './changes.ts'
import type { CloudFormation } from './cloudformation.ts'
import { driftAnswer, resourceAnswer } from './parts.ts'
import { type Change, type ChangeSet, type Event, type Stack, same, type Target } from './stack.ts'
import { type Json, parseTemplate } from './template.ts'

interface Named {
  readonly StackName: string
  readonly ChangeSetName?: string
}

interface ChangeSetRequest extends Required<Named> {
  readonly TemplateBody?: string
  readonly ChangeSetType?: 'CREATE' | 'UPDATE'
  readonly Parameters?: readonly { ParameterKey: string; ParameterValue?: string; UsePreviousValue?: boolean }[]
  readonly Capabilities?: readonly string[]
  readonly Tags?: Target['tags']
  readonly DeploymentMode?: 'REVERT_DRIFT'
}

interface Looked extends Named {
  readonly LogicalResourceId?: string
}

const refuse = (message: string, code = 'ValidationError') => new AwsError(code, 400, message)

/** CloudFormation: change sets, events and failures; the resources of a stack really exist in the sandbox. */
export function cloudFormationService(cloud: CloudFormation, identify: (request: Incoming) => Caller): Service {
  const changeSetOf = ({ StackName, ChangeSetName = '' }: Named): [Stack, ChangeSet] => {
    const stack = cloud.stack(StackName)
    const found = [...stack.changeSets.values()].find(({ id, name }) => id === ChangeSetName || name === ChangeSetName)
    if (found === undefined) throw refuse(`ChangeSet [${ChangeSetName}] does not exist`, 'ChangeSetNotFound')
    return [stack, found]
  }

  const operations: Record<string, (input: never, caller: Caller) => Record<string, Node>> = {
    CreateChangeSet: (request: ChangeSetRequest) => {
      const type = request.ChangeSetType ?? 'UPDATE'
      const stack = stackFor(cloud, request.StackName, type)
      const target = targetOf(stack, request)
      if (/"AWS::IAM::/.test(JSON.stringify(target.template)) && !/IAM/.test(request.Capabilities?.join() ?? ''))
        throw refuse('Requires capabilities : [CAPABILITY_IAM]', 'InsufficientCapabilitiesException')
      if ([...stack.changeSets.values()].some(({ name }) => name === request.ChangeSetName))
        throw refuse(`ChangeSet ${request.ChangeSetName} already exists`, 'AlreadyExistsException')
      const changes = cloud.changes(stack, target, request.DeploymentMode === 'REVERT_DRIFT')
      const changeSet: ChangeSet = {
        id: cloud.arn('changeSet', request.ChangeSetName),
        name: request.ChangeSetName,
        type,
        target,
        changes,
        isEmpty: changes.length === 0 && same(stack.target.template.Outputs as Json, target.template.Outputs as Json),
        created: cloud.s3.now(),
        status: 'CREATE_PENDING',
        execution: 'UNAVAILABLE',
        reason: undefined,
      }
      stack.changeSets.set(changeSet.id, changeSet)
      return { Id: changeSet.id, StackId: stack.id }
    },
    DescribeChangeSet: (named: Named) => {
      const [stack, changeSet] = changeSetOf(named)
      moveOn(changeSet)
      return changeSetAnswer(stack, changeSet)
    },
    ExecuteChangeSet: (named: Named) => {
      const [stack, changeSet] = changeSetOf(named)
      if (changeSet.execution !== 'AVAILABLE')
        throw refuse(
          `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`,
          'InvalidChangeSetStatus',
        )
      changeSet.execution = 'EXECUTE_COMPLETE'
      cloud.execute(stack, changeSet)
      stack.changeSets.clear()
      return {}
    },
    DeleteChangeSet: (named: Named) => {
      const [stack, changeSet] = changeSetOf(named)
      if (/PENDING|IN_PROGRESS/.test(changeSet.status)) {
        moveOn(changeSet)
        const { id, status } = changeSet
        throw refuse(
          `ChangeSet [${id}] cannot be deleted in its current status of [${status}]`,
          'InvalidChangeSetStatus',
        )
      }
      stack.changeSets.delete(changeSet.id)
      return {}
    },
    DescribeStacks: ({ StackName }: Named) => {
      const stack = cloud.stack(StackName)
      cloud.look(stack)
      return { Stacks: { member: [stackAnswer(stack)] } }
    },
    DescribeStackEvents: ({ StackName }: Named) => {
      const stack = cloud.stack(StackName)
      return { StackEvents: { member: [...stack.events].reverse().map((event) => eventAnswer(stack, event)) } }
    },
    DescribeStackResources: ({ StackName }: Named) => {
      const stack = cloud.stack(StackName)
      return { StackResources: { member: [...stack.made.keys()].map((id) => resourceAnswer(stack, id)) } }
    },
    DetectStackResourceDrift: ({ StackName, LogicalResourceId = '' }: Looked, caller: Caller) => {
      const stack = cloud.stack(StackName)
      if (!/^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$|^UPDATE_ROLLBACK_FAILED$/.test(stack.status))
        throw refuse(`Drift detection cannot be performed on stack [${stack.id}] while in ${stack.status} state`)
      return { StackResourceDrift: driftAnswer(cloud, stack, LogicalResourceId, caller) }
    },
    DeleteStack: ({ StackName }: Named) => {
      const stack = cloud.find(StackName)
      if (stack?.status === 'REVIEW_IN_PROGRESS') cloud.forget(stack)
      else if (stack !== undefined) cloud.delete(stack)
      return {}
    },
    GetTemplateSummary: ({ TemplateBody = '' }: ChangeSetRequest) => {
      const { Parameters = {} } = templateOf(TemplateBody)
      return { Parameters: { member: Object.keys(Parameters).map((ParameterKey) => ({ ParameterKey })) } }
    },
  }
  return queryService({
    name: 'cloudformation',
    version: '2010-05-15',
    namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    client,
    identify,
    resource: ({ StackName }) => String(StackName ?? ''),
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, perform]) => [
        name,
        (input: never, caller: Caller) => {
          cloud.authorize(caller, `cloudformation:${name}`, (input as Partial<Named>).StackName)
          return perform(input, caller)
        },
      ]),
    ),
  })
}

function stackFor(cloud: CloudFormation, name: string, type: 'CREATE' | 'UPDATE'): Stack {
  const stack = cloud.find(name)
  if (type === 'UPDATE') {
    if (stack === undefined) throw refuse(`Stack [${name}] does not exist`)
    if (!/(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(stack.status) || stack.status === 'ROLLBACK_COMPLETE')
      throw refuse(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`)
    return stack
  }
  if (stack !== undefined && stack.status !== 'REVIEW_IN_PROGRESS')
    throw refuse(`Stack [${name}] already exists and cannot be created again with the changeSet.`)
  return stack ?? cloud.add(name)
}

function templateOf(text: string) {
  if (Buffer.byteLength(text) > 51_200)
    throw refuse(
      "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
    )
  try {
    return parseTemplate(text)
  } catch (error) {
    throw refuse(`Template format error: ${String(error)}`)
  }
}

function targetOf(stack: Stack, { TemplateBody = '', Parameters = [], Tags = [] }: ChangeSetRequest): Target {
  const target: Target = { template: templateOf(TemplateBody), parameters: {}, tags: Tags }
  const given = Parameters.map(({ ParameterKey, ParameterValue, UsePreviousValue }): [string, string] => [
    ParameterKey,
    (UsePreviousValue ? stack.target.parameters[ParameterKey] : ParameterValue) ?? '',
  ])
  return { ...target, parameters: parametersOf(target, new Map(given)) }
}

/** The first look finds it pending, the second one in progress. */
function moveOn(changeSet: ChangeSet): void {
  if (changeSet.status === 'CREATE_PENDING') changeSet.status = 'CREATE_IN_PROGRESS'
  else if (changeSet.status === 'CREATE_IN_PROGRESS' && !changeSet.isEmpty) {
    changeSet.status = 'CREATE_COMPLETE'
    changeSet.execution = 'AVAILABLE'
  } else if (changeSet.status === 'CREATE_IN_PROGRESS') {
    changeSet.status = 'FAILED'
    changeSet.reason =
      "The submitted information didn't contain changes. Submit different information to create a change set."
  }
}

const parametersAnswer = (parameters: Readonly<Record<string, string>>): Node => ({
  member: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
})

const changeSetAnswer = (stack: Stack, changeSet: ChangeSet): Record<string, Node> => ({
  ChangeSetName: changeSet.name,
  ChangeSetId: changeSet.id,
  StackId: stack.id,
  StackName: stack.name,
  Parameters: parametersAnswer(changeSet.target.parameters),
  CreationTime: changeSet.created,
  ExecutionStatus: changeSet.execution,
  Status: changeSet.status,
  StatusReason: changeSet.reason,
  Changes: changeSet.status === 'CREATE_COMPLETE' ? { member: changeSet.changes.map(changeAnswer) } : undefined,
})

const changeAnswer = ({ action, id, type, physical, replacement, properties, policy }: Change): Node => ({
  Type: 'Resource',
  ResourceChange: {
    PolicyAction: policy,
    Action: action,
    LogicalResourceId: id,
    PhysicalResourceId: physical,
    ResourceType: type,
    Replacement: replacement,
    Details:
      properties.length === 0
        ? undefined
        : { member: properties.map((Name) => ({ Target: { Attribute: 'Properties', Name }, Evaluation: 'Static' })) },
  },
})

const stackAnswer = (stack: Stack): Node => ({
  StackId: stack.id,
  StackName: stack.name,
  Parameters: parametersAnswer(stack.target.parameters),
  CreationTime: stack.created,
  LastUpdatedTime: stack.updated,
  StackStatus: stack.status,
  StackStatusReason: stack.reason,
  Outputs: {
    member: Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
  },
  Tags: { member: stack.target.tags.map(({ Key, Value }) => ({ Key, Value })) },
})

const eventAnswer = ({ id, name }: Stack, event: Event): Node => ({
  StackId: id,
  EventId: event.id,
  StackName: name,
  LogicalResourceId: event.resource,
  PhysicalResourceId: event.physical,
  ResourceType: event.type,
  Timestamp: event.time,
  ResourceStatus: event.status,
  ResourceStatusReason: event.reason,
})
