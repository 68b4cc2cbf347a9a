import { createHash } from 'node:crypto'
import type { SageMakerClient } from '@aws-sdk/client-sagemaker'
import { bucketKeyFor } from '../../lib/aws/bucket-key.ts'
import { imageOf } from '../../lib/aws/sagemaker/image.ts'
import {
  checkSagemakerOptions,
  cliFlags,
  roleOf,
  type SagemakerOptions,
  tagsIn,
} from '../../lib/aws/sagemaker/options.ts'
import type { CommandResult, Context } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration, plural } from '../../lib/cli/format.ts'
import type { Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import type { StepSettings } from '../../lib/runs/ledger.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run, StepPlan } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { locationOf } from '../../lib/stores/uri.ts'
import { limitsOf } from './options.ts'
import type { PairSet, PairSource } from './pair-set.ts'
import {
  estimateOf,
  type PlannedJob,
  renderTrainingJob,
  renderTrainingJobPlan,
  resultOfJob,
  trainingJobApproval,
  warningsOf,
} from './render.ts'
import {
  checkModelSize,
  instanceFor,
  runtimeFor,
  secondsOf,
  type TrainingJobSpec,
  trainingJobName,
  trainingJobRequest,
  volumeFor,
  type Work,
  whyInstance,
} from './spec.ts'

export interface TrainOptions extends SagemakerOptions {
  readonly stack?: string | undefined
  readonly spot: boolean
  readonly maxRuntime?: number | undefined
  readonly maxWait?: number | undefined
  readonly alertsPerDay: number
  readonly overwrite: boolean
  readonly dryRun: boolean
}

export interface TrainRequest {
  readonly context: Context
  readonly options: TrainOptions
  readonly aws: AwsSettings
  /** The chosen hyperparameters, as the ledger records them. */
  readonly settings: StepSettings
  hyperparametersFor(entities: number): Hyperparameters
}

/** Trains in SageMaker, or continues to wait for a job that is under way. */
export async function trainInSagemaker(source: PairSource, request: TrainRequest): Promise<CommandResult> {
  const { context, options, settings } = request
  const planned = async () => planJob(await source.pairSet(), request)
  if (options.dryRun) return renderTrainingJobPlan(await planned())
  let isApproved = false
  const approve = async () => {
    if (!isApproved) await context.approve(trainingJobApproval(await planned()))
    isApproved = true
  }
  const run = await source.run(approve)
  const plan: StepPlan = {
    settings,
    inputs: ['extract'],
    overwrite: options.overwrite,
    redoIf: async () => (await run.store.head(keyIn(run, run.result('train').model))) === undefined,
  }
  if (!(await run.isCurrent('train', plan))) {
    const job = await planned()
    // A job that is under way was approved before.
    const saved = run.unfinished('train', plan)?.checkpoint
    if (saved === undefined || !(await isPaid(job, saved, request.aws))) await approve()
    for (const warning of warningsOf(job)) context.talk.warn(warning)
  }
  const work = async (checkpoint: Checkpoint<Saved<'train'>>) => trained(await planned(), checkpoint, request)
  const { repeated } = await run.step('train', plan, work)
  return renderTrainingJob(run.id, run.resultBy('sagemaker', 'train'), repeated, nextCommand('deploy', run))
}

const keyIn = (run: Run, uri: string): string => (uri.startsWith(`${run.uri}/`) ? uri.slice(run.uri.length + 1) : uri)

/** @throws UsageError when options do not go together; UserError where SageMaker has no IP Insights */
async function planJob(pairSet: PairSet, request: TrainRequest): Promise<PlannedJob> {
  const { options, aws, hyperparametersFor } = request
  checkSagemakerOptions(options)
  const { id, workspace, store, pairs, holdoutPairs, entities, bytes, digest } = pairSet
  const hyperparameters = hyperparametersFor(entities)
  const { num_entity_vectors: entityVectors, vector_dim: dim, epochs } = hyperparameters
  checkModelSize(entityVectors, dim)
  const location = locationOf(store.uri)
  if (location.kind !== 's3') throw new Error(`${store.uri} is not in S3`)
  const { regionOf } = await import('../../lib/aws/clients.ts')
  const region = await regionOf(aws, location.bucket)
  const work: Work = { pairs, epochs, bytes, entityVectors, dim }
  const instanceType = options.instanceType ?? instanceFor(work)
  const seconds = secondsOf(work, instanceType)
  const spec: TrainingJobSpec = {
    id,
    workspace,
    region,
    image: imageOf(region),
    hyperparameters,
    train: store.uriOf(paths.train),
    validation: holdoutPairs === 0 ? undefined : store.uriOf(paths.holdout),
    digest,
    output: store.uriOf('model'),
    instanceType,
    volumeGB: volumeFor(work),
    ...limitsOf(options, runtimeFor(seconds)),
    subnets: options.subnet,
    securityGroups: options.securityGroup,
    kmsKey: options.kmsKey,
    bucketKey: await bucketKeyFor(options, aws, location.bucket),
    tags: tagsIn(options),
  }
  const why = whyInstance(work, instanceType, options.instanceType)
  return { pairSet, spec, why, alertsPerDay: options.alertsPerDay, estimate: estimateOf(spec, seconds) }
}

const clientFor = async ({ spec }: PlannedJob, aws: AwsSettings): Promise<SageMakerClient> => {
  const { sagemakerClient } = await import('../../lib/aws/clients.ts')
  return sagemakerClient(aws, spec.region)
}

/** Whether the job that an interrupted attempt has saved exists, so that no other one is created. */
async function isPaid(planned: PlannedJob, saved: Saved<'train'>, aws: AwsSettings): Promise<boolean> {
  const { job: name } = saved
  if (saved.jobOf !== trainingJobName(planned.spec, 1) || name === undefined) return false
  const { findJob, trainingJobs, whyFailed } = await import('../../lib/aws/sagemaker/jobs.ts')
  const api = trainingJobs(await clientFor(planned, aws))
  const job = await findJob(api, name)
  if (job === undefined) return false
  return !/^(Failed|Stopped)$/.test(api.stateOf(job).status ?? '') || !whyFailed(api, name, job).passes
}

/** @throws UserError that explains why the job has failed */
async function trained(
  planned: PlannedJob,
  checkpoint: Checkpoint<Saved<'train'>>,
  { context, options, aws }: TrainRequest,
) {
  const { spec, pairSet } = planned
  const { CreateTrainingJobCommand } = await import('@aws-sdk/client-sagemaker')
  const { runJob, trainingJobs } = await import('../../lib/aws/sagemaker/jobs.ts')
  const client = await clientFor(planned, aws)
  const progress = context.progress('SageMaker')
  const first = trainingJobName(spec, 1)
  const { saved } = checkpoint
  const job = await runJob(
    trainingJobs(client),
    {
      nameOf: (attempt) => trainingJobName(spec, attempt),
      ...(saved.jobOf === first && saved.attempt !== undefined && { firstAttempt: saved.attempt }),
      isUsable: () => !options.overwrite,
      repeatsFailures: options.overwrite,
      onJob: (name, attempt) => checkpoint.save({ jobOf: first, attempt, job: name }),
      create: async (name) =>
        client.send(new CreateTrainingJobCommand(trainingJobRequest(spec, name, roleOf(options)))),
    },
    {
      signal: context.signal,
      sleep: context.sleep,
      onState: (text) => progress.state(text),
      onLeft: (name) =>
        context.talk.warn(
          `training job ${name} goes on in AWS, and costs money. The same command continues to wait for it; this stops it:\n  aws sagemaker stop-training-job --training-job-name ${name}${cliFlags(spec.region, aws)}`,
        ),
    },
  )
  const { BillableTimeInSeconds: billedSeconds = 0, FinalMetricDataList = [] } = job
  const auc = FinalMetricDataList.find(({ MetricName }) => MetricName === 'validation:discriminator_auc')?.Value
  const model = job.ModelArtifacts?.S3ModelArtifacts ?? ''
  const artifact = await pairSet.store.head(model.slice(pairSet.store.uri.length + 1))
  if (artifact === undefined)
    throw new UserError(`${model}: the job is completed, but its model is missing`, {
      hint: '--overwrite trains again',
    })
  progress.end(
    `${spec.instanceType}, ${duration(billedSeconds * 1000)} to be paid for, ${plural(pairSet.pairs, 'pair')}`,
  )
  return resultOfJob(planned, {
    job: job.TrainingJobName ?? '',
    model,
    modelBytes: artifact.size,
    digest: createHash('sha256').update(`${model} ${artifact.etag} ${artifact.size}`).digest('hex'),
    auc: auc ?? null,
    trainSeconds: job.TrainingTimeInSeconds ?? 0,
    billedSeconds,
  })
}
