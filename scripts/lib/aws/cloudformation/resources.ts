import {
  type CloudFormationClient,
  DescribeStackResourcesCommand,
  DetectStackResourceDriftCommand,
} from '@aws-sdk/client-cloudformation'
import { explained } from '../errors.ts'
import { asked } from './stack.ts'

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

const rethrow = (operation: string, stack: string) => (error: unknown) => {
  throw explained(error, asked(operation, stack))
}
