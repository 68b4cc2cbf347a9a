import type { CreateEndpointInput, UpdateEndpointInput } from '@aws-sdk/client-sagemaker'
import { Endpoint, type Parts } from './endpoint.ts'
import type { EndpointConfig, EndpointConfigs } from './endpoint-configs.ts'
import { exists, invalid, missing } from './errors.ts'
import { listOf } from './lists.ts'
import type { Models } from './models.ts'
import { type Members, type Shared, sum } from './shared.ts'

export class Endpoints {
  readonly all = new Map<string, Endpoint>()
  readonly #parts: Parts

  constructor(shared: Shared, models: Models, configs: EndpointConfigs) {
    const gone = (endpoint: Endpoint) => {
      shared.tags.remove(endpoint.arn)
      this.all.delete(endpoint.name)
    }
    this.#parts = { shared, models, configs, gone }
  }

  create({ EndpointName: name = '', EndpointConfigName, Tags, DeploymentConfig }: CreateEndpointInput) {
    const { shared, configs } = this.#parts
    const arn = shared.arn('endpoint', name)
    if (this.all.has(name)) throw exists('endpoint', arn)
    const config = configs.find(EndpointConfigName)
    this.#checkQuota(config)
    shared.tags.create(arn, Tags)
    const endpoint = new Endpoint(this.#parts, name, arn, config)
    endpoint.deployment = DeploymentConfig
    this.all.set(name, endpoint)
    shared.mover.start(endpoint)
    return { EndpointArn: arn }
  }

  update(input: UpdateEndpointInput) {
    const { EndpointName, EndpointConfigName, DeploymentConfig, RetainAllVariantProperties } = input
    const endpoint = this.#find(EndpointName)
    if (['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'].includes(endpoint.status))
      throw invalid(`Cannot update in-progress endpoint "${endpoint.arn}".`)
    if (endpoint.status !== 'InService')
      throw invalid(`Cannot update endpoint "${endpoint.arn}" with status ${endpoint.status}.`)
    const config = this.#parts.configs.find(EndpointConfigName)
    this.#checkKind(endpoint, config)
    this.#checkScaled(endpoint, config)
    this.#checkQuota(config)
    endpoint.pending = config
    endpoint.retain = RetainAllVariantProperties ?? false
    endpoint.deployment = DeploymentConfig
    endpoint.go('Updating')
    this.#parts.shared.mover.start(endpoint)
    return { EndpointArn: endpoint.arn }
  }

  delete({ EndpointName }: Members): void {
    const endpoint = this.#find(EndpointName)
    const isFree = this.#parts.shared.settings.deletesCreating || endpoint.status !== 'Creating'
    if (!isFree || ['Updating', 'SystemUpdating', 'RollingBack'].includes(endpoint.status))
      throw invalid(`Cannot delete in-progress endpoint "${endpoint.arn}".`)
    endpoint.go('Deleting')
    this.#parts.shared.mover.start(endpoint)
  }

  /** @throws AwsError */
  #find(name: unknown): Endpoint {
    const endpoint = this.all.get(String(name))
    if (endpoint === undefined || this.#parts.shared.isUnseen(endpoint))
      throw missing('endpoint', this.#parts.shared.arn('endpoint', String(name)))
    return endpoint
  }

  describe({ EndpointName }: Members) {
    const endpoint = this.#find(EndpointName)
    const answer = described(endpoint)
    this.#parts.shared.mover.polled(endpoint)
    return answer
  }

  list(input: Members) {
    const { page, next } = listOf(this.all.values(), input)
    return { Endpoints: page.map(summary), NextToken: next }
  }

  /** @throws AwsError when instances would become serverless, whatever they were before: "Update a serverless endpoint", developer guide */
  #checkKind({ arn, isServerless }: Endpoint, { variant }: EndpointConfig): void {
    if (isServerless || variant.ServerlessConfig === undefined) return
    throw invalid(`Cannot update endpoint "${arn}" from instances to serverless inference.`)
  }

  /** @throws AwsError when the variant is scaled, and is to be on other instances or gone */
  #checkScaled({ name, config: { variant: old } }: Endpoint, { variant }: EndpointConfig): void {
    const same = old.VariantName === variant.VariantName && old.InstanceType === variant.InstanceType
    if (same || !this.#parts.shared.scaled.has(name)) return
    throw invalid(
      `The variant(s) "${old.VariantName}" must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type updated.`,
    )
  }

  /** @throws AwsError ResourceLimitExceeded */
  #checkQuota({ variant }: EndpointConfig): void {
    const { shared } = this.#parts
    const used = (of: (endpoint: Endpoint) => number) => sum([...this.all.values()].map(of))
    const { ServerlessConfig, InstanceType, InitialInstanceCount = 0 } = variant
    if (ServerlessConfig === undefined) {
      const same = used(({ config, instances }) => (config.variant.InstanceType === InstanceType ? instances : 0))
      shared.quota(`${InstanceType} for endpoint usage`, same, InitialInstanceCount)
      return
    }
    const { MemorySizeInMB = 0, MaxConcurrency = 0 } = ServerlessConfig
    shared.quota('Memory size in MB per serverless endpoint', 0, MemorySizeInMB, 'MBs')
    const taken = used(({ config }) => config.variant.ServerlessConfig?.MaxConcurrency ?? 0)
    shared.quota(
      'Maximum total concurrency that can be allocated across all serverless endpoints',
      taken,
      MaxConcurrency,
      'Units',
    )
  }
}

const summary = ({ name, arn, created, modified, status }: Endpoint) => ({
  EndpointName: name,
  EndpointArn: arn,
  CreationTime: created,
  LastModifiedTime: modified,
  EndpointStatus: status,
})

function described(endpoint: Endpoint) {
  const { config, pending, status, reason, deployment, instances, modified } = endpoint
  const { VariantName, InitialVariantWeight: weight = 1, ServerlessConfig } = config.variant
  const serving = status !== 'Creating' && status !== 'Failed'
  const next = status === 'Creating' ? config : pending
  const variant = {
    VariantName,
    CurrentWeight: weight,
    DesiredWeight: weight,
    ...(ServerlessConfig === undefined
      ? { CurrentInstanceCount: instances, DesiredInstanceCount: instances }
      : { CurrentInstanceCount: 0, CurrentServerlessConfig: ServerlessConfig }),
  }
  return {
    ...summary(endpoint),
    EndpointConfigName: config.name,
    FailureReason: reason,
    LastDeploymentConfig: deployment,
    ...(serving && { ProductionVariants: [variant] }),
    ...(next && { PendingDeploymentSummary: { EndpointConfigName: next.name, StartTime: modified } }),
  }
}
