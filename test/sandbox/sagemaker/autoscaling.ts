import * as client from '@aws-sdk/client-application-auto-scaling'
import { AwsError, type Incoming, type Service } from '../http.ts'
import { jsonService, type Operation } from '../json-service.ts'
import type { Caller } from '../s3/state.ts'
import { invalid } from './errors.ts'
import { pageOf } from './lists.ts'
import type { SageMaker } from './sagemaker.ts'
import { allowScaling } from './scaling-rights.ts'

const INSTANCES = 'sagemaker:variant:DesiredInstanceCount'

interface Input {
  readonly ServiceNamespace?: string
  readonly ResourceId?: string
  readonly ResourceIds?: readonly string[]
  readonly ScalableDimension?: string
  readonly PolicyName?: string
  readonly MinCapacity?: number
  readonly MaxCapacity?: number
  readonly MaxResults?: number
  readonly NextToken?: string
}

interface Target {
  readonly ResourceId: string
  readonly MinCapacity: number
  readonly MaxCapacity: number
}

/** Application Auto Scaling of endpoints. Targets and policies are kept; nothing is ever scaled. */
export class Scaling {
  readonly targets = new Map<string, Target>()
  readonly policies = new Map<string, object>()
  readonly #sagemaker: SageMaker

  constructor(sagemaker: SageMaker) {
    this.#sagemaker = sagemaker
  }

  register({ ResourceId = '', ScalableDimension, MinCapacity, MaxCapacity }: Input) {
    const { scaled, s3 } = this.#sagemaker.shared
    const old = this.targets.get(ResourceId)
    const [min, max] = [MinCapacity ?? old?.MinCapacity, MaxCapacity ?? old?.MaxCapacity]
    if (min === undefined || max === undefined) throw invalid('MinCapacity and MaxCapacity are required.')
    if (min > max) throw invalid('Minimum capacity cannot be greater than maximum capacity.')
    const [, name = '', variant] = /^endpoint\/([^/]+)\/variant\/([^/]+)$/.exec(ResourceId) ?? []
    const found = this.#sagemaker.endpoints.all.get(name)?.config.variant
    if (found?.VariantName !== variant || found?.InstanceType === undefined || ScalableDimension !== INSTANCES)
      throw invalid(`No variant on instances was found for ${ResourceId} and dimension ${ScalableDimension}.`)
    scaled.add(name)
    const kept = { RoleARN: role(s3.account), CreationTime: this.#sagemaker.shared.now(), ...old }
    const target = { ...kept, ...KEY, ResourceId, MinCapacity: min, MaxCapacity: max }
    this.targets.set(ResourceId, target)
    return { ScalableTargetARN: `arn:aws:application-autoscaling:${s3.region}:${s3.account}:scalable-target/1` }
  }

  deregister({ ResourceId = '' }: Input): void {
    if (!this.targets.delete(ResourceId)) throw notFound(ResourceId)
    this.#sagemaker.shared.scaled.delete(ResourceId.split('/')[1] ?? '')
    for (const key of this.policies.keys()) if (key.startsWith(`${ResourceId} `)) this.policies.delete(key)
  }

  describe({ ResourceIds, ...paging }: Input) {
    const all = [...this.targets.values()].filter(({ ResourceId }) => ResourceIds?.includes(ResourceId) ?? true)
    const { page, next } = pageOf(all, paging)
    return { ScalableTargets: page, NextToken: next }
  }

  putPolicy(input: Input) {
    const { ResourceId = '', PolicyName = '' } = input
    if (!this.targets.has(ResourceId)) throw notFound(ResourceId)
    const { region, account } = this.#sagemaker.shared.s3
    const PolicyARN = `arn:aws:autoscaling:${region}:${account}:scalingPolicy:1:resource/sagemaker/${ResourceId}:policyName/${PolicyName}`
    this.policies.set(`${ResourceId} ${PolicyName}`, {
      ...input,
      PolicyARN,
      CreationTime: this.#sagemaker.shared.now(),
    })
    return { PolicyARN, Alarms: [] }
  }

  deletePolicy({ ResourceId = '', PolicyName = '' }: Input): void {
    if (!this.policies.delete(`${ResourceId} ${PolicyName}`)) throw notFound(ResourceId, 'scaling policy')
  }

  describePolicies({ ResourceId, ...paging }: Input) {
    const all = [...this.policies].filter(([key]) => ResourceId === undefined || key.startsWith(`${ResourceId} `))
    const { page, next } = pageOf(
      all.map(([, policy]) => policy),
      paging,
    )
    return { ScalingPolicies: page, NextToken: next }
  }
}

const KEY = { ServiceNamespace: 'sagemaker', ScalableDimension: INSTANCES }

/** Made by AWS when the first target is registered. */
const role = (account: string): string =>
  `arn:aws:iam::${account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint`

const notFound = (resource: string, what = 'scalable target'): AwsError =>
  new AwsError(
    'ObjectNotFoundException',
    400,
    `No ${what} found for service namespace: sagemaker, resource ID: ${resource}, scalable dimension: ${INSTANCES}`,
  )

/** Application Auto Scaling, as far as it concerns endpoints. */
export function autoscalingService(sagemaker: SageMaker, identify: (request: Incoming) => Caller): Service {
  const { scaling, endpoints, shared } = sagemaker
  const operations: Record<string, (input: Input) => unknown> = {
    RegisterScalableTarget: (input) => scaling.register(input),
    DeregisterScalableTarget: (input) => scaling.deregister(input),
    DescribeScalableTargets: (input) => scaling.describe(input),
    PutScalingPolicy: (input) => scaling.putPolicy(input),
    DeleteScalingPolicy: (input) => scaling.deletePolicy(input),
    DescribeScalingPolicies: (input) => scaling.describePolicies(input),
  }
  const operation =
    (name: string, perform: (input: Input) => unknown): Operation =>
    (input, request) => {
      const endpoint = (input as Input).ResourceId?.split('/')[1] ?? ''
      allowScaling(shared, identify(request), name, endpoint, endpoints.all.get(endpoint)?.config.name ?? '')
      return perform(input as Input)
    }
  return jsonService({
    name: 'application-auto-scaling',
    target: 'AnyScaleFrontendService',
    client,
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, perform]) => [name, operation(name, perform)]),
    ),
    resource: (input) => (input as Input).ResourceId ?? '',
    identify,
  })
}
