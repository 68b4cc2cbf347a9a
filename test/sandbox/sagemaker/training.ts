import type { CreateTrainingJobRequest } from '@aws-sdk/client-sagemaker'
import type { Caller } from '../s3/state.ts'
import { inUse, invalid } from './errors.ts'
import { listOf } from './lists.ts'
import { type Members, type Shared, sum } from './shared.ts'
import { TrainingJob } from './training-job.ts'
import { checkTraining } from './training-request.ts'

/** Training jobs. They are kept for ever, as on AWS. */
export class TrainingJobs {
  readonly all = new Map<string, TrainingJob>()
  readonly #shared: Shared

  constructor(shared: Shared) {
    this.#shared = shared
  }

  create(request: CreateTrainingJobRequest, caller: Caller) {
    const name = request.TrainingJobName ?? ''
    const arn = this.#shared.arn('training-job', name)
    if (this.all.has(name))
      throw inUse(
        `Training job names must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
      )
    checkTraining(this.#shared, caller, request)
    this.#checkQuota(request)
    this.#shared.tags.create(arn, request.Tags)
    const job = new TrainingJob(this.#shared, request, arn)
    this.all.set(name, job)
    this.#shared.mover.start(job)
    return { TrainingJobArn: arn }
  }

  /** @throws AwsError ResourceLimitExceeded */
  #checkQuota({ ResourceConfig, EnableManagedSpotTraining: spot = false }: CreateTrainingJobRequest): void {
    const { InstanceType, InstanceCount = 1 } = ResourceConfig ?? {}
    const used = [...this.all.values()]
      .filter(({ ended, request }) => ended === undefined && (request.EnableManagedSpotTraining ?? false) === spot)
      .map(({ request: { ResourceConfig: of } }) => (of?.InstanceType === InstanceType ? (of?.InstanceCount ?? 1) : 0))
    const name = `${InstanceType} for ${spot ? 'spot ' : ''}training job usage`
    this.#shared.quota(name, sum(used), InstanceCount)
  }

  /** @throws AwsError not ResourceNotFound, as the model has it */
  #find(name: unknown): TrainingJob {
    const job = this.all.get(String(name))
    if (job === undefined || this.#shared.isUnseen(job)) throw invalid('Requested resource not found.')
    return job
  }

  describe({ TrainingJobName }: Members) {
    const job = this.#find(TrainingJobName)
    const answer = described(job)
    this.#shared.mover.polled(job)
    return answer
  }

  stop({ TrainingJobName }: Members): void {
    const job = this.#find(TrainingJobName)
    if (job.status === 'Stopping') return
    if (job.status !== 'InProgress')
      throw invalid(`The request was rejected because the training job is in status ${job.status}.`)
    job.stop()
    this.#shared.mover.start(job)
  }

  list(input: Members) {
    const { page, next } = listOf(this.all.values(), input)
    return {
      TrainingJobSummaries: page.map((job) => ({
        TrainingJobName: job.name,
        TrainingJobArn: job.arn,
        CreationTime: job.created,
        TrainingEndTime: job.ended,
        LastModifiedTime: job.modified,
        TrainingJobStatus: job.status,
        SecondaryStatus: job.secondary,
      })),
      NextToken: next,
    }
  }
}

function described(job: TrainingJob) {
  const { Tags: _, SessionChainingConfig: __, ...request } = job.request
  const metrics = [{ MetricName: 'validation:discriminator_auc', Value: job.auc, Timestamp: job.ended }]
  return {
    ...request,
    TrainingJobArn: job.arn,
    ModelArtifacts: { S3ModelArtifacts: job.output },
    TrainingJobStatus: job.status,
    SecondaryStatus: job.secondary,
    FailureReason: job.reason,
    StoppingCondition: { MaxRuntimeInSeconds: 86_400, ...request.StoppingCondition },
    CreationTime: job.created,
    TrainingStartTime: job.started,
    TrainingEndTime: job.ended,
    LastModifiedTime: job.modified,
    SecondaryStatusTransitions: job.transitions,
    FinalMetricDataList: job.auc === undefined ? undefined : metrics,
    TrainingTimeInSeconds: job.seconds?.training,
    BillableTimeInSeconds: job.seconds?.billable,
  }
}
