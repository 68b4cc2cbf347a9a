import * as client from '@aws-sdk/client-sagemaker'
import type { Incoming, Service } from '../http.ts'
import { jsonService, type Operation } from '../json-service.ts'
import type { Caller } from '../s3/state.ts'
import { rightsOf } from './rights.ts'
import type { SageMaker } from './sagemaker.ts'
import type { Members } from './shared.ts'

type Perform = (input: never, caller: Caller) => unknown

/** Amazon SageMaker, without the runtime that answers invocations. */
export function sagemakerService(sagemaker: SageMaker, identify: (request: Incoming) => Caller): Service {
  const { shared, trainingJobs, transformJobs, models, configs, endpoints } = sagemaker
  const { tags } = shared
  const performs: Record<string, Perform> = {
    CreateTrainingJob: (input, caller) => trainingJobs.create(input, caller),
    DescribeTrainingJob: (input) => trainingJobs.describe(input),
    ListTrainingJobs: (input) => trainingJobs.list(input),
    StopTrainingJob: (input) => trainingJobs.stop(input),
    CreateModel: (input, caller) => models.create(input, caller),
    DescribeModel: (input) => models.describe(input),
    DeleteModel: (input) => models.delete(input),
    ListModels: (input) => models.list(input),
    CreateEndpointConfig: (input) => configs.create(input),
    DescribeEndpointConfig: (input) => configs.describe(input),
    DeleteEndpointConfig: (input) => configs.delete(input),
    ListEndpointConfigs: (input) => configs.list(input),
    CreateEndpoint: (input) => endpoints.create(input),
    UpdateEndpoint: (input) => endpoints.update(input),
    DescribeEndpoint: (input) => endpoints.describe(input),
    DeleteEndpoint: (input) => endpoints.delete(input),
    ListEndpoints: (input) => endpoints.list(input),
    CreateTransformJob: (input) => transformJobs.create(input),
    DescribeTransformJob: (input) => transformJobs.describe(input),
    StopTransformJob: (input) => transformJobs.stop(input),
    ListTransformJobs: (input) => transformJobs.list(input),
    AddTags: (input) => tags.add(input),
    DeleteTags: (input) => tags.delete(input),
    ListTags: (input) => tags.list(input),
  }
  const operation =
    (name: string, perform: Perform): Operation =>
    (input, request) => {
      const caller = identify(request)
      shared.checkRegion(request.scope?.region)
      for (const { action, arn, context, role } of rightsOf(sagemaker, name, input))
        shared.authorize(role === undefined ? caller : { ...caller, arn: role }, action, nameOf(input), {
          arn,
          context,
        })
      return perform(input as never, caller)
    }
  return jsonService({
    name: 'sagemaker',
    target: 'SageMaker',
    client,
    operations: Object.fromEntries(Object.entries(performs).map(([name, perform]) => [name, operation(name, perform)])),
    resource: nameOf,
    identify,
  })
}

const NAMES = ['TrainingJobName', 'TransformJobName', 'EndpointName', 'EndpointConfigName', 'ModelName', 'ResourceArn']

/** What a request is about. */
function nameOf(input: Members): string {
  const name = NAMES.map((member) => input[member]).find((value) => typeof value === 'string')
  return typeof name === 'string' ? name : ''
}
