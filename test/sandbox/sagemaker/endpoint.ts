import type { CreateEndpointInput, EndpointStatus } from '@aws-sdk/client-sagemaker'
import type { Model } from '../../../scripts/lib/insights/model.ts'
import type { EndpointConfig, EndpointConfigs } from './endpoint-configs.ts'
import { unhealthy } from './failures.ts'
import { LoadFailure, type Models } from './models.ts'
import type { Moving } from './mover.ts'
import type { Shared } from './shared.ts'

export interface Parts {
  readonly shared: Shared
  readonly models: Models
  readonly configs: EndpointConfigs
  /** Called when it is gone. */
  gone(endpoint: Endpoint): void
}

const MOVING: readonly EndpointStatus[] = ['Creating', 'Updating', 'Deleting']

/** An endpoint and its state. Times are seconds. */
export class Endpoint implements Moving {
  readonly kind = 'endpoint'
  readonly name: string
  readonly arn: string
  readonly created: number
  deployment: CreateEndpointInput['DeploymentConfig']
  status: EndpointStatus = 'Creating'
  reason: string | undefined
  modified: number
  /** The configuration in service, or the first one to be. */
  config: EndpointConfig
  /** The configuration that it is being updated to. */
  pending: EndpointConfig | undefined
  /** Whether an update keeps the number of instances. */
  retain = false
  /** The model that answers; undefined until the endpoint was in service once. */
  model: Model | undefined
  /** Instances of the variant; serverless ones have none. */
  instances: number
  /** Invocations since the model was deployed. */
  invocations = 0
  /** Invocations that are being answered. */
  inFlight = 0
  readonly #parts: Parts
  #isGone = false

  constructor(parts: Parts, name: string, arn: string, config: EndpointConfig) {
    this.#parts = parts
    this.name = name
    this.arn = arn
    this.config = config
    this.instances = config.variant.InitialInstanceCount ?? 0
    this.created = parts.shared.now()
    this.modified = this.created
  }

  stage(): string | undefined {
    return !this.#isGone && MOVING.includes(this.status) ? this.status : undefined
  }

  get isServerless(): boolean {
    return this.config.variant.ServerlessConfig !== undefined
  }

  go(status: EndpointStatus, reason?: string): void {
    this.status = status
    this.reason = reason === '' ? undefined : reason?.slice(0, 1024)
    this.modified = this.#parts.shared.now()
  }

  async step(): Promise<void> {
    const { shared } = this.#parts
    const stage = this.status
    const failure = shared.failure('endpoint', stage, this.name)
    if (stage === 'Deleting') {
      if (failure) return this.go('Failed', failure.reason)
      this.#isGone = true
      return this.#parts.gone(this)
    }
    try {
      if (failure?.into === 'UpdateRollbackFailed') return this.go(failure.into, failure.reason)
      if (failure) throw new LoadFailure(failure.reason)
      await this.#deploy(this.pending ?? this.config)
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error
      if (this.status === stage) this.#refuse(error.message)
    }
  }

  async #deploy(config: EndpointConfig): Promise<void> {
    const { models, configs } = this.#parts
    const { ServerlessConfig } = config.variant
    const model = await models.load(config.variant.ModelName ?? '')
    if ((ServerlessConfig?.MemorySizeInMB ?? Number.POSITIVE_INFINITY) < this.#parts.shared.settings.leastMemoryMB)
      throw new LoadFailure(unhealthy.reason)
    if (this.status === 'Deleting') return
    // Without its old configuration an update cannot complete.
    if (this.pending && !configs.all.has(this.config.name))
      return this.go('Failed', `Could not find endpoint configuration "${this.config.arn}".`)
    this.model = model
    this.config = config
    const wanted = config.variant.InitialInstanceCount ?? 0
    this.instances = this.retain && this.pending && wanted > 0 ? this.instances : wanted
    this.pending = undefined
    this.invocations = 0
    this.go('InService')
  }

  /** A new endpoint has failed; one that is being updated keeps its old configuration. */
  #refuse(reason: string): void {
    this.pending = undefined
    this.go(this.model === undefined ? 'Failed' : 'InService', reason)
  }
}
