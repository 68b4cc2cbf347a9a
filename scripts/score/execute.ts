import type { Context } from '../lib/cli/context.ts'
import { UserError } from '../lib/cli/errors.ts'
import { Accesses } from '../lib/insights/accesses.ts'
import { type Calibration, calibrationText } from '../lib/insights/calibration.ts'
import { calibrationOf, trialOf } from '../lib/insights/evaluation.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { kindOf } from '../lib/insights/verdicts.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import type { ScoreResult } from '../lib/runs/results.ts'
import type { Store } from '../lib/stores/store.ts'
import { MOST_ROWS } from './anomalies.ts'
import { type ThresholdOptions, thresholdOf } from './inputs.ts'
import type { Prepared } from './prepare.ts'
import { resultOf } from './render.ts'
import { files, score } from './score.ts'
import { lineOf, type Oracle } from './scorer.ts'
import type { Way } from './scoring.ts'
import type { Target } from './target.ts'

interface Execution {
  readonly context: Context
  readonly target: Target
  readonly prepared: Prepared
  readonly options: ThresholdOptions
  readonly way: Way
  /** Where the verdicts go. */
  readonly scores: Store
  readonly checkpoint?: Checkpoint<Saved<'score'>>
  /** Keeps a calibration that had to be made. */
  readonly keep?: (calibration: string) => Promise<void>
}

/** Judges all pairs of a target and writes the verdicts. */
export async function execute(execution: Execution): Promise<ScoreResult> {
  const { context, target, prepared, options, way, scores } = execution
  const { signal } = context
  if (target.forgotten !== undefined)
    context.talk.warn(
      `the training pairs are not there any more: no verdict says what was seen before. ${target.forgotten}`,
    )
  context.talk.detail(`scoring ${way.about}`)
  const oracle = await way.open(execution.checkpoint)
  const trained = await target.trained?.(signal)
  const calibration = await calibrated(execution, oracle, trained)
  const policy = { threshold: thresholdOf(options, calibration), minEvents: prepared.minEvents, allow: prepared.allow }
  const before = trained && new Accesses(trained)
  const events = await eventsOf(target, before, way)
  const accesses = new Accesses(await target.judged(signal))
  const scorer = await oracle.scorer(function* () {
    for (const { entity, ip } of accesses.distinct())
      if (kindOf(events(entity), policy.minEvents) === 'scored') yield lineOf(entity, ip)
  })
  const progress = context.progress('scoring', undefined, 'pairs')
  const { labels } = prepared
  const task = { accesses, events, scorer, policy, signal, progress: (pairs: number) => progress.advance(pairs) }
  const { tally, digest } = await score({ ...task, ...(before && { before }), ...(labels && { labels }) }, scores)
  progress.end()
  await oracle.tidy?.()
  const at = (file: string) => scores.localPath?.(file) ?? scores.uriOf(file)
  const [output, anomalies] = [at(files.verdicts), at(files.anomalies)]
  if (tally.flagged > MOST_ROWS)
    context.talk.warn(`${anomalies} holds the ${MOST_ROWS} most anomalous pairs; the verdicts have all`)
  if (tally.total === 0) context.talk.warn(`there was no pair to judge (${target.of})`)
  else if (tally.scored === 0) context.talk.warn('no pair could be judged: the model knows none of these entities well')
  if (labels !== undefined && tally.attacks === 0)
    context.talk.warn('none of the labelled pairs is among what was judged')
  const by = tally.scored === 0 ? undefined : oracle.by?.()
  return resultOf({ of: target.of, tally, prepared, policy, output, anomalies, digest, by })
}

/** How often an entity was seen in training: a list of entities decides, else the training pairs, else the model. */
async function eventsOf(target: Target, before: Accesses | undefined, way: Way): Promise<(entity: string) => number> {
  const known = await target.known?.()
  if (known !== undefined) return (entity) => known.get(entity) ?? 0
  if (before !== undefined) return (entity) => before.events(entity)
  const model = await way.model()
  return (entity) => model.events(entity) ?? 0
}

/** The calibration of the model, made on the holdout when there is none. Undefined when none is needed. */
async function calibrated(
  { context, target, prepared, options, keep }: Execution,
  oracle: Oracle,
  train: Pairs | undefined,
): Promise<Calibration | undefined> {
  if (prepared.calibration !== undefined || prepared.threshold !== undefined) return prepared.calibration
  const heldOut = await target.trial?.(context.signal)
  if (heldOut === undefined || train === undefined || oracle.measure === undefined)
    throw new UserError(`${target.calibration.uri} is missing, and cannot be made in this way`, {
      hint: 'deploy makes one; or name a --threshold',
    })
  const { holdout, days, seed, model } = heldOut
  const { minEvents } = prepared
  const trial = trialOf(train, holdout, minEvents, seed)
  if (trial === undefined)
    throw new UserError('no pair of the holdout can be scored, so nothing can be calibrated', {
      hint: 'extract with a longer --holdout, lower --min-events, or name a --threshold',
    })
  const progress = context.progress('calibrating', holdout.ip.length, 'pairs')
  const measured = await oracle.measure(trial)
  const { alertsPerDay } = options
  const calibration = calibrationOf(trial, measured, { alertsPerDay, days, minEvents, seed, model })
  await keep?.(calibrationText(calibration))
  progress.set(holdout.ip.length)
  progress.end()
  return calibration
}
