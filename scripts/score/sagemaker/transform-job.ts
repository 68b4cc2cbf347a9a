import { createHash } from 'node:crypto'
import {
  CreateModelCommand,
  CreateTransformJobCommand,
  DescribeModelCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  type DescribeTransformJobCommandOutput,
  type SageMakerClient,
  type TransformInstanceType,
} from '@aws-sdk/client-sagemaker'
import {
  answered,
  ifThere,
  inSight,
  isTaken,
  resourceName,
  restingOnNew,
  tagsOf,
  watched,
} from '../../lib/aws/sagemaker/jobs.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { hasOwnDisk } from '../../lib/runs/instances.ts'
import { failureOf } from './failure.ts'

type Job = DescribeTransformJobCommandOutput

/** A batch transform as it is ordered. */
export interface Order {
  /** Run and workspace, for names and tags. */
  readonly id: string
  readonly workspace: string
  readonly region: string
  readonly image: string
  /** Where the model lies, and its digest. */
  readonly model: string
  readonly digest: string
  readonly trainingJob: string
  /** Execution role; undefined for that of the training job. */
  readonly role: string | undefined
  readonly instanceType: string
  readonly kmsKey: string | undefined
  /** `s3://` of the object with the lines, and of the folder for the answers. */
  readonly input: string
  readonly output: string
}

export interface TransformWorld {
  readonly client: SageMakerClient
  readonly signal: AbortSignal
  onState(text: string): void
  /** Called with its name when a stop leaves a job behind that goes on and costs money. */
  onLeft(name: string): void
}

const hashOf = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 6)

/** Equal orders have equal names, so that a job is found again. @param attempt from 1 */
export function jobName(order: Order, attempt: number): string {
  const { id, digest, instanceType, kmsKey, input, region } = order
  const hash = hashOf({ digest, instanceType, kmsKey: kmsKey ?? null, input, region })
  return resourceName(id, attempt === 1 ? hash : `${hash}-${attempt}`)
}

/**
 * The transform of an order at its end: the job that exists, or a new one after those that failed.
 * @param upload writes the lines; only when a job is to be created
 * @param onJob told its name before a job is created
 * @param usable whether the answers of a job that is done are still there
 * @throws UserError that explains the failure
 */
export async function transformed(
  world: TransformWorld,
  order: Order,
  upload: () => Promise<void>,
  onJob: (name: string) => Promise<void>,
  usable: (job: Job) => Promise<boolean>,
): Promise<Job> {
  const { name, job } = await found(world, order, usable)
  if (job === undefined) {
    await upload()
    const model = await ensureModel(world, order)
    world.signal.throwIfAborted()
    await onJob(name)
    await create(world, order, name, model)
  }
  try {
    const ended = await watched(() => looked(world, name), hasEnded, world.signal)
    if (ended.TransformJobStatus !== 'Completed') throw failureOf(ended)
    return ended
  } catch (error) {
    if (world.signal.aborted) world.onLeft(name)
    throw error
  }
}

const hasEnded = ({ TransformJobStatus }: Job): boolean =>
  TransformJobStatus !== 'InProgress' && TransformJobStatus !== 'Stopping'

/** The last job of this order, or the name of the next one. */
async function found(world: TransformWorld, order: Order, usable: (job: Job) => Promise<boolean>) {
  for (let attempt = 1; ; attempt++) {
    const name = jobName(order, attempt)
    const job = await look(world, name)
    if (job === undefined) return { name, job }
    if (job.TransformJobStatus === 'InProgress') return { name, job }
    // One that failed or was stopped earlier is why this process is here: the next name is free, or was a later attempt.
    if (job.TransformJobStatus === 'Completed' && (await usable(job))) return { name, job }
  }
}

/** Which of these jobs run or are done, as they would be ordered now. */
export async function goodJobs(
  world: Pick<TransformWorld, 'client' | 'signal'>,
  { instanceType, kmsKey }: Pick<Order, 'instanceType' | 'kmsKey'>,
  names: readonly string[],
): Promise<Job[]> {
  const jobs = await Promise.all(names.map((name) => look(world, name)))
  return jobs
    .filter((job) => job !== undefined)
    .filter(
      ({ TransformJobStatus, TransformResources, TransformOutput }) =>
        (TransformJobStatus === 'InProgress' || TransformJobStatus === 'Completed') &&
        TransformResources?.InstanceType === instanceType &&
        // What has no key has an empty one.
        (TransformOutput?.KmsKeyId || undefined) === kmsKey,
    )
}

