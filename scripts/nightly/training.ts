import { UserError } from '../lib/cli/errors.ts'
import { utc } from '../lib/cli/format.ts'
import { take } from '../lib/cli/take.ts'
import { loadModel } from '../lib/insights/model.ts'
import { isWorse, metricsText, testOf, trialMetrics, WorseModel } from '../lib/runs/comparison.ts'
import {
  type Candidate,
  type ModelInService,
  type ModelNote,
  modelNote,
  noteModel,
  type TrainReason,
} from '../lib/runs/models.ts'
import type { Judged, Night } from '../lib/runs/nights.ts'
import { pairsOf } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { DAY_MS, EmptyWindow, type Window } from '../lib/runs/window.ts'
import { inProcess } from '../score/local/model.ts'
import { cleanRun } from './keep.ts'
import { stagedRun } from './runs.ts'
import { isInAws, runOfNight, type Work } from './work.ts'

/** The model that judges a day, and the training of that night. */
export interface Renewed {
  readonly model: ModelInService
  readonly trained: Judged['trained']
}

/** Nights in a row that do not fit before a new model is trained for it. */
const LASTING = 2

/**
 * Why a new model is due before a day is judged; undefined when the one in service stays. What decides is the days that were trained
 * on and judged, never the clock: days that are made up for come to the same.
 */
export function trainReason(
  model: ModelInService | undefined,
  nights: readonly Night[],
  { from }: Pick<Window, 'from'>,
  retrain: number,
): TrainReason | undefined {
  if (model === undefined) return 'none'
  const trainedTo = model.tried?.to ?? model.since
  const age = from.getTime() - new Date(trainedTo).getTime()
  if (age <= 0) return undefined
  const before = nights.filter((night) => night.state === 'judged' && new Date(night.to) <= from)
  const last = before.slice(-LASTING).filter((night) => night.judged?.drift && night.from >= trainedTo)
  if (last.length === LASTING) return 'drift'
  return age >= retrain ? 'age' : undefined
}

/** Trains a new model where one is due; it takes over unless it is worse. @throws UserError when there is nothing to train the first one on */
export async function renewed(work: Work, nights: readonly Night[], window: Window): Promise<Renewed> {
  const { root, source, options, context } = work
  const note = await modelNote(root, source)
  const { model } = note
  const why = trainReason(model, nights, window, options.retrain)
  const training = { from: new Date(window.from.getTime() - options.history), to: window.from }
  if (why === undefined && model !== undefined) {
    const { tried } = model
    if (new Date(tried?.to ?? model.since) > window.from)
      context.talk.warn(
        `the model in service may have been trained on ${utc(window.from)}: it finds normal what it has learned`,
      )
    // Killed between the change and the note of its night, the night still says what was trained in it.
    const isOfTonight = tried?.to === window.from.toISOString()
    return { model, trained: isOfTonight ? trainedOf(tried) : null }
  }
  try {
    const tried = await candidateOf(work, model, { why: why ?? 'none', training })
    const next = nextModel(note, tried, context.now())
    await noteModel(root, source, next, note)
    // The copies of many days were read once. In AWS they expire, and clean would also delete the endpoint.
    if (!isInAws(work)) await cleanRun(work, tried.run, false)
    return { model: next, trained: trainedOf(tried) }
  } catch (error) {
    if (model === undefined || !(error instanceof EmptyWindow || error instanceof NothingToTrainOn)) throw error
    context.talk.warn(`no new model is trained: ${error.message}`)
    return { model, trained: null }
  }
}

const trainedOf = ({ run, why, isBetter }: Candidate) => ({ run, why, isBetter })

class NothingToTrainOn extends UserError {}

function nextModel({ model }: ModelNote, tried: Candidate, now: Date): ModelInService {
  const trained = [...(model?.trained ?? []).filter((id) => id !== tried.run), tried.run]
  if (model !== undefined && !tried.isBetter) return { ...model, tried, trained }
  const replaced = model === undefined ? null : { run: model.run, since: model.since, why: model.why }
  return { version: 1, run: tried.run, since: now.toISOString(), why: tried.why, replaced, tried, trained }
}

interface Training {
  readonly why: TrainReason
  readonly training: Window
}

/** Share of the window that is held out. After a drift the last day alone: the days that do not fit are to be learned. */
const holdoutOf = ({ why, training }: Training): number =>
  why === 'drift' ? DAY_MS / (training.to.getTime() - training.from.getTime()) : 0.2

