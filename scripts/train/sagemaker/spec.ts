import { createHash } from 'node:crypto'
import type { Channel, CreateTrainingJobCommandInput, Tag } from '@aws-sdk/client-sagemaker'
import { resourceName, tagsOf } from '../../lib/aws/sagemaker/jobs.ts'
import { asStrings, type Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import { hasOwnDisk } from '../../lib/runs/instances.ts'

/** All that a training job is made of. */
export interface Order {
  /** Names it: the id of the run, or of the files. */
  readonly id: string
  readonly workspace: string
  readonly region: string
  readonly image: string
  readonly hyperparameters: Hyperparameters
  /** `s3://…/` prefixes. */
  readonly train: string
  readonly validation: string | undefined
  /** Digest of what lies there. */
  readonly digest: string
  /** `s3://…` below which the model goes. */
  readonly output: string
  readonly instanceType: string
  readonly volumeGB: number
  readonly maxRuntimeSeconds: number
  /** With it, on spot instances. */
  readonly maxWaitSeconds: number | undefined
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
  readonly kmsKey: string | undefined
  readonly tags: readonly Tag[]
}

/** Equal orders have equal names, so that a job is found again; other settings or other pairs make another job. */
export function jobName(order: Order, attempt: number): string {
  const { tags: _, ...shaping } = order
  const hash = createHash('sha256').update(JSON.stringify(shaping)).digest('hex').slice(0, 6)
  return resourceName(order.id, attempt === 1 ? hash : `${hash}-${attempt}`)
}

/** What is asked of SageMaker. */
export function requestOf(order: Order, name: string, role: string): CreateTrainingJobCommandInput {
  const { subnets, securityGroups, kmsKey, maxWaitSeconds, validation } = order
  const diskKey = hasOwnDisk(order.instanceType) ? undefined : kmsKey
  return {
    TrainingJobName: name,
    RoleArn: role,
    AlgorithmSpecification: { TrainingImage: order.image, TrainingInputMode: 'File' },
    HyperParameters: asStrings(order.hyperparameters),
    InputDataConfig: [
      channel('train', order.train),
      ...(validation === undefined ? [] : [channel('validation', validation)]),
    ],
    OutputDataConfig: { S3OutputPath: order.output, ...(kmsKey !== undefined && { KmsKeyId: kmsKey }) },
    ResourceConfig: {
      InstanceType: order.instanceType as NonNullable<CreateTrainingJobCommandInput['ResourceConfig']>['InstanceType'],
      InstanceCount: 1,
      VolumeSizeInGB: order.volumeGB,
      ...(diskKey !== undefined && { VolumeKmsKeyId: diskKey }),
    },
    StoppingCondition: {
      MaxRuntimeInSeconds: order.maxRuntimeSeconds,
      ...(maxWaitSeconds !== undefined && { MaxWaitTimeInSeconds: maxWaitSeconds }),
    },
    ...(maxWaitSeconds !== undefined && { EnableManagedSpotTraining: true }),
    ...(subnets.length > 0 && { VpcConfig: { Subnets: [...subnets], SecurityGroupIds: [...securityGroups] } }),
    Tags: tagsOf(order.id, order.workspace, order.tags),
  }
}

/** IP Insights reads plain CSV in File mode; every instance reads all of it. */
const channel = (ChannelName: string, S3Uri: string): Channel => ({
  ChannelName,
  ContentType: 'text/csv',
  InputMode: 'File',
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri, S3DataDistributionType: 'FullyReplicated' } },
})
