import {
  CreateModelCommand,
  CreateTransformJobCommand,
  DescribeModelCommand,
  type SageMakerClient,
  type TransformInstanceType,
} from '@aws-sdk/client-sagemaker'
import { aboutSagemaker, answered, ifThere, unlessTaken } from '../../lib/aws/sagemaker/calls.ts'
import {
  findJob,
  type JobWatch,
  runJob,
  type TransformJob,
  trainingJobs,
  transformJobs,
} from '../../lib/aws/sagemaker/jobs.ts'
import { jobName, resourceName, shortHash, tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { hasOwnDisk } from '../../lib/runs/cost.ts'

/** Everything that determines a batch transform. */
export interface TransformJobSpec {
  /** Run and workspace, for names and tags. */
  readonly id: string
  readonly workspace: string
  readonly region: string
  readonly image: string
  /** URI of the model, and its digest. */
  readonly model: string
  readonly digest: string
  readonly trainingJob: string
  /** Execution role; undefined for that of the training job. */
  readonly role: string | undefined
  readonly instanceType: string
  /** Encrypts the answers and the disk. */
  readonly kmsKey: string | undefined
  /** Encrypts the answers where no key is named: SageMaker would not take the bucket's own by itself. */
  readonly bucketKey?: string | undefined
  /** `s3://` of the object with the lines, and of the folder for the answers. */
  readonly input: string
  readonly output: string
}

const outputKeyOf = ({ kmsKey, bucketKey }: Pick<TransformJobSpec, 'kmsKey' | 'bucketKey'>) => kmsKey ?? bucketKey

/** Equal specs have equal names, so that a job is found again. @param attempt from 1 */
export function transformJobName(spec: TransformJobSpec, attempt: number): string {
  const { id, digest, instanceType, input, region } = spec
  return jobName(id, { digest, instanceType, kmsKey: outputKeyOf(spec) ?? null, input, region }, attempt)
}

export interface TransformSteps {
  /** Writes the lines; only called when a job is to be created. */
  upload(): Promise<void>
  /** Called with its name before a job is created. */
  onJob(name: string): Promise<void>
  /** Whether the answers of a completed job are still there. */
  isUsable(): Promise<boolean>
}

/** The transform of a spec at its end: the job that exists, or a new one. @throws UserError that explains the failure */
export async function runTransform(
  client: SageMakerClient,
  spec: TransformJobSpec,
  { upload, onJob, isUsable }: TransformSteps,
  watch: JobWatch,
): Promise<TransformJob> {
  let model = ''
  return runJob(
    transformJobs(client),
    {
      nameOf: (attempt) => transformJobName(spec, attempt),
      isUsable,
      repeatsFailures: true,
      prepare: async () => {
        await upload()
        model = await ensureModel(client, spec, watch.signal)
      },
      onJob,
      create: (name) => client.send(new CreateTransformJobCommand(requestOf(spec, name, model))),
    },
    watch,
  )
}

function requestOf(spec: TransformJobSpec, name: string, model: string) {
  const { kmsKey } = spec
  const outputKey = outputKeyOf(spec)
  return {
    TransformJobName: name,
    ModelName: model,
    BatchStrategy: 'MultiRecord',
    // What does not fit the model would fail for every line: one retry is for a container that stumbles.
    ModelClientConfig: { InvocationsMaxRetries: 1 },
    TransformInput: {
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: spec.input } },
      ContentType: 'text/csv',
      SplitType: 'Line',
      CompressionType: 'None',
    },
    TransformOutput: {
      S3OutputPath: spec.output,
      Accept: 'application/jsonlines',
      AssembleWith: 'Line',
      ...(outputKey !== undefined && { KmsKeyId: outputKey }),
    },
    TransformResources: {
      InstanceType: spec.instanceType as TransformInstanceType,
      InstanceCount: 1,
      ...(kmsKey !== undefined && !hasOwnDisk(spec.instanceType) && { VolumeKmsKeyId: kmsKey }),
    },
    Tags: tagsOf(spec.id, spec.workspace),
  } as const
}

/** Which of these jobs run or are completed, and are as this spec would make them. */
export async function goodJobs(
  client: SageMakerClient,
  spec: Pick<TransformJobSpec, 'instanceType' | 'kmsKey' | 'bucketKey'>,
  names: readonly string[],
): Promise<TransformJob[]> {
  const jobs = await Promise.all(names.map((name) => findJob(transformJobs(client), name)))
  return jobs
    .filter((job) => job !== undefined)
    .filter(
      ({ TransformJobStatus, TransformResources, TransformOutput }) =>
        (TransformJobStatus === 'InProgress' || TransformJobStatus === 'Completed') &&
        TransformResources?.InstanceType === spec.instanceType &&
        // A job without a key reports an empty one.
        (TransformOutput?.KmsKeyId || undefined) === outputKeyOf(spec),
    )
}

/** The name of the run's model in SageMaker, which is created if it does not exist. */
async function ensureModel(client: SageMakerClient, spec: TransformJobSpec, abortSignal: AbortSignal): Promise<string> {
  const ModelName = resourceName(spec.id, shortHash({ model: spec.model, digest: spec.digest }))
  const there = await answered(
    ifThere(client.send(new DescribeModelCommand({ ModelName }), { abortSignal })),
    aboutSagemaker('model', ModelName, 'DescribeModel'),
  )
  if (there !== undefined) return ModelName
  const command = new CreateModelCommand({
    ModelName,
    ExecutionRoleArn: spec.role ?? (await roleOf(client, spec.trainingJob, abortSignal)),
    PrimaryContainer: { Image: spec.image, ModelDataUrl: spec.model },
    Tags: tagsOf(spec.id, spec.workspace),
  })
  await answered(unlessTaken(client.send(command)), aboutSagemaker('model', ModelName, 'CreateModel'))
  return ModelName
}

/** The role of the training job. */
async function roleOf(client: SageMakerClient, trainingJob: string, signal: AbortSignal): Promise<string> {
  const job = await findJob(trainingJobs(client), trainingJob, signal)
  if (job?.RoleArn !== undefined) return job.RoleArn
  throw new UsageError(
    `a transform needs the role that SageMaker works under, and training job ${trainingJob} does not tell it`,
    'name it: --sagemaker-role ARN',
  )
}
