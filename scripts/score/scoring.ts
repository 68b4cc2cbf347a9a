import type { Context } from '../lib/cli/context.ts'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import type { Model } from '../lib/insights/model.ts'
import { digestOf, modelIn, noModel } from '../lib/insights/model-file.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import { MODEL_HEADER, sagemakerEndpointOf } from '../lib/runs/endpoint.ts'
import { INSTANCES } from '../lib/runs/instances.ts'
import { nextCommand } from '../lib/runs/next.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { locationOf } from '../lib/stores/uri.ts'
import { direct } from './local/direct.ts'
import { endpointScorer } from './local/endpoint.ts'
import { checkModel, type Prepared } from './prepare.ts'
import type { Oracle } from './scorer.ts'
import type { Target } from './target.ts'

export const ways = ['process', 'endpoint', 'transform'] as const
export type Via = (typeof ways)[number]

export interface Wish {
  readonly via: Via | undefined
  /** URL or name. */
  readonly endpoint: string | undefined
  readonly sagemakerRole: string | undefined
  readonly instanceType: string
  readonly kmsKey: string | undefined
  readonly overwrite: boolean
}

/** How the model is asked. */
export interface Way {
  /** For a plan. */
  readonly about: string
  /** Dollars for so many pairs; undefined where nothing more is paid than already is, `null` where nobody knows. */
  readonly usd?: (pairs: number) => number | null
  /** Share of that which is paid for already, as far as earlier attempts have noted it. */
  paid?(saved: Saved<'score'>): Promise<number>
  /** @param checkpoint of the step, for what is paid for */
  open(checkpoint?: Checkpoint<Saved<'score'>>): Promise<Oracle>
  /** The model itself, where it has to tell which entities it knows. */
  model(): Promise<Model>
}

interface Given {
  readonly run: Run | undefined
  readonly target: Target
  readonly prepared: Prepared
  readonly context: Context
  readonly aws: AwsSettings
}

/** @throws UsageError when the wishes contradict each other, UserError when there is no endpoint */
export async function wayOf(wish: Wish, given: Given): Promise<Way> {
  const { run, target, context } = given
  const inS3 = run !== undefined && run.folder === undefined
  const via = wish.via ?? (wish.endpoint !== undefined || inS3 ? 'endpoint' : 'process')
  if (wish.endpoint !== undefined && via !== 'endpoint')
    throw new UsageError(`--via ${via} and --endpoint contradict each other`)
  const model = once(() => loaded(target))
  const { endpoint } = wish
  if (via === 'process') return { about: 'in this process', model, open: async () => inProcess(given, await model()) }
  if (via === 'transform') return { ...(await byTransform(wish, given)), model }
  if (endpoint !== undefined && /^https?:/i.test(endpoint))
    return { about: `through ${endpoint}`, model, open: () => byUrl(endpoint, given) }
  const { name, region, config } = await endpointOf(endpoint, given)
  const expected = inS3 && {
    expected: {
      model: target.model.uri,
      ...(config !== undefined && { config }),
      hint: nextCommand('deploy', run),
    },
  }
  return {
    about: `through endpoint ${name} in ${region}`,
    model,
    open: async () => {
      const { sagemakerEndpoint } = await import('./sagemaker/endpoint.ts')
      const { signal, talk } = context
      return sagemakerEndpoint({ name, region, aws: given.aws, signal, warn: (text) => talk.warn(text), ...expected })
    },
  }
}

/** @throws UserError when there is none, or SageMaker's: nothing else can open that */
async function loaded({ model, digest }: Target): Promise<Model> {
  const bytes = await model.bytes()
  if (bytes === undefined) throw noModel(model.uri)
  return modelIn(
    bytes,
    model.uri,
    digest && 'a model that SageMaker trained answers at an endpoint or with --via transform',
  )
}

async function inProcess({ target, prepared, context }: Given, model: Model): Promise<Oracle> {
  const bytes = target.digest === undefined ? await target.model.bytes() : undefined
  if (bytes !== undefined) checkModel(target, prepared.calibration, digestOf(bytes))
  return direct(model, context.signal)
}

async function byUrl(url: string, { target, prepared, context }: Given): Promise<Oracle> {
  checkModel(target, prepared.calibration, await servedModel(url, context.signal), url)
  const scorer = endpointScorer({
    url,
    signal: context.signal,
    sleep: context.sleep,
    warn: (text) => context.talk.warn(text),
  })
  return { scorer: async () => scorer }
}

