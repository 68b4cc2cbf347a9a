import { UsageError } from '../../lib/cli/errors.ts'
import { INSTANCES, LADDER, modelBytesOf } from '../../lib/runs/instances.ts'

/** Share of the entities that must share their vector with others: 1 - e^(-U/K), for entities hashed into K vectors. */
export const sharingShare = (entities: number, vectors: number): number => 1 - Math.exp(-entities / vectors)

/** Vectors for each entity: with ten, one in ten entities shares its vector; with AWS's two it would be four in ten. */
const PER_ENTITY = 10
const FEWEST = 1000
/** More would need a larger instance to train, and to serve. */
const COMFORTABLE = 2 ** 30
/** "IP Insights", SageMaker developer guide: the largest model. */
const LARGEST = 8 * 2 ** 30

/** How many entity vectors to train: ten for each entity, while the model stays below a gigabyte; never less than AWS's two. */
export function vectorsFor(entities: number, dim: number): number {
  const most = Math.floor(COMFORTABLE / (4 * dim))
  return Math.max(2 * entities, FEWEST, Math.min(PER_ENTITY * entities, most))
}

export interface Work {
  readonly pairs: number
  readonly epochs: number
  /** Bytes of the pairs, of training and holdout. */
  readonly bytes: number
  readonly entityVectors: number
  readonly dim: number
}

/** Seconds until an instance has fetched the image and begins: others reported 216 of ml.m5.large. */
const START_SECONDS = 240
/** Pairs a second of an epoch. Of a GPU: AWS's tutorial on ml.p3.2xlarge. Of a processor core: guessed low. */
const RATE = { gpu: 24_000, cpu: 2000 } as const

/** Seconds that training may take: an estimate, off by a factor of some. */
export function secondsOf({ pairs, epochs }: Work, instanceType: string): number {
  const { cpus, gpus = 0 } = INSTANCES[instanceType] ?? { cpus: 4 }
  const rate = gpus > 0 ? RATE.gpu * gpus : RATE.cpu * cpus
  return START_SECONDS + Math.ceil((pairs * epochs) / rate)
}

/** Weights, gradients and the two moments of Adam; the pairs in the memory of a table; the container itself. */
const memoryOf = ({ bytes, entityVectors, dim }: Work): number =>
  4 * modelBytesOf(entityVectors, dim) + 4 * bytes + 2 * 2 ** 30

const GOOD_SECONDS = 3600

/** The smallest instance that has the memory, or a larger one where that would take more than an hour. */
export function instanceFor(work: Work): string {
  const fitting = LADDER.filter((type) => (INSTANCES[type]?.memoryGiB ?? 0) * 2 ** 30 * 0.9 >= memoryOf(work))
  const quick = fitting.find((type) => secondsOf(work, type) <= GOOD_SECONDS)
  return quick ?? fitting.at(-1) ?? LADDER[LADDER.length - 1] ?? 'ml.m5.12xlarge'
}

/** Gigabytes of disk: pairs and model twice over, and some to breathe. */
export const volumeFor = ({ bytes, entityVectors, dim }: Work): number =>
  5 + Math.ceil((2 * bytes + 2 * modelBytesOf(entityVectors, dim)) / 1e9)

/** Seconds after which a job is stopped if nobody says otherwise: whole hours, four times the estimate. */
export const runtimeFor = (seconds: number): number => Math.min(5 * 24, Math.ceil((4 * seconds) / 3600)) * 3600

/** @throws UsageError when SageMaker would train a model that it cannot serve */
export function checkModelSize(entityVectors: number, dim: number): void {
  if (modelBytesOf(entityVectors, dim) <= LARGEST) return
  throw new UsageError(
    `${entityVectors} entity vectors of ${dim} dimensions are a model of more than 8 GB, the most that IP Insights has`,
    'lower --num-entity-vectors or --vector-dim',
  )
}
