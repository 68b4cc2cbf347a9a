import type { VpcConfig } from '@aws-sdk/client-sagemaker'
import type { Shared } from './shared.ts'

/** Of the sandbox's only network. */
const VPC = 'vpc-0a1b2c3d'

const LOOKS = ['DhcpOptions', 'NetworkInterfaces', 'SecurityGroups', 'Subnets', 'Vpcs']

/**
 * What SageMaker does as the role of a job or a model to reach into a VPC and to leave it again: "CreateTrainingJob API: Execution Role
 * Permissions", developer guide. Condition keys: "Actions, resources, and condition keys for Amazon EC2", Service Authorization Reference.
 * @throws AwsError
 */
export function reachInto({ s3 }: Shared, roleArn = '', vpc: VpcConfig | undefined): void {
  if (vpc === undefined) return
  const { Subnets = [], SecurityGroupIds = [] } = vpc
  const { account, region } = s3
  const arnOf = (resource: string): string => `arn:aws:ec2:${region}:${account}:${resource}`
  const ask = (action: string, arn: string, isInVpc: boolean): void => {
    const context = { 'ec2:Region': region, ...(isInVpc && { 'ec2:Vpc': arnOf(`vpc/${VPC}`) }) }
    s3.authorize({ account, arn: roleArn }, `ec2:${action}`, arn, { arn, context })
  }
  for (const what of LOOKS) ask(`Describe${what}`, '*', false)
  const made = arnOf('network-interface/eni-0a1b2c3d')
  // A new one is in no VPC yet.
  ask('CreateNetworkInterface', made, false)
  for (const subnet of Subnets) ask('CreateNetworkInterface', arnOf(`subnet/${subnet}`), true)
  for (const group of SecurityGroupIds) ask('CreateNetworkInterface', arnOf(`security-group/${group}`), true)
  for (const action of [
    'CreateNetworkInterfacePermission',
    'DeleteNetworkInterfacePermission',
    'DeleteNetworkInterface',
  ])
    ask(action, made, true)
}