async function candidateOf(work: Work, model: ModelInService | undefined, plan: Training): Promise<Candidate> {
  const { context, options } = work
  context.talk.info(`training a new model: ${REASONS[plan.why]}`)
  const id = await stagedRun(work, plan.training, { holdout: holdoutOf(plan) })
  const { trainPairs, holdoutPairs } = (await runOfNight(work, id)).result('extract')
  if (trainPairs === 0 || holdoutPairs === 0)
    throw new NothingToTrainOn(
      `the ${plan.training.from.toISOString().slice(0, 10)} to ${plan.training.to.toISOString().slice(0, 10)} logs have no pairs to ${trainPairs === 0 ? 'train on' : 'calibrate with'}`,
      { hint: 'a longer --history, or a later day' },
    )
  // A model is calibrated for every budget; that of the night is chosen when it judges.
  await take((await import('../train/command.ts')).command, context, { ...options, run: id, alertsPerDay: undefined })
  const run = await runOfNight(work, id)
  const compared = isInAws(work) ? await deployed(work, run) : await comparedHere(work, run, model)
  return { run: id, why: plan.why, to: plan.training.to.toISOString(), ...compared }
}

const REASONS = {
  none: 'there is none yet',
  age: 'the last training is old',
  drift: 'what was judged has not fitted for two nights',
} as const

type Compared = Pick<Candidate, 'isBetter' | 'challenger' | 'champion'>

/** In AWS deploy replaces the model at the endpoint of the source, unless the new one is worse. */
async function deployed(work: Work, run: Run): Promise<Compared> {
  const { context, options } = work
  try {
    await take((await import('../deploy/command.ts')).command, context, { ...options, run: run.id })
    const { challenger, champion } = (await runOfNight(work, run.id)).resultBy('sagemaker', 'deploy')
    return { isBetter: true, challenger, champion }
  } catch (error) {
    if (!(error instanceof WorseModel)) throw error
    context.talk.warn(error.message)
    return { isBetter: false, challenger: null, champion: null }
  }
}

/** Both models in this process, on the new one's holdout. */
async function comparedHere(work: Work, run: Run, model: ModelInService | undefined): Promise<Compared> {
  const { context, options } = work
  const { signal, talk } = context
  if (run.result('train').calibration === null)
    throw new NothingToTrainOn(`the model of run ${run.id} could not be calibrated`, { hint: 'a longer --history' })
  if (model === undefined || model.run === run.id) return { isBetter: true, challenger: null, champion: null }
  const [train, holdout] = [await pairsOf(run, 'train', signal), await pairsOf(run, 'holdout', signal)]
  const { trial, ...held } = testOf({ train, holdout, days: run.holdout().days, alertsPerDay: options.alertsPerDay })
  if (trial === undefined) return { isBetter: true, challenger: null, champion: null }
  const metricsOfRun = async (of: Run) => {
    const { measure } = inProcess(await loadModel(of.path(paths.model)), signal)
    if (measure === undefined) throw new Error('a model in this process can be measured')
    return trialMetrics(await measure(trial), { ...held, trial })
  }
  const challenger = await metricsOfRun(run)
  const champion = await metricsOfRun(await runOfNight(work, model.run))
  const isBetter = !isWorse(challenger, champion)
  const both = `on the same holdout, new: ${metricsText(challenger)}; in service: ${metricsText(champion)}`
  if (isBetter) talk.info(`the new model takes over: ${both}`)
  else talk.warn(`the new model is worse, and the one in service stays: ${both}`)
  return { isBetter, challenger, champion }
}

/** `--rollback`. @throws UserError when nothing was replaced */
export async function rollBackModel(work: Work): Promise<{ readonly from: string; readonly model: ModelInService }> {
  const { root, source, context, options } = work
  const note = await modelNote(root, source)
  const { model } = note
  if (model === undefined || model.replaced === null)
    throw new UserError(
      model === undefined
        ? `no model of ${source} is in service`
        : `the model in service of ${source}, of run ${model.run}, has replaced none`,
      { hint: 'a night brings a model into service' },
    )
  const { replaced, run, since, why } = model
  const next: ModelInService = {
    ...model,
    run: replaced.run,
    since: context.now().toISOString(),
    why: 'rollback',
    replaced: { run, since, why },
  }
  if (options.dryRun) return { from: run, model: next }
  if (isInAws(work)) {
    const { command } = await import('../deploy/command.ts')
    await take(command, context, { ...options, run, rollback: true })
  } else await runOfNight(work, replaced.run)
  await noteModel(root, source, next, note)
  return { from: run, model: next }
}
