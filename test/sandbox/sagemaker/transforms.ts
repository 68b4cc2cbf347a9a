import type { CreateTransformJobRequest } from '@aws-sdk/client-sagemaker'
import { AwsError } from '../http.ts'
import { checkDiskKey } from './disks.ts'
import { inUse, invalid } from './errors.ts'
import { listOf } from './lists.ts'
import type { Models } from './models.ts'
import { locationOf } from './s3.ts'
import { type Members, type Shared, sum } from './shared.ts'
import { checkObjects } from './training-request.ts'
import { TransformJob } from './transform-job.ts'

/** Batch transforms. They are kept for ever, as on AWS. */
export class TransformJobs {
  readonly all = new Map<string, TransformJob>()
  readonly #shared: Shared
  readonly #models: Models

  constructor(shared: Shared, models: Models) {
    this.#shared = shared
    this.#models = models
  }

  create(request: CreateTransformJobRequest) {
    const name = request.TransformJobName ?? ''
    const arn = this.#shared.arn('transform-job', name)
    if (this.all.has(name))
      throw inUse(
        `Transform job names must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
      )
    this.#check(request)
    this.#shared.tags.create(arn, request.Tags)
    const job = new TransformJob(this.#shared, this.#models, request, arn)
    this.all.set(name, job)
    this.#shared.mover.start(job)
    return { TransformJobArn: arn }
  }

  #check(request: CreateTransformJobRequest): void {
    const model = this.#models.find(request.ModelName)
    const { TransformInput, TransformOutput, TransformResources, DataProcessing } = request
    if (DataProcessing !== undefined || (TransformInput?.CompressionType ?? 'None') !== 'None')
      throw new AwsError('NotImplemented', 501, 'DataProcessing and CompressionType are not in this sandbox')
    if (request.MaxPayloadInMB === 0)
      throw invalid('Chunked encoding (MaxPayloadInMB 0) is not supported by built-in algorithms.')
    if (request.MaxPayloadInMB !== undefined && request.MaxPayloadInMB > 100)
      throw invalid('MaxPayloadInMB must be less than or equal to 100.')
    const { S3Uri = '', S3DataType } = TransformInput?.DataSource?.S3DataSource ?? {}
    if (S3DataType !== 'S3Prefix') throw new AwsError('NotImplemented', 501, `${S3DataType} is not in this sandbox`)
    checkObjects(this.#shared, S3Uri, model.request.ExecutionRoleArn ?? '')
    const { bucket } = locationOf(TransformOutput?.S3OutputPath ?? '')
    if (!this.#shared.s3.buckets.has(bucket)) throw invalid(`The bucket ${bucket} of S3OutputPath does not exist.`)
    const { InstanceType, InstanceCount = 0, VolumeKmsKeyId } = TransformResources ?? {}
    checkDiskKey('VolumeKmsKeyId', InstanceType, VolumeKmsKeyId)
    const used = [...this.all.values()]
      .filter(({ ended }) => ended === undefined)
      .map(({ request: { TransformResources: of } }) =>
        of?.InstanceType === InstanceType ? (of?.InstanceCount ?? 0) : 0,
      )
    this.#shared.quota(`${InstanceType} for transform job usage`, sum(used), InstanceCount)
  }

  #find(name: unknown): TransformJob {
    const job = this.all.get(String(name))
    if (job === undefined || this.#shared.isUnseen(job))
      throw invalid(`Could not find requested job with name: ${String(name)}`)
    return job
  }

  describe({ TransformJobName }: Members) {
    const job = this.#find(TransformJobName)
    const { Tags: _, ...request } = job.request
    const answer = {
      ...request,
      TransformJobArn: job.arn,
      TransformJobStatus: job.status,
      FailureReason: job.reason,
      CreationTime: job.created,
      TransformStartTime: job.started,
      TransformEndTime: job.ended,
    }
    this.#shared.mover.polled(job)
    return answer
  }

  stop({ TransformJobName }: Members): void {
    const job = this.#find(TransformJobName)
    if (job.status === 'Stopping') return
    if (job.status !== 'InProgress')
      throw invalid(`The request was rejected because the transform job is in status ${job.status}.`)
    job.stop()
    this.#shared.mover.start(job)
  }

  list(input: Members) {
    const { page, next } = listOf(this.all.values(), input)
    return {
      TransformJobSummaries: page.map((job) => ({
        TransformJobName: job.name,
        TransformJobArn: job.arn,
        CreationTime: job.created,
        TransformEndTime: job.ended,
        LastModifiedTime: job.ended ?? job.started ?? job.created,
        TransformJobStatus: job.status,
        FailureReason: job.reason,
      })),
      NextToken: next,
    }
  }
}
