import { text as textOf } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { CreateTrainingJobCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker'
import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { unpackTar } from 'modern-tar'
import { sagemakerClient, sagemakerRuntimeClient } from '../../lib/aws/clients.ts'
import { detailsOf } from '../../lib/aws/errors.ts'
import { dotProductsIn } from '../../lib/aws/sagemaker/answers.ts'
import { answered, watched } from '../../lib/aws/sagemaker/calls.ts'
import { Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { imageOf } from '../../lib/aws/sagemaker/image.ts'
import { aboutJob, findJob, isUnderWay, trainingJobs } from '../../lib/aws/sagemaker/jobs.ts'
import { VARIANT } from '../../lib/aws/sagemaker/scaling.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration } from '../../lib/cli/format.ts'
import { paths } from '../../lib/runs/paths.ts'
import { keyIn } from '../../lib/stores/uri.ts'
import { saysSo } from './athena.ts'
import { refuses, type Seen } from './beliefs.ts'
import { madePairs } from './objects.ts'
import type { TryStep } from './place.ts'
import { createModel, triesTags, tryName } from './sagemaker.ts'

export const TRAINS_ON = 'ml.m5.large'
/** The most that a new account may have; and one request at once, so that a second one is too many. */
export const SERVES_WITH = { MemorySizeInMB: 3072, MaxConcurrency: 1 } as const

/** A cold start may take so long: "Serverless inference", developer guide, has 3 minutes for the container. */
const PATIENCE_MS = 5 * 60_000

/** Trains on made-up pairs and asks a serverless endpoint. @throws UserError when there is no model or no endpoint to ask */
export async function tryEndpoint(step: TryStep): Promise<void> {
  const client = await sagemakerClient(step.aws, step.region)
  const model = await trained(client, step)
  await lookAtArchive(step, model)
  await createModel(client, step, 'trained', model)
  const endpoints = new Endpoints(client, step, step.say)
  const name = tryName(step, 'endpoint')
  const variant = { VariantName: VARIANT, ModelName: tryName(step, 'trained'), ServerlessConfig: SERVES_WITH }
  await endpoints.createConfig({ EndpointConfigName: name, ProductionVariants: [variant], Tags: triesTags(step) })
  await endpoints.create(name, name, triesTags(step))
  const ask = askerOf(await sagemakerRuntimeClient(step.aws, step.region), step, name)
  await whileCreating(endpoints, ask, step, name)
  const state = await endpoints.settled(name)
  if (state?.EndpointStatus !== 'InService')
    throw new UserError(
      `the endpoint is ${state?.EndpointStatus}: ${state?.FailureReason ?? 'SageMaker does not say why'}`,
    )
  await questions(ask, step)
}

/** @returns URI of the model */
async function trained(client: SageMakerClient, step: TryStep): Promise<string> {
  const { comparisons, store, say, sleep, signal } = step
  await store.write(`${paths.train}part-00000.csv`, `${madePairs().join('\n')}\n`)
  const name = tryName(step, step.nonce)
  const jobs = trainingJobs(client)
  const request = new CreateTrainingJobCommand({
    TrainingJobName: name,
    RoleArn: step.sagemakerRole,
    AlgorithmSpecification: { TrainingImage: imageOf(step.region), TrainingInputMode: 'File' },
    HyperParameters: { num_entity_vectors: '1000', vector_dim: '16', epochs: '3', mini_batch_size: '500' },
    InputDataConfig: [
      {
        ChannelName: 'train',
        ContentType: 'text/csv',
        InputMode: 'File',
        DataSource: {
          S3DataSource: {
            S3DataType: 'S3Prefix',
            S3Uri: store.uriOf(paths.train),
            S3DataDistributionType: 'FullyReplicated',
          },
        },
      },
    ],
    OutputDataConfig: { S3OutputPath: store.uriOf('model') },
    ResourceConfig: { InstanceType: TRAINS_ON, InstanceCount: 1, VolumeSizeInGB: 5 },
    StoppingCondition: { MaxRuntimeInSeconds: 1800 },
    Tags: triesTags(step),
  })
  await answered(client.send(request), aboutJob(jobs, name, 'Create', step.region))
  await comparisons.compare('training-artifacts', async () => {
    const job = await findJob(jobs, name, signal)
    const isTold = job?.ModelArtifacts?.S3ModelArtifacts !== undefined
    const isMeant = isUnderWay(job?.TrainingJobStatus)
    return {
      seen: `${job?.TrainingJobStatus}: ${isTold ? 'told' : 'not told'}`,
      isBelieved: isMeant || !isTold ? isTold : undefined,
    }
  })
  const look = async () => {
    const job = await findJob(jobs, name, signal)
    say(`training ${job?.SecondaryStatus}`)
    return job
  }
  const job = await watched(look, (now) => !isUnderWay(now?.TrainingJobStatus), sleep)
  const model = job?.ModelArtifacts?.S3ModelArtifacts
  if (job?.TrainingJobStatus === 'Completed' && model !== undefined) return model
  throw new UserError(`training is ${job?.TrainingJobStatus}: ${job?.FailureReason ?? 'SageMaker does not say why'}`)
}

async function lookAtArchive({ comparisons, store }: TryStep, model: string): Promise<void> {
  await comparisons.compare('model-archive', async () => {
    const key = keyIn(model).slice(keyIn(store.uriOf('model/')).length)
    const latin1 = await textOf((await store.read(`model/${key}`)).setEncoding('latin1'))
    const members = await unpackTar(gunzipSync(Buffer.from(latin1, 'latin1')))
    const names = members.map(({ header }) => header.name.replace(/^\.\//, '')).filter((name) => name !== '')
    return { seen: names.join(', '), isBelieved: names.join() === 'model_algo-1' }
  })
}

/** Sends a body to the endpoint. @returns the text of the answer @throws what the SDK throws, once */
type AskEndpoint = (body: string, accept?: string) => Promise<string>

const askerOf =
  (client: SageMakerRuntimeClient, { signal }: TryStep, EndpointName: string): AskEndpoint =>
  async (body, Accept = 'application/jsonlines') => {
    const asked = new InvokeEndpointCommand({ EndpointName, ContentType: 'text/csv', Accept, Body: Buffer.from(body) })
    const { Body } = await client.send(asked, { abortSignal: signal })
    return Buffer.from(Body ?? []).toString()
  }

async function whileCreating(endpoints: Endpoints, ask: AskEndpoint, step: TryStep, name: string): Promise<void> {
  await step.comparisons.compare('endpoint-creating', async () => {
    const status = (await endpoints.look(name))?.EndpointStatus
    if (status !== 'Creating') return { seen: `the endpoint was ${status} already`, isBelieved: undefined }
    return refuses(() => ask(linesOf(1)), saysSo(/^Validation(Error|Exception)$/, /not found/i))
  })
}

const linesOf = (lines: number): string => {
  const pairs = madePairs()
  return Array.from({ length: lines }, (_, i) => `${pairs[i % pairs.length]}\n`).join('')
}

const statusOf = (error: unknown): number | undefined =>
  (error as { OriginalStatusCode?: number } | null)?.OriginalStatusCode

const isModelError =
  (status: number) =>
  (error: unknown): boolean =>
    detailsOf(error).code === 'ModelError' && statusOf(error) === status

async function questions(ask: AskEndpoint, step: TryStep): Promise<void> {
  const { comparisons, say } = step
  say('the endpoint is asked')
  await comparisons.compare('endpoint-cold-start', () => coldStart(ask, step))
  await comparisons.compare('endpoint-answers', async () => {
    const answer = await ask(linesOf(3))
    const isRead = (() => {
      try {
        return dotProductsIn(answer, 3, 'the endpoint').length === 3
      } catch {
        return false
      }
    })()
    return { seen: `3 lines: ${answer.slice(0, 120).replace(/\n/g, ' ')}`, isBelieved: isRead }
  })
  await comparisons.compare('endpoint-batch', () => batches(ask))
  await comparisons.compare('endpoint-unreadable', () => refuses(() => ask('nonsense\n'), isModelError(400)))
  await comparisons.compare('endpoint-csv', () => refuses(() => ask(linesOf(3), 'text/csv'), isModelError(406)))
  await comparisons.compare('endpoint-oversize', () =>
    refuses(() => ask(linesOf(250_000)), saysSo(/^Validation(Error|Exception)$/, /oversize body/i)),
  )
  await comparisons.compare('endpoint-throttled', () => throttled(ask))
}

const isColdStart = (error: unknown): boolean =>
  detailsOf(error).code === 'ModelNotReadyException' || isModelError(0)(error)

async function coldStart(ask: AskEndpoint, { sleep }: TryStep): Promise<Seen> {
  const begin = Date.now()
  const refusals: string[] = []
  for (let wait = 500; ; wait = Math.min(2 * wait, 20_000))
    try {
      await ask(linesOf(1))
      return {
        seen: `${[...new Set(refusals), 'an answer'].join(', then ')} after ${duration(Date.now() - begin)}`,
        isBelieved: true,
      }
    } catch (error) {
      const { code, message } = detailsOf(error)
      refusals.push(code === 'ModelError' ? `${code} with status ${statusOf(error)}` : code)
      if (!isColdStart(error) || Date.now() - begin > PATIENCE_MS)
        return { seen: `${refusals.at(-1)}: ${message}`, isBelieved: false }
      await sleep(wait)
    }
}

async function batches(ask: AskEndpoint): Promise<Seen> {
  const seen: string[] = []
  let isBelieved = true
  for (const lines of [1000, 10_000]) {
    const begin = Date.now()
    const said = await ask(linesOf(lines)).then(
      () => 'answered',
      (error: unknown) => {
        isBelieved = false
        return detailsOf(error).message
      },
    )
    seen.push(`${lines} lines: ${said} after ${duration(Date.now() - begin)}`)
  }
  return { seen: seen.join('; '), isBelieved }
}

const AT_ONCE = 6

async function throttled(ask: AskEndpoint): Promise<Seen> {
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, () =>
      ask(linesOf(10_000)).then(
        () => 'answered',
        (error: unknown) => `${detailsOf(error).code} ${detailsOf(error).status}`,
      ),
    ),
  )
  const kinds = [...new Set(answers)].map((kind) => `${answers.filter((one) => one === kind).length} ${kind}`)
  const others = answers.filter((one) => one !== 'answered')
  const isBelieved = others.length > 0 && others.every((one) => one.startsWith('ThrottlingException'))
  return { seen: kinds.join(', '), isBelieved }
}
