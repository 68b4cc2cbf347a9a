import type { Context } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { digestOf, type Model, modelIn, noModel } from '../lib/insights/model.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { endpointScorer, servedModel } from './local/endpoint.ts'
import { inProcess } from './local/model.ts'
import { checkModel, type Prepared } from './prepare.ts'
import type { ScoringSession } from './scorer.ts'
import type { Target } from './target.ts'

export const backendNames = ['process', 'endpoint', 'transform'] as const

export interface BackendOptions {
  readonly via: (typeof backendNames)[number] | undefined
  /** URL or name. */
  readonly endpoint: string | undefined
  readonly sagemakerRole: string | undefined
  readonly instanceType: string | undefined
  readonly kmsKey: string | undefined
  readonly stack?: string | undefined
  readonly overwrite: boolean
}

/** Where the model is asked. */
export interface Backend {
  /** For a plan: `in this process`. */
  readonly about: string
  /** Dollars for so many pairs, `null` if the price is unknown. Absent where scoring costs nothing extra. */
  readonly usd?: (pairs: number) => number | null
  /** Whether what answers was approved when it was made, so that only a `--max-cost` bounds its answers. */
  readonly unasked?: boolean
  /** Share of that which is already paid for, judging by what earlier attempts saved. */
  paid?(saved: Saved<'score'>): Promise<number>
  /** @param checkpoint of the step, for what is paid for */
  open(checkpoint?: Checkpoint<Saved<'score'>>): Promise<ScoringSession>
  /** The model itself, where it must say which entities it knows. */
  model(): Promise<Model>
}

/** What every backend works with. */
export interface BackendInput {
  readonly run: Run | undefined
  readonly target: Target
  readonly prepared: Prepared
  readonly context: Context
  readonly aws: AwsSettings
}

/** @throws UsageError when the options contradict each other, UserError when there is no endpoint */
export async function backendFor(options: BackendOptions, input: BackendInput): Promise<Backend> {
  const { run, target } = input
  const { endpoint } = options
  const inS3 = run !== undefined && run.folder === undefined
  const via = options.via ?? (endpoint !== undefined || inS3 ? 'endpoint' : 'process')
  if (endpoint !== undefined && via !== 'endpoint')
    throw new UsageError(`--via ${via} and --endpoint contradict each other`)
  let loading: Promise<Model> | undefined
  const model = () => {
    loading ??= loaded(target)
    return loading
  }
  if (via === 'process')
    return { about: 'in this process', model, open: async () => processSession(input, await model()) }
  if (via === 'endpoint' && endpoint !== undefined && /^https?:/i.test(endpoint))
    return { about: `through ${endpoint}`, model, open: () => urlSession(endpoint, input) }
  const { endpointBackend, transformBackend } = await import('./sagemaker/backend.ts')
  return {
    ...(await (via === 'endpoint' ? endpointBackend(endpoint, input) : transformBackend(options, input))),
    model,
  }
}

/** @throws UserError when there is no model, or SageMaker trained it: nothing else can open that */
async function loaded({ model, digest }: Target): Promise<Model> {
  const bytes = await model.bytes()
  if (bytes === undefined) throw noModel(model.uri)
  return modelIn(
    bytes,
    model.uri,
    digest && 'a model that SageMaker trained answers at an endpoint or with --via transform',
  )
}

async function processSession({ target, prepared, context }: BackendInput, model: Model): Promise<ScoringSession> {
  const bytes = target.digest === undefined ? await target.model.bytes() : undefined
  if (bytes !== undefined) checkModel(target, prepared.calibration, digestOf(bytes))
  return inProcess(model, context.signal)
}

async function urlSession(url: string, { target, prepared, context }: BackendInput): Promise<ScoringSession> {
  checkModel(target, prepared.calibration, await servedModel(url, context.signal), url)
  const { signal, sleep, talk } = context
  const scorer = endpointScorer({ url, signal, sleep, warn: (text) => talk.warn(text) })
  return { scorer: async () => scorer }
}
