import type { S3State } from '../s3/state.ts'
import { Scaling } from './autoscaling.ts'
import { EndpointConfigs } from './endpoint-configs.ts'
import { Endpoints } from './endpoints.ts'
import { Models } from './models.ts'
import { Mover } from './mover.ts'
import { defaultSettings, type SageMakerSettings } from './settings.ts'
import { Shared } from './shared.ts'
import { Tags } from './tags.ts'
import { TrainingJobs } from './training.ts'
import { TransformJobs } from './transforms.ts'

/** The SageMaker of a sandbox, as a test reaches into it. */
export class SageMaker {
  readonly settings: SageMakerSettings = defaultSettings()
  readonly shared: Shared
  readonly models: Models
  readonly configs: EndpointConfigs
  readonly endpoints: Endpoints
  readonly trainingJobs: TrainingJobs
  readonly transformJobs: TransformJobs
  readonly scaling = new Scaling(this)

  /** @param broken called with bugs of the sandbox */
  constructor(s3: S3State, broken: (error: unknown) => void) {
    const mover = new Mover(this.settings, broken)
    const shared = new Shared({ s3, settings: this.settings, mover, tags: new Tags() })
    this.shared = shared
    this.models = new Models(shared)
    this.configs = new EndpointConfigs(shared, this.models)
    this.endpoints = new Endpoints(shared, this.models, this.configs)
    this.trainingJobs = new TrainingJobs(shared)
    this.transformJobs = new TransformJobs(shared, this.models)
  }

  /** Move what is under way, or only what has this name, by so many steps. */
  async advance(steps = 1, name?: string): Promise<void> {
    const { mover } = this.shared
    for (let i = 0; i < steps; i++) await Promise.all(mover.underWay(name).map((moving) => mover.step(moving)))
  }

  /** Move what is under way, or only what has this name, until it has reached its final state or is held. */
  async settle(name?: string): Promise<void> {
    while (this.shared.mover.underWay(name).length > 0) await this.advance(1, name)
  }

  /** Release what was held. */
  release(): void {
    this.shared.mover.release()
  }

  /** Names of all resources, by kind: those that cost, and the others. */
  names(): Record<'endpoints' | 'configs' | 'models' | 'trainingJobs' | 'transformJobs', string[]> {
    const { endpoints, configs, models, trainingJobs, transformJobs } = this
    const keys = ({ all }: { all: ReadonlyMap<string, unknown> }) => [...all.keys()]
    return {
      endpoints: keys(endpoints),
      configs: keys(configs),
      models: keys(models),
      trainingJobs: keys(trainingJobs),
      transformJobs: keys(transformJobs),
    }
  }

  close(): void {
    this.shared.mover.close()
  }
}
