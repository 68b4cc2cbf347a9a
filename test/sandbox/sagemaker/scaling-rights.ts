import { AwsError } from '../http.ts'
import type { Caller } from '../s3/state.ts'
import { invalid } from './errors.ts'
import type { Shared } from './shared.ts'

const SERVICE = 'sagemaker.application-autoscaling.amazonaws.com'
const LINKED_ROLE = 'AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint'

/** What Application Auto Scaling tries in the caller's name before it takes on an endpoint. */
const TRIED = ['sagemaker:DescribeEndpoint', 'sagemaker:UpdateEndpointWeightsAndCapacities']
const ALARMS = ['cloudwatch:PutMetricAlarm', 'cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms']

/**
 * Whether somebody may do this to the target of an endpoint: "Permissions validation for API calls on target resources" and
 * "Identity-based policy examples", Application Auto Scaling user guide.
 * @param config name of the endpoint's configuration
 * @throws AwsError
 */
export function allowScaling(
  shared: Shared,
  caller: Caller,
  operation: string,
  endpoint: string,
  config: string,
): void {
  const { s3 } = shared
  const about = `endpoint/${endpoint}`
  // Descriptions know neither resources nor keys of conditions.
  const asked = operation.startsWith('Describe')
    ? { arn: '*' }
    : {
        arn: s3.arn('application-autoscaling', 'scalable-target/0123456789abcdef'),
        context: {
          'application-autoscaling:service-namespace': 'sagemaker',
          'application-autoscaling:scalable-dimension': 'sagemaker:variant:DesiredInstanceCount',
        },
      }
  shared.authorize(caller, `application-autoscaling:${operation}`, about, asked)
  if (!/^(RegisterScalableTarget|PutScalingPolicy)$/.test(operation)) return
  if (operation === 'RegisterScalableTarget')
    shared.authorize(caller, 'iam:CreateServiceLinkedRole', about, {
      arn: `arn:aws:iam::${s3.account}:role/aws-service-role/${SERVICE}/${LINKED_ROLE}`,
      context: { 'iam:AWSServiceName': SERVICE },
    })
  validated(() => {
    const asked = { context: { 'aws:ViaAWSService': 'true' } }
    for (const action of TRIED) s3.authorize(caller, action, about, { ...asked, arn: shared.arn('endpoint', endpoint) })
    const arn = shared.arn('endpoint-config', config)
    s3.authorize(caller, 'sagemaker:DescribeEndpointConfig', about, { ...asked, arn })
    // It calls these without the name of an alarm.
    for (const action of ALARMS)
      s3.authorize(caller, action, about, { ...asked, arn: s3.arn('cloudwatch', 'alarm:none') })
  })
}

/** What is missing in another service is told as a mistake of the request. */
function validated(ask: () => void): void {
  try {
    ask()
  } catch (error) {
    throw error instanceof AwsError ? invalid(error.message) : error
  }
}
