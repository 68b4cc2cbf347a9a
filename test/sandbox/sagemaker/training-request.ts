import type { CreateTrainingJobRequest } from '@aws-sdk/client-sagemaker'
import { AwsError } from '../http.ts'
import type { Caller } from '../s3/state.ts'
import { checkDiskKey } from './disks.ts'
import { invalid } from './errors.ts'
import { keysBelow, locationOf } from './s3.ts'
import type { Shared } from './shared.ts'

/** "Managed Spot Training", SageMaker developer guide: for built-in algorithms that do not write checkpoints. */
const LONGEST_WAIT = 3600

/** What CreateTrainingJob refuses although its model allows it. @throws AwsError */
export function checkTraining(shared: Shared, caller: Caller, request: CreateTrainingJobRequest): void {
  shared.passRole(caller, request.RoleArn ?? '')
  checkAlgorithm(shared, request)
  checkTime(request)
  checkResources(request)
  checkInput(shared, request)
  const { bucket } = locationOf(request.OutputDataConfig?.S3OutputPath ?? '')
  if (!shared.s3.buckets.has(bucket)) throw invalid(`The bucket ${bucket} of S3OutputPath does not exist.`)
}

/** @throws AwsError unless it is the IP Insights image of the region */
function checkAlgorithm({ s3: { region }, image }: Shared, { AlgorithmSpecification }: CreateTrainingJobRequest): void {
  const asked = AlgorithmSpecification?.TrainingImage
  if (asked === undefined) throw invalid('AlgorithmSpecification with a TrainingImage is required.')
  if (asked === image) return
  const [, imageRegion, suffix] = /\.dkr\.ecr\.([^.]+)\.([^/]+)\//.exec(asked) ?? []
  const here = `${region}.${image?.split('/')[0]?.split(`.${region}.`)[1] ?? 'amazonaws.com'}`
  if (`${imageRegion}.${suffix}` !== here)
    throw invalid(
      `Invalid DNS suffix '${suffix}' for region '${imageRegion}' in training image. Please provide the valid <region>.<dns-suffix>: '${here}'`,
    )
  throw invalid(`Cannot find the image ${asked}. This sandbox has ${image ?? `none in ${region}`}.`)
}

function checkTime({ StoppingCondition, EnableManagedSpotTraining }: CreateTrainingJobRequest): void {
  const { MaxRuntimeInSeconds: runtime = 86_400, MaxWaitTimeInSeconds: wait } = StoppingCondition ?? {}
  if (!EnableManagedSpotTraining) {
    if (wait === undefined) return
    throw invalid('MaxWaitTimeInSeconds above 0 is not allowed when EnableManagedSpotTraining is not true.')
  }
  if (wait === undefined || wait < runtime)
    throw invalid(
      'Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds',
    )
  if (wait > LONGEST_WAIT)
    throw invalid(
      `Invalid MaxWaitTimeInSeconds. It must be at most ${LONGEST_WAIT} for built-in algorithms that do not support checkpoints.`,
    )
}

function checkResources({ ResourceConfig }: CreateTrainingJobRequest): void {
  const { InstanceType, InstanceCount, VolumeSizeInGB } = ResourceConfig ?? {}
  if (InstanceType === undefined || InstanceCount === undefined || VolumeSizeInGB === undefined)
    throw invalid('ResourceConfig with InstanceType, InstanceCount and VolumeSizeInGB is required.')
  checkDiskKey('VolumeKmsKeyId', InstanceType, ResourceConfig?.VolumeKmsKeyId)
}

function checkInput(shared: Shared, { InputDataConfig = [], RoleArn = '' }: CreateTrainingJobRequest): void {
  if (InputDataConfig.length === 0) throw invalid('InputDataConfig with at least one channel is required.')
  const names = InputDataConfig.map(({ ChannelName }) => ChannelName)
  if (new Set(names).size < names.length) throw invalid('Channel names must be unique.')
  for (const { CompressionType, DataSource } of InputDataConfig) {
    if (CompressionType === 'Gzip') throw invalid('CompressionType Gzip is only possible with Pipe input mode.')
    const { S3Uri = '', S3DataType } = DataSource?.S3DataSource ?? {}
    if (S3DataType !== 'S3Prefix') throw new AwsError('NotImplemented', 501, `${S3DataType} is not in this sandbox`)
    checkObjects(shared, S3Uri, RoleArn)
  }
}

/** @throws AwsError unless there is something to read */
export function checkObjects({ s3 }: Shared, uri: string, role: string): void {
  const { bucket } = locationOf(uri)
  const sorry = (error: string) =>
    invalid(
      `No S3 objects found under S3 URL "${uri}" given in input data source. Please ensure that the bucket exists in the selected region (${s3.region}), that objects exist under that S3 prefix, and that the role "${role}" has "s3:ListBucket" permissions on bucket "${bucket}". Error message from S3: ${error}`,
    )
  try {
    if (s3.bucket(bucket).region !== s3.region)
      throw sorry('The bucket you are attempting to access must be addressed using the specified endpoint.')
    if (keysBelow(s3, { account: s3.account, arn: role }, uri).length === 0) throw sorry('null')
  } catch (error) {
    if (error instanceof AwsError && error.code !== 'ValidationException') throw sorry(error.message)
    throw error
  }
}
