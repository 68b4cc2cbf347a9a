import { readFile } from 'node:fs/promises'
import type { Context } from '../cli/context.ts'
import { UserError } from '../cli/errors.ts'
import type { Calibration } from '../insights/calibration.ts'
import { digestOf, loadModel } from '../insights/model-file.ts'
import type { Policy } from '../insights/verdicts.ts'
import { MODEL_HEADER } from '../runs/endpoint.ts'
import { paths } from '../runs/paths.ts'
import type { Result, Run } from '../runs/run.ts'
import { allowList, textOf } from './allow.ts'
import { directScorer } from './direct.ts'
import { endpointScorer } from './endpoint.ts'
import { accessesIn, calibrationIn, lineOf, pairFiles, sameEntity, type ThresholdOptions } from './inputs.ts'
import { type Labels, readLabels } from './labels.ts'
import type { ScoreTask } from './score.ts'
import type { Scorer } from './scorer.ts'

/** What is to be judged, and by what. Paths on this machine. */
export interface Target {
  /** `holdout`, the id of another run, or `files`. */
  readonly of: string
  readonly judged: readonly string[]
  /** What the model was trained on, where it is at hand. */
  readonly trained?: readonly string[]
  readonly model: string
  readonly calibration: string
  /** Kind of log, to tell whose labels count. */
  readonly source?: string
  /** Names the pairs of another run. */
  readonly pairs?: string
}

/** The holdout of a run, or all pairs of another run against its model. */
export async function runTarget(run: Run, other?: Run): Promise<Target> {
  const own = {
    trained: await pairFiles(run, paths.train),
    model: run.path(paths.model),
    calibration: run.path(paths.calibration),
    source: run.request.source,
  }
  if (other === undefined) return { ...own, of: 'holdout', judged: await pairFiles(run, paths.holdout) }
  sameEntity(run, other)
  const judged = await pairFiles(other, paths.train, paths.holdout)
  return { ...own, of: other.id, judged, pairs: JSON.stringify(other.result('extract').digest ?? null) }
}

export interface PrepareOptions extends ThresholdOptions {
  readonly allow: readonly string[]
  readonly labels: string | undefined
}

/** Everything that is settled before a pair is judged. */
export interface Prepared {
  readonly policy: Policy
  readonly allow: readonly string[]
  /** Undefined when the threshold was set by hand. */
  readonly alertsPerDay: number | undefined
  readonly labels: Labels | undefined
  /** What shapes the verdicts. */
  readonly settings: Result
  /** Reads the pairs, and the model or asks the endpoint. */
  task(endpoint: string | undefined): Promise<Omit<ScoreTask, 'progress'>>
}

/** Reads and checks the small things first: a wrong option should fail before anything is loaded. */
export async function preparedFor(target: Target, options: PrepareOptions, context: Context): Promise<Prepared> {
  const allow = await allowList(options.allow)
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels, target.source)
  const calibration = await calibrationIn(target.calibration)
  const policy = { ...lineOf(options, calibration), allow }
  const alertsPerDay = options.threshold === undefined ? options.alertsPerDay : undefined
  return {
    policy,
    allow: allow.map(textOf),
    alertsPerDay,
    labels,
    settings: {
      of: target.of,
      pairs: target.pairs ?? null,
      alertsPerDay: alertsPerDay ?? null,
      threshold: options.threshold ?? null,
      minEvents: policy.minEvents,
      allow: allow.map(textOf),
      labels: labels?.digest ?? null,
    },
    task: async (endpoint) => ({
      ...(await knownBy(target, endpoint, calibration, context)),
      accesses: await accessesIn(target.judged, context.signal),
      policy,
      ...(labels !== undefined && { labels }),
      signal: context.signal,
    }),
  }
}

/** Who knows the scores, and who knows the entities: the training pairs, or without them the model. */
async function knownBy(
  target: Target,
  endpoint: string | undefined,
  calibration: Calibration | undefined,
  { signal, talk }: Context,
): Promise<Pick<ScoreTask, 'scorer' | 'events' | 'before'>> {
  const before = target.trained === undefined ? undefined : await accessesIn(target.trained, signal)
  const model = endpoint === undefined || before === undefined ? await loadModel(target.model) : undefined
  const digest = endpoint === undefined ? digestOf(await readFile(target.model)) : await servedModel(endpoint, signal)
  if (calibration !== undefined && digest !== undefined && digest !== calibration.model)
    throw otherModel(endpoint, target)
  const warn = (text: string) => talk.warn(text)
  const scorer: Scorer | undefined =
    endpoint === undefined ? model && directScorer(model) : endpointScorer({ url: endpoint, signal, warn })
  if (scorer === undefined) throw new Error('without an endpoint the model is loaded')
  return {
    scorer,
    events: (entity) => before?.events(entity) ?? model?.events(entity) ?? 0,
    ...(before !== undefined && { before }),
  }
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

const otherModel = (endpoint: string | undefined, target: Target): UserError =>
  endpoint === undefined
    ? new UserError(`${target.calibration} belongs to another model than ${target.model}`, {
        hint: 'train again with --overwrite: a threshold does not carry over',
      })
    : new UserError(`${endpoint} serves another model than the one that was calibrated`, {
        hint: 'deploy this run again; a threshold does not carry over to another model',
      })