const look = (
  { client, signal }: Pick<TransformWorld, 'client' | 'signal'>,
  TransformJobName: string,
): Promise<Job | undefined> =>
  answered(
    ifThere(client.send(new DescribeTransformJobCommand({ TransformJobName }), { abortSignal: signal })),
    asked(`transform job ${TransformJobName}`, 'DescribeTransformJob'),
  )

async function looked(world: TransformWorld, name: string): Promise<Job> {
  const job = await inSight(() => look(world, name), world.signal)
  if (job === undefined) throw new Error(`transform job ${name} is gone`)
  world.onState(`${name} ${job.TransformJobStatus}`)
  return job
}

const asked = (what: string, action: string) => ({
  what,
  action: `sagemaker:${action}`,
  resource: `arn:aws:sagemaker:*:*:${what.replace(' job ', '-job/').replace(' ', '/')}`,
})

/** A stop does not break it off: what was sent may have been heard. */
async function create(
  { client, signal, onState }: TransformWorld,
  order: Order,
  name: string,
  model: string,
): Promise<void> {
  const { kmsKey } = order
  const command = new CreateTransformJobCommand({
    TransformJobName: name,
    ModelName: model,
    BatchStrategy: 'MultiRecord',
    // What does not fit the model would fail for every line: one retry is for a container that stumbles.
    ModelClientConfig: { InvocationsMaxRetries: 1 },
    TransformInput: {
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: order.input } },
      ContentType: 'text/csv',
      SplitType: 'Line',
      CompressionType: 'None',
    },
    TransformOutput: {
      S3OutputPath: order.output,
      Accept: 'application/jsonlines',
      AssembleWith: 'Line',
      ...(kmsKey !== undefined && { KmsKeyId: kmsKey }),
    },
    TransformResources: {
      InstanceType: order.instanceType as TransformInstanceType,
      InstanceCount: 1,
      ...(kmsKey !== undefined && !hasOwnDisk(order.instanceType) && { VolumeKmsKeyId: kmsKey }),
    },
    Tags: tagsOf(order.id, order.workspace),
  })
  try {
    await restingOnNew(() => client.send(command), signal)
    onState(`${name} created`)
  } catch (error) {
    // The first try was heard, its answer was lost.
    if (isTaken(error)) return
    await answered(Promise.reject(error), asked(`transform job ${name}`, 'CreateTransformJob'))
  }
}

/** The model of the run as SageMaker knows it: the one of this name, or a new one. */
async function ensureModel(world: TransformWorld, order: Order): Promise<string> {
  const { client, signal } = world
  const ModelName = resourceName(order.id, hashOf({ model: order.model, digest: order.digest }))
  const there = await answered(
    ifThere(client.send(new DescribeModelCommand({ ModelName }), { abortSignal: signal })),
    asked(`model ${ModelName}`, 'DescribeModel'),
  )
  if (there !== undefined) return ModelName
  const command = new CreateModelCommand({
    ModelName,
    ExecutionRoleArn: order.role ?? (await roleOf(world, order.trainingJob)),
    PrimaryContainer: { Image: order.image, ModelDataUrl: order.model },
    Tags: tagsOf(order.id, order.workspace),
  })
  await answered(
    client.send(command).catch((error: unknown) => {
      if (!isTaken(error)) throw error
    }),
    asked(`model ${ModelName}`, 'CreateModel'),
  )
  return ModelName
}

/** The role that the training ran under. */
async function roleOf({ client, signal }: TransformWorld, TrainingJobName: string): Promise<string> {
  const job = await answered(
    ifThere(client.send(new DescribeTrainingJobCommand({ TrainingJobName }), { abortSignal: signal })),
    asked(`training job ${TrainingJobName}`, 'DescribeTrainingJob'),
  )
  if (job?.RoleArn !== undefined) return job.RoleArn
  throw new UsageError(
    `a transform needs the role that SageMaker works under, and training job ${TrainingJobName} does not tell it`,
    'name it: --sagemaker-role ARN',
  )
}
