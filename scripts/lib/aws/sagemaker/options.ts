import type { Tag } from '@aws-sdk/client-sagemaker'
import { UsageError } from '../../cli/errors.ts'
import { accountOfRole } from '../arn.ts'

/** The options of whatever is made in SageMaker, as they were given. */
export interface SagemakerOptions {
  readonly sagemakerRole?: string | undefined
  readonly instanceType?: string | undefined
  readonly subnet: readonly string[]
  readonly securityGroup: readonly string[]
  readonly kmsKey?: string | undefined
  readonly tag: readonly string[]
}

/** The role that SageMaker assumes. @throws UsageError when none was named, or the name is not the ARN of a role */
export function roleOf({ sagemakerRole }: SagemakerOptions): string {
  if (sagemakerRole === undefined)
    throw new UsageError(
      'SageMaker needs a role that may read and write the workspace',
      'add --sagemaker-role ARN; setup makes one',
    )
  accountOfRole(sagemakerRole)
  return sagemakerRole
}

/** @throws UsageError when the options do not go together */
export function checkSagemakerOptions({ instanceType, subnet, securityGroup }: SagemakerOptions): void {
  if (instanceType !== undefined && !/^ml\.[a-z0-9-]+\.[a-z0-9]+$/.test(instanceType))
    throw new UsageError(
      `--instance-type "${instanceType}" is not a SageMaker instance type`,
      'for example ml.m5.xlarge',
    )
  if (subnet.length > 0 !== securityGroup.length > 0)
    throw new UsageError('--subnet and --security-group belong together', 'name both, or neither')
}

export const tagsIn = ({ tag }: SagemakerOptions): Tag[] =>
  tag.map((text) => {
    const at = text.indexOf('=')
    return { Key: text.slice(0, at), Value: text.slice(at + 1) }
  })

/** Options that make the AWS CLI call what this process calls, for commands in messages. */
export function cliFlags(region: string, aws: { profile?: string | undefined; endpointUrl?: string | undefined }) {
  const { profile, endpointUrl } = aws
  return [
    ` --region ${region}`,
    profile === undefined ? '' : ` --profile ${profile}`,
    endpointUrl === undefined ? '' : ` --endpoint-url ${endpointUrl}`,
  ].join('')
}
