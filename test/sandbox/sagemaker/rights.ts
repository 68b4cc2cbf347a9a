import type { Access } from '../access.ts'
import type { SageMaker } from './sagemaker.ts'
import type { Members } from './shared.ts'

/** @param role who needs it; absent: the caller */
type Right = Pick<Access, 'action' | 'context'> & { readonly arn: string; readonly role?: string }

/**
 * What operations are allowed on, by the member of the request that names it and its kind in an ARN. "Actions, resources, and condition
 * keys for Amazon SageMaker", Service Authorization Reference. Operations that are not here have no resources.
 */
const ON: readonly (readonly [member: string, kind: string, operations: readonly string[]])[] = [
  ['TrainingJobName', 'training-job', ['CreateTrainingJob', 'DescribeTrainingJob', 'StopTrainingJob']],
  ['TransformJobName', 'transform-job', ['CreateTransformJob', 'DescribeTransformJob', 'StopTransformJob']],
  ['ModelName', 'model', ['CreateModel', 'DescribeModel', 'DeleteModel']],
  ['EndpointName', 'endpoint', ['CreateEndpoint', 'UpdateEndpoint', 'DescribeEndpoint', 'DeleteEndpoint']],
  [
    'EndpointConfigName',
    'endpoint-config',
    ['CreateEndpoint', 'UpdateEndpoint', 'CreateEndpointConfig', 'DescribeEndpointConfig', 'DeleteEndpointConfig'],
  ],
]

/** Everything that a caller needs for a request, except the role that it passes. */
export function rightsOf(sagemaker: SageMaker, operation: string, input: Members): Right[] {
  const { shared } = sagemaker
  const action = `sagemaker:${operation}`
  const named = ON.filter(([, , operations]) => operations.includes(operation)).map(([member, kind]) =>
    shared.arn(kind, String(input[member])),
  )
  const arns = /Tags$/.test(operation) ? [String(input.ResourceArn)] : named.length > 0 ? named : ['*']
  return [
    ...arns.map((arn) => ({ action, arn, context: {} })),
    ...tagged(action, arns, input),
    ...diskKeys(sagemaker, operation, input).flatMap(({ key, role }) => {
      const grant = {
        action: 'kms:CreateGrant',
        arn: shared.s3.keyArn(key),
        context: { 'kms:GrantIsForAWSResource': 'true' },
      }
      return role === undefined ? [grant] : [grant, { ...grant, role }]
    }),
  ]
}

/** "Resource-level tagging on creation", SageMaker developer guide: tags of something new are a right of their own. */
function tagged(creating: string, [arn = '*']: readonly string[], { Tags }: Members): Right[] {
  if (!/:Create/.test(creating) || !Array.isArray(Tags) || Tags.length === 0) return []
  return [
    { action: 'sagemaker:AddTags', arn, context: { 'sagemaker:TaggingAction': creating.slice('sagemaker:'.length) } },
  ]
}

/**
 * Keys of the disks that a request makes, and the role of what runs there. "Amazon SageMaker API Permissions", developer guide, wants
 * `kms:CreateGrant` of the caller, "How to use SageMaker AI execution roles" of the role.
 */
function diskKeys({ configs, models }: SageMaker, operation: string, input: Members): { key: string; role?: string }[] {
  const { VolumeKmsKeyId } = (input.ResourceConfig ?? input.TransformResources ?? {}) as { VolumeKmsKeyId?: string }
  const served = /^(Create|Update)Endpoint$/.test(operation)
    ? configs.all.get(String(input.EndpointConfigName))?.request
    : undefined
  const model = models.all.get(String(input.ModelName ?? served?.ProductionVariants?.[0]?.ModelName))
  const role = (input.RoleArn as string | undefined) ?? model?.request.ExecutionRoleArn
  return [VolumeKmsKeyId, served?.KmsKeyId]
    .filter((key) => key !== undefined)
    .map((key) => ({ key, ...(role !== undefined && { role }) }))
}