const PING_MS = 10_000

/** What the endpoint says of its model; an endpoint need not say anything. */
async function servedModel(endpoint: string, signal: AbortSignal): Promise<string | undefined> {
  const address = `${endpoint.replace(/\/+$/, '').replace(/\/invocations$/, '')}/ping`
  try {
    const answer = await fetch(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]) })
    await answer.body?.cancel()
    return answer.headers.get(MODEL_HEADER) ?? undefined
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** The endpoint that is named, or the one that deploy has noted for the run. */
async function endpointOf(name: string | undefined, { run, context, aws }: Given) {
  const noted = run === undefined ? undefined : await sagemakerEndpointOf(run)
  if (name === undefined && noted !== undefined)
    return { name: noted.sagemaker, region: noted.region, config: noted.config }
  if (name !== undefined)
    return {
      name,
      region: noted?.sagemaker === name ? noted.region : await regionFor(run, aws, context),
      config: noted?.sagemaker === name ? noted.config : undefined,
    }
  if (run === undefined) throw new Error('without a run an endpoint is named')
  throw new UserError(`run ${run.id} has no endpoint`, {
    hint: `make one: ${nextCommand('deploy', run)}; or score without: --via transform`,
  })
}

/** That of the workspace, else the one that is named or configured. */
export async function regionFor(run: Run | undefined, aws: AwsSettings, { env }: Context): Promise<string> {
  const location = run === undefined ? undefined : locationOf(run.uri)
  if (location?.kind === 's3') {
    const { regionOf } = await import('../lib/aws/clients.ts')
    return regionOf(aws, location.bucket)
  }
  const region = aws.awsRegion ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION
  if (region === undefined) throw new UsageError('in which region is the endpoint?', 'name it: --aws-region')
  return region
}

/** Hours for the start of a job, and pairs that an instance answers in one: guessed low. */
const START_HOURS = 0.1
const PAIRS_AN_HOUR = 5_000_000

async function byTransform(wish: Wish, given: Given): Promise<Omit<Way, 'model'>> {
  const { run, target, prepared, context, aws } = given
  if (run === undefined || run.folder !== undefined)
    throw new UsageError('--via transform needs a run in S3', 'name it: --workspace s3://bucket/prefix')
  const { instanceType, sagemakerRole: role, kmsKey, overwrite } = wish
  const region = await regionFor(run, aws, context)
  const { job, image, digest } = run.resultBy('sagemaker', 'train')
  const jobs = prepared.threshold === undefined ? 2 : 1
  const price = INSTANCES[instanceType]?.usdPerHour
  const order = {
    id: run.id,
    workspace: run.workspace,
    region,
    image,
    model: target.model.uri,
    digest,
    trainingJob: job,
    ...{ role, instanceType, kmsKey },
  }
  return {
    about: `${jobs === 1 ? 'a batch transform' : 'two batch transforms, the first to calibrate,'} on ${instanceType} in ${region}`,
    usd: (pairs) => (price === undefined ? null : jobs * price * (START_HOURS + pairs / PAIRS_AN_HOUR)),
    paid: async (saved) => {
      const names = [saved.scoringJob, ...(jobs === 2 ? [saved.calibratingJob] : [])]
      const { answered } = await import('./sagemaker/transform.ts')
      const settings = { order, store: run.store, aws, signal: context.signal }
      return (
        (await answered(
          settings,
          names.filter((name) => name !== undefined),
        )) / jobs
      )
    },
    open: async (checkpoint) => {
      const { transform } = await import('./sagemaker/transform.ts')
      const progress = context.progress('transform')
      return transform({
        ...{ order, store: run.store, aws, overwrite },
        signal: context.signal,
        onState: (text) => progress.state(text),
        onJob: async (purpose, name) =>
          checkpoint?.save(purpose === 'scoring' ? { scoringJob: name } : { calibratingJob: name }),
        onLeft: (name) =>
          context.talk.warn(
            `transform job ${name} goes on and is paid for; the same command finds it again. To stop it: aws sagemaker stop-transform-job --transform-job-name ${name} --region ${region}`,
          ),
      })
    },
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
