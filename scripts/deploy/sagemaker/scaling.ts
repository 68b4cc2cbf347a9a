import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling'
import { detailsOf, explained } from '../../lib/aws/errors.ts'
import type { Range } from './options.ts'
import { VARIANT } from './spec.ts'

const target = (endpoint: string) =>
  ({
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpoint}/variant/${VARIANT}`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  }) as const

/** Requests a minute and instance that it scales for. A request may hold thousands of pairs. */
const INVOCATIONS = 200

const about = (endpoint: string, action: string) => ({
  what: `scaling of endpoint ${endpoint}`,
  action: `application-autoscaling:${action}`,
  resource: '*',
})

/** Lets the instances of an endpoint follow its requests. Done again it changes nothing. */
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

/** An endpoint that is scaled refuses other hardware. What is not scaled stays so. */
export async function unscale(client: ApplicationAutoScalingClient, endpoint: string): Promise<void> {
  try {
    await client.send(new DeregisterScalableTargetCommand(target(endpoint)))
  } catch (error) {
    // Who may not ask has not scaled it; if somebody else has, the update says so.
    if (/^(ObjectNotFound|AccessDenied)/.test(detailsOf(error).code)) return
    throw explained(error, about(endpoint, 'DeregisterScalableTarget'))
  }
}
