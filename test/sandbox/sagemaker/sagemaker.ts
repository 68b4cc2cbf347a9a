import type { S3State } from '../s3/state.ts'
import { Scaling } from './autoscaling.ts'
import { EndpointConfigs } from './endpoint-configs.ts'
import { Endpoints } from './endpoints.ts'
import { Models } from './models.ts'
import { Mover } from './mover.ts'
import { defaultSettings, type SageMakerSettings } from './settings.ts'
import { Tags } from './tags.ts'
import { TrainingJobs } from './training.ts'
import { TransformJobs } from './transforms.ts'
import { World } from './world.ts'

/** The SageMaker of a sandbox, as a test reaches into it. */
export class SageMaker {
  readonly settings: SageMakerSettings = defaultSettings()
  readonly world: World
  readonly models: Models
  readonly configs: EndpointConfigs
  readonly endpoints: Endpoints
  readonly trainingJobs: TrainingJobs
  readonly transformJobs: TransformJobs
  readonly scaling = new Scaling(this)

  /** @param broken is told of bugs of the sandbox */
  constructor(s3: S3State, broken: (error: unknown) => void) {
    const mover = new Mover(this.settings, broken)
    const world = new World({ s3, settings: this.settings, mover, tags: new Tags() })
    this.world = world
    this.models = new Models(world)
    this.configs = new EndpointConfigs(world, this.models)
    this.endpoints = new Endpoints(world, this.models, this.configs)
    this.trainingJobs = new TrainingJobs(world)
    this.transformJobs = new TransformJobs(world, this.models)
  }

  /** Move what is under way, or only what has this name, by so many steps. */
  async advance(steps = 1, name?: string): Promise<void> {
    const { mover } = this.world
    for (let i = 0; i < steps; i++) await Promise.all(mover.underWay(name).map((moving) => mover.step(moving)))
  }

  /** Move what is under way, or only what has this name, until it has arrived or is held. */
  async settle(name?: string): Promise<void> {
    while (this.world.mover.underWay(name).length > 0) await this.advance(1, name)
  }

  /** Let what was held go on. */
  release(): void {
    this.world.mover.release()
  }

  /** Names of what is there, by kind: what costs, and what does not. */
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
    this.world.mover.close()
  }
}
