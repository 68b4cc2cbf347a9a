import type { Channel, CreateTrainingJobCommandInput, Tag } from '@aws-sdk/client-sagemaker'
import { jobName, tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { bytes as byteText } from '../../lib/cli/format.ts'
import { asStrings, type Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import { hasOwnDisk, INSTANCES, LADDER, modelBytesOf } from '../../lib/runs/cost.ts'

/** Everything that determines a training job. */
export interface TrainingJobSpec {
  /** Of the run. */
  readonly id: string
  readonly workspace: string
  readonly region: string
  readonly image: string
  readonly hyperparameters: Hyperparameters
  /** `s3://…/` prefixes. */
  readonly train: string
  readonly validation: string | undefined
  /** Digest of the pairs. */
  readonly digest: string
  /** `s3://…` below which the model is written. */
  readonly output: string
  readonly instanceType: string
  readonly volumeGB: number
  readonly maxRuntimeSeconds: number
  /** Set for spot instances. */
  readonly maxWaitSeconds: number | undefined
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
  /** Encrypts the model and the disk. */
  readonly kmsKey: string | undefined
  /** Encrypts the model where no key is named: SageMaker would not take the bucket's own by itself. */
  readonly bucketKey?: string | undefined
  readonly tags: readonly Tag[]
}

/** Equal specs have equal names, so that a job is found again; other settings or other pairs make another job. */
export function trainingJobName({ tags: _, ...shaping }: TrainingJobSpec, attempt: number): string {
  return jobName(shaping.id, shaping, attempt)
}

/** The request for a job. */
export function trainingJobRequest(spec: TrainingJobSpec, name: string, role: string): CreateTrainingJobCommandInput {
  const { subnets, securityGroups, kmsKey, maxWaitSeconds, validation } = spec
  const diskKey = hasOwnDisk(spec.instanceType) ? undefined : kmsKey
  const outputKey = kmsKey ?? spec.bucketKey
  return {
    TrainingJobName: name,
    RoleArn: role,
    AlgorithmSpecification: { TrainingImage: spec.image, TrainingInputMode: 'File' },
    HyperParameters: asStrings(spec.hyperparameters),
    InputDataConfig: [
      channel('train', spec.train),
      ...(validation === undefined ? [] : [channel('validation', validation)]),
    ],
    OutputDataConfig: { S3OutputPath: spec.output, ...(outputKey !== undefined && { KmsKeyId: outputKey }) },
    ResourceConfig: {
      InstanceType: spec.instanceType as NonNullable<CreateTrainingJobCommandInput['ResourceConfig']>['InstanceType'],
      InstanceCount: 1,
      VolumeSizeInGB: spec.volumeGB,
      ...(diskKey !== undefined && { VolumeKmsKeyId: diskKey }),
    },
    StoppingCondition: {
      MaxRuntimeInSeconds: spec.maxRuntimeSeconds,
      ...(maxWaitSeconds !== undefined && { MaxWaitTimeInSeconds: maxWaitSeconds }),
    },
    ...(maxWaitSeconds !== undefined && { EnableManagedSpotTraining: true }),
    ...(subnets.length > 0 && { VpcConfig: { Subnets: [...subnets], SecurityGroupIds: [...securityGroups] } }),
    Tags: tagsOf(spec.id, spec.workspace, spec.tags),
  }
}

/** IP Insights reads plain CSV in File mode; every instance reads all of it. */
const channel = (ChannelName: string, S3Uri: string): Channel => ({
  ChannelName,
  ContentType: 'text/csv',
  InputMode: 'File',
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri, S3DataDistributionType: 'FullyReplicated' } },
})

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

/** Why this instance type, for the plan. */
export function whyInstance(work: Work, instanceType: string, named: string | undefined): string {
  const needed = byteText(memoryOf(work))
  const { memoryGiB } = INSTANCES[instanceType] ?? {}
  if (memoryGiB !== undefined && memoryGiB * 2 ** 30 < memoryOf(work))
    return `which may be too small: training may take ${needed} of memory`
  if (named !== undefined) return `as you named it; training may take ${needed} of memory`
  return `the smallest for ${needed} of memory${secondsOf(work, instanceType) <= GOOD_SECONDS ? ' and at most an hour' : ''}`
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
