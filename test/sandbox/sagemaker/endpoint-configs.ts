import type { CreateEndpointConfigInput, ProductionVariant } from '@aws-sdk/client-sagemaker'
import { AwsError } from '../http.ts'
import { checkDiskKey } from './disks.ts'
import { exists, invalid, missing } from './errors.ts'
import { listOf } from './lists.ts'
import type { Models } from './models.ts'
import type { Members, Shared } from './shared.ts'

export interface EndpointConfig {
  readonly name: string
  readonly arn: string
  readonly request: CreateEndpointConfigInput
  /** The only one that this sandbox allows. */
  readonly variant: ProductionVariant
  readonly created: number
}

const WHAT = 'endpoint configuration'

/** Some of the regions that the developer guide does not name among those of serverless inference. */
const ELSEWHERE = /^(cn|us-gov|il|mx)-|^(eu-south-2|eu-central-2|ap-south-2|ap-southeast-[345])$/

export class EndpointConfigs {
  readonly all = new Map<string, EndpointConfig>()
  readonly #shared: Shared
  readonly #models: Models

  constructor(shared: Shared, models: Models) {
    this.#shared = shared
    this.#models = models
  }

  create(request: CreateEndpointConfigInput) {
    const name = request.EndpointConfigName ?? ''
    const arn = this.#shared.arn('endpoint-config', name)
    if (this.all.has(name)) throw exists(WHAT, arn)
    const [variant, ...more] = request.ProductionVariants ?? []
    if (variant === undefined || more.length > 0)
      throw new AwsError('NotImplemented', 501, 'several variants are not in this sandbox')
    this.#models.find(variant.ModelName)
    checkVariant(variant)
    const { region } = this.#shared.s3
    if (variant.ServerlessConfig !== undefined && ELSEWHERE.test(region))
      throw invalid(`Serverless inference is not supported in region ${region}.`)
    checkDiskKey('KmsKeyId', variant.InstanceType, request.KmsKeyId)
    this.#shared.tags.create(arn, request.Tags)
    this.all.set(name, { name, arn, request, variant, created: this.#shared.now() })
    return { EndpointConfigArn: arn }
  }

  /** @throws AwsError */
  find(name: unknown): EndpointConfig {
    const config = this.all.get(String(name))
    if (config === undefined || this.#shared.isUnseen(config))
      throw missing(WHAT, this.#shared.arn('endpoint-config', String(name)))
    return config
  }

  describe({ EndpointConfigName }: Members) {
    const { name, arn, request, created } = this.find(EndpointConfigName)
    const { Tags: _, ...said } = request
    const ProductionVariants = request.ProductionVariants?.map((variant) => ({ InitialVariantWeight: 1, ...variant }))
    return { ...said, EndpointConfigName: name, EndpointConfigArn: arn, ProductionVariants, CreationTime: created }
  }

  delete({ EndpointConfigName }: Members): void {
    const { name, arn } = this.find(EndpointConfigName)
    this.#shared.tags.remove(arn)
    this.all.delete(name)
  }

  list(input: Members) {
    const { page, next } = listOf(this.all.values(), input)
    const EndpointConfigs = page.map(({ name, arn, created }) => ({
      EndpointConfigName: name,
      EndpointConfigArn: arn,
      CreationTime: created,
    }))
    return { EndpointConfigs, NextToken: next }
  }
}

/** @throws AwsError */
function checkVariant({ ServerlessConfig, InstanceType, InitialInstanceCount }: ProductionVariant): void {
  const onInstances = InstanceType !== undefined || InitialInstanceCount !== undefined
  if (ServerlessConfig === undefined) {
    if (InstanceType !== undefined && InitialInstanceCount !== undefined) return
    throw invalid('Either ServerlessConfig, or InstanceType and InitialInstanceCount must be specified for a variant.')
  }
  if (onInstances)
    throw invalid('ServerlessConfig cannot be specified along with InstanceType or InitialInstanceCount.')
  const { MemorySizeInMB = 0, MaxConcurrency = 0, ProvisionedConcurrency = 0 } = ServerlessConfig
  if (MemorySizeInMB % 1024 !== 0)
    throw invalid(`Invalid MemorySizeInMB ${MemorySizeInMB}. It must be one of 1024, 2048, 3072, 4096, 5120 and 6144.`)
  if (ProvisionedConcurrency > MaxConcurrency)
    throw invalid('ProvisionedConcurrency must be less than or equal to MaxConcurrency.')
}
