import type { Channel, CreateTrainingJobCommandInput, Tag } from '@aws-sdk/client-sagemaker'
import { jobName, tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { asStrings, type Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import { hasOwnDisk } from '../../lib/runs/instances.ts'

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
  readonly kmsKey: string | undefined
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
  return {
    TrainingJobName: name,
    RoleArn: role,
    AlgorithmSpecification: { TrainingImage: spec.image, TrainingInputMode: 'File' },
    HyperParameters: asStrings(spec.hyperparameters),
    InputDataConfig: [
      channel('train', spec.train),
      ...(validation === undefined ? [] : [channel('validation', validation)]),
    ],
    OutputDataConfig: { S3OutputPath: spec.output, ...(kmsKey !== undefined && { KmsKeyId: kmsKey }) },
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
