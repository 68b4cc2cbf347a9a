import { gzipSync } from 'node:zlib'
import {
  CreateEndpointConfigCommand,
  DescribeEndpointCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker'
import { sagemakerClient, serviceQuotasClient } from '../../lib/aws/clients.ts'
import { SERVERLESS_CONCURRENCY } from '../../lib/aws/quota-names.ts'
import { sagemakerQuotas } from '../../lib/aws/quotas.ts'
import { onceVisible } from '../../lib/aws/sagemaker/calls.ts'
import { Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { imageOf } from '../../lib/aws/sagemaker/image.ts'
import { tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { VARIANT } from '../../lib/aws/sagemaker/scaling.ts'
import { paths } from '../../lib/runs/paths.ts'
import { saysSo } from './athena.ts'
import { refuses, type Seen, succeeds } from './beliefs.ts'
import { TRY, type TryPlace, type TryStep } from './place.ts'

/** Name of something of the try. The stack's rights are on names that begin with prestage-. */
export const tryName = ({ hash }: Pick<TryPlace, 'hash'>, what: string): string => `prestage-try-${hash}-${what}`

export const triesTags = ({ workspace }: Pick<TryPlace, 'workspace'>) => tagsOf(TRY, workspace)

/** What can be asked of SageMaker without paying. */
export async function trySagemaker(step: TryStep): Promise<void> {
  const { comparisons, aws, region, say } = step
  say('a model in SageMaker, without an endpoint')
  const client = await sagemakerClient(aws, region)
  let hasModel = false
  await comparisons.compare('sagemaker-create-model', () =>
    succeeds(async () => {
      await step.store.write(paths.model, gzipSync('no model'))
      await createModel(client, step, 'dry', step.store.uriOf(paths.model))
      hasModel = true
      return 'created'
    }),
  )
  if (hasModel) await comparisons.compare('sagemaker-config-quota', () => largeConfig(client, step))
  await missing(client, step)
  await comparisons.compare('sagemaker-quota-names', () => quotaNames(step))
}

/** Creates a model of the try from an archive in the workspace. */
export async function createModel(client: SageMakerClient, step: TryStep, name: string, model: string): Promise<void> {
  await new Endpoints(client, step).createModel({
    ModelName: tryName(step, name),
    ExecutionRoleArn: step.sagemakerRole,
    PrimaryContainer: { Image: imageOf(step.region), ModelDataUrl: model },
    Tags: triesTags(step),
  })
}

/** The most that the API allows: more than any new account has. */
const LARGEST = { MemorySizeInMB: 6144, MaxConcurrency: 200 } as const

async function largeConfig(client: SageMakerClient, step: TryStep): Promise<Seen> {
  const request = new CreateEndpointConfigCommand({
    EndpointConfigName: tryName(step, 'large'),
    ProductionVariants: [{ VariantName: VARIANT, ModelName: tryName(step, 'dry'), ServerlessConfig: LARGEST }],
    Tags: triesTags(step),
  })
  return succeeds(async () => {
    await onceVisible(() => client.send(request), step.sleep)
    return `created, with ${LARGEST.MemorySizeInMB} MB and ${LARGEST.MaxConcurrency} requests at once`
  })
}

async function missing(client: SageMakerClient, step: TryStep): Promise<void> {
  const { comparisons } = step
  const name = tryName(step, 'missing')
  const says = (message: RegExp) => saysSo(/^ValidationException$/, message)
  await comparisons.compare('sagemaker-missing-endpoint', () =>
    refuses(() => client.send(new DescribeEndpointCommand({ EndpointName: name })), says(/could not find endpoint/i)),
  )
  await comparisons.compare('sagemaker-missing-training', () => {
    const asked = new DescribeTrainingJobCommand({ TrainingJobName: name })
    return refuses(() => client.send(asked), says(/requested resource not found/i))
  })
  await comparisons.compare('sagemaker-missing-transform', () => {
    const asked = new DescribeTransformJobCommand({ TransformJobName: name })
    return refuses(() => client.send(asked), says(/could not find requested job with name/i))
  })
}

/** As refusals name it that people have quoted; one of them did not find it in Service Quotas. */
const MEMORY = 'Memory size in MB per serverless endpoint'

async function quotaNames({ aws, region }: TryStep): Promise<Seen> {
  const found = await sagemakerQuotas(await serviceQuotasClient(aws, region), [SERVERLESS_CONCURRENCY, MEMORY])
  const [requests, memory] = [SERVERLESS_CONCURRENCY, MEMORY].map((name) => found.get(name) ?? 'not listed')
  return { seen: `requests at once: ${requests}; memory: ${memory}`, isBelieved: found.has(SERVERLESS_CONCURRENCY) }
}
