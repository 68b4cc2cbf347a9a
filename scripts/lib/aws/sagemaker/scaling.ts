import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling'
import { detailsOf, explained } from '../errors.ts'

/** The one variant of every endpoint. */
export const VARIANT = 'AllTraffic'

/** How many instances an endpoint may have. */
export interface Range {
  readonly min: number
  readonly max: number
}

const target = (endpoint: string) =>
  ({
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpoint}/variant/${VARIANT}`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  }) as const

/** Requests per minute and instance to scale for. A request may hold thousands of pairs. */
const INVOCATIONS = 200

const about = (endpoint: string, action: string) => ({
  what: `scaling of endpoint ${endpoint}`,
  action: `application-autoscaling:${action}`,
  resource: '*',
})

/** Makes the number of instances follow the requests. Done again it changes nothing. */
export async function scale(
  client: ApplicationAutoScalingClient,
  endpoint: string,
  { min, max }: Range,
): Promise<void> {
  try {
    await client.send(new RegisterScalableTargetCommand({ ...target(endpoint), MinCapacity: min, MaxCapacity: max }))
    await client.send(
      new PutScalingPolicyCommand({
        ...target(endpoint),
        PolicyName: `${endpoint}-invocations`,
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: INVOCATIONS,
          PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
        },
      }),
    )
  } catch (error) {
    throw explained(error, about(endpoint, 'RegisterScalableTarget, PutScalingPolicy'))
  }
}

/** How an endpoint is scaled; undefined when it is not, or who asks may not know. */
export async function scalingOf(client: ApplicationAutoScalingClient, endpoint: string): Promise<Range | undefined> {
  const { ResourceId, ...kind } = target(endpoint)
  try {
    const { ScalableTargets: [found] = [] } = await client.send(
      new DescribeScalableTargetsCommand({ ...kind, ResourceIds: [ResourceId] }),
    )
    const { MinCapacity: min, MaxCapacity: max } = found ?? {}
    return min === undefined || max === undefined ? undefined : { min, max }
  } catch (error) {
    if (/^AccessDenied/.test(detailsOf(error).code)) return undefined
    throw explained(error, about(endpoint, 'DescribeScalableTargets'))
  }
}

/** Ends the scaling of an endpoint, which refuses another type of instance meanwhile and whose alarms are paid for. */
export async function unscale(client: ApplicationAutoScalingClient, endpoint: string): Promise<void> {
  try {
    await client.send(new DeregisterScalableTargetCommand(target(endpoint)))
  } catch (error) {
    // Whoever may not ask has not scaled it; if somebody else has, an update says so.
    if (/^(ObjectNotFound|AccessDenied)/.test(detailsOf(error).code)) return
    throw explained(error, about(endpoint, 'DeregisterScalableTarget'))
  }
}
