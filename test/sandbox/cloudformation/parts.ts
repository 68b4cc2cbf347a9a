import { AwsError } from '../http.ts'
import type { Caller } from '../s3/state.ts'
import type { Node } from '../xml.ts'
import type { CloudFormation } from './cloudformation.ts'
import { attributeOf } from './real.ts'
import type { Made, Stack } from './stack.ts'

/** A resource of a stack, as its last event left it. */
export function resourceAnswer(stack: Stack, id: string): Node {
  const last = stack.events.findLast(({ resource }) => resource === id)
  const made = stack.made.get(id)
  return {
    StackName: stack.name,
    StackId: stack.id,
    LogicalResourceId: id,
    PhysicalResourceId: made?.physical,
    ResourceType: made?.type,
    Timestamp: last?.time,
    ResourceStatus: last?.status,
    ResourceStatusReason: last?.reason,
  }
}

/** What the handler of roles asks for when it reads one: "handlers" in the schema of AWS::IAM::Role. */
const READS_ROLES = ['iam:GetRole', 'iam:ListAttachedRolePolicies', 'iam:ListRolePolicies', 'iam:GetRolePolicy']

/** The state of a resource, read with the caller's own rights. @throws AwsError */
export function driftAnswer(cloud: CloudFormation, stack: Stack, id: string, caller: Caller): Node {
  const made = stack.made.get(id)
  if (made === undefined)
    throw new AwsError('ValidationError', 400, `Resource ${id} does not exist for stack ${stack.name}`)
  // Detection looks up how types are configured: not in the user guide, in least-privilege policies of others.
  cloud.authorize(caller, 'cloudformation:BatchDescribeTypeConfigurations')
  readAs(cloud, caller, made)
  const drift = stack.drifts.get(id)
  const paths = typeof drift === 'object' ? drift : []
  return {
    StackId: stack.id,
    LogicalResourceId: id,
    PhysicalResourceId: made.physical,
    ResourceType: made.type,
    ExpectedProperties: JSON.stringify(made.properties),
    StackResourceDriftStatus:
      typeof drift === 'object'
        ? 'MODIFIED'
        : { none: 'IN_SYNC', deleted: 'DELETED', unknown: 'UNKNOWN' }[drift ?? 'none'],
    PropertyDifferences: {
      member: paths.map((PropertyPath) => ({
        PropertyPath,
        ExpectedValue: 'as made',
        ActualValue: 'otherwise',
        DifferenceType: 'NOT_EQUAL',
      })),
    },
    Timestamp: cloud.s3.now(),
  }
}

function readAs({ s3 }: CloudFormation, caller: Caller, made: Made): void {
  if (made.type !== 'AWS::IAM::Role')
    throw new AwsError('NotImplemented', 501, `a look at a ${made.type} is not in this sandbox`)
  const arn = attributeOf(s3, made, 'Arn') ?? ''
  for (const action of READS_ROLES) s3.authorize(caller, action, arn)
}
