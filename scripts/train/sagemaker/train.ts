import { createHash } from 'node:crypto'
import { imageOf } from '../../lib/aws/sagemaker/image.ts'
import { checkWish, cliFlags, roleOf, tagsIn, type Wish } from '../../lib/aws/sagemaker/options.ts'
import type { Context } from '../../lib/cli/context.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration, plural } from '../../lib/cli/format.ts'
import type { Hyperparameters } from '../../lib/insights/hyperparameters.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { locationOf } from '../../lib/stores/uri.ts'
import { limitsOf } from './options.ts'
import { estimateOf, resultOfJob } from './render.ts'
import { checkModelSize, instanceFor, runtimeFor, secondsOf, volumeFor, type Work } from './size.ts'
import type { Order } from './spec.ts'

/** Pairs that lie in S3, and where the model goes. */
export interface Staged {
  /** Names what is made of them. */
  readonly id: string
  readonly workspace: string
  /** Where all of it lies. */
  readonly store: Store
  /** Prefixes in the store. */
  readonly train: string
  readonly holdout: string
  readonly model: string
  readonly pairs: number
  readonly holdoutPairs: number
  readonly entities: number
  readonly bytes: number
  readonly digest: string
}

export interface TrainWish extends Wish {
  readonly spot: boolean
  readonly maxRuntime?: number | undefined
  readonly maxWait?: number | undefined
  readonly alertsPerDay: number
  readonly overwrite: boolean
}

/** A job that is planned: nothing of it has been sent. */
export type Planned = Awaited<ReturnType<typeof planTraining>>

/** @throws UsageError when options do not go together; UserError where SageMaker has no IP Insights */
export async function planTraining(
  staged: Staged,
  hyperparameters: Hyperparameters,
  wish: TrainWish,
  aws: AwsSettings,
) {
  checkWish(wish)
  const { num_entity_vectors: entityVectors, vector_dim: dim, epochs } = hyperparameters
  checkModelSize(entityVectors, dim)
  const location = locationOf(staged.store.uri)
  if (location.kind !== 's3') throw new Error(`${staged.store.uri} is not in S3`)
  const { regionOf } = await import('../../lib/aws/clients.ts')
  const region = await regionOf(aws, location.bucket)
  const work: Work = { pairs: staged.pairs, epochs, bytes: staged.bytes, entityVectors, dim }
  const instanceType = wish.instanceType ?? instanceFor(work)
  const seconds = secondsOf(work, instanceType)
  const at = (prefix: string) => staged.store.uriOf(prefix)
  const order: Order = {
    id: staged.id,
    workspace: staged.workspace,
    region,
    image: imageOf(region),
    hyperparameters,
    train: at(staged.train),
    validation: staged.holdoutPairs === 0 ? undefined : at(staged.holdout),
    digest: staged.digest,
    output: at(staged.model).replace(/\/$/, ''),
    instanceType,
    volumeGB: volumeFor(work),
    ...limitsOf(wish, runtimeFor(seconds)),
    subnets: wish.subnet,
    securityGroups: wish.securityGroup,
    kmsKey: wish.kmsKey,
    tags: tagsIn(wish),
  }
  return { staged, order, wish, aws, estimate: estimateOf(order, seconds) }
}

/** Whether nothing is to be paid but a job that exists. @param noted by an attempt that was interrupted */
export async function isPaid({ order, aws }: Planned, noted: Saved<'train'>): Promise<boolean> {
  const { sagemakerClient } = await import('../../lib/aws/clients.ts')
  const { isOrdered } = await import('./job.ts')
  return isOrdered(await sagemakerClient(aws, order.region), order, noted)
}

/** Has it trained, or takes up what is under way. @throws UserError that explains the failure */
export async function trainInSagemaker(context: Context, planned: Planned, checkpoint: Checkpoint<Saved<'train'>>) {
  const { order, wish, aws, staged } = planned
  const { sagemakerClient } = await import('../../lib/aws/clients.ts')
  const { trainingJob } = await import('./job.ts')
  const progress = context.progress('SageMaker')
  const job = await trainingJob(
    {
      client: await sagemakerClient(aws, order.region),
      role: () => roleOf(wish),
      checkpoint,
      overwrite: wish.overwrite,
      signal: context.signal,
      onState: (text) => progress.state(text),
      onLeft: (name) =>
        context.talk.warn(
          `training job ${name} goes on in AWS, and costs money. The same command takes it up again; this stops it:\n  aws sagemaker stop-training-job --training-job-name ${name}${cliFlags(order.region, aws)}`,
        ),
    },
    order,
  )
  const { BillableTimeInSeconds: billed = 0, FinalMetricDataList = [] } = job
  const auc = FinalMetricDataList.find(({ MetricName }) => MetricName === 'validation:discriminator_auc')?.Value
  const model = job.ModelArtifacts?.S3ModelArtifacts ?? ''
  const artifact = await staged.store.head(model.slice(staged.store.uri.length + 1))
  if (artifact === undefined)
    throw new UserError(`${model}: the job is done, and its model is not there`, {
      hint: 'was it deleted? --overwrite trains again',
    })
  progress.end(`${order.instanceType}, ${duration(billed * 1000)} to be paid for, ${plural(staged.pairs, 'pair')}`)
  const digest = createHash('sha256').update(`${model} ${artifact.etag} ${artifact.size}`).digest('hex')
  return resultOfJob(planned, {
    job: job.TrainingJobName ?? '',
    model,
    modelBytes: artifact.size,
    digest,
    auc: auc ?? null,
    trainSeconds: job.TrainingTimeInSeconds ?? 0,
    billedSeconds: billed,
  })
}
