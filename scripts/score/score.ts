import { Readable } from 'node:stream'
import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { count } from '../lib/cli/format.ts'
import { Accesses, kindOf } from '../lib/insights/accesses.ts'
import { type Calibration, calibrationText } from '../lib/insights/calibration.ts'
import { calibrationOf, trialOf } from '../lib/insights/evaluation.ts'
import { EvidenceModel } from '../lib/insights/evidence.ts'
import { Ipv6Evidence, type Ipv6Pair } from '../lib/insights/ipv6-evidence.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { type Past, pastOf } from '../lib/insights/past.ts'
import { writeAlertFile } from '../lib/runs/alerts.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import { pairProviders, usualPlaces } from '../lib/runs/providers/history.ts'
import type { ScoreResult } from '../lib/runs/results.ts'
import { type Verdict, writeVerdicts } from '../lib/runs/verdicts.ts'
import type { Store } from '../lib/stores/store.ts'
import { alertsAmong } from './alerts/alerts.ts'
import type { Lookup } from './alerts/lookup.ts'
import { Anomalies, anomalyRows, MOST_ROWS } from './anomalies.ts'
import type { Backend } from './backend.ts'
import { ipv6Below, judgeIpv6, valuedIpv6 } from './ipv6.ts'
import { cappedThreshold, type JudgeTask, judgeAll, type Scored, scorePairs, valuesBelow } from './judge.ts'
import { type Prepared, type ThresholdOptions, thresholdOf } from './prepare.ts'
import { rankingOf } from './ranking.ts'
import { scoreResultOf } from './render.ts'
import { lineOf, type ScoringSession } from './scorer.ts'
import { Tally } from './tally.ts'
import type { Target } from './target.ts'

export interface ScoreTask {
  readonly context: Context
  readonly target: Target
  readonly prepared: Prepared
  readonly options: ThresholdOptions & { readonly ipv6: 'yes' | 'no' }
  readonly backend: Backend
  /** Where the verdicts go. */
  readonly scores: Store
  readonly checkpoint?: Checkpoint<Saved<'score'>>
  /** What asks the logs about flagged pairs, where there are logs. */
  readonly lookup?: Lookup
  /** Keeps a calibration that had to be made. */
  readonly keep?: (calibration: string) => Promise<void>
}

/** Judges all pairs of a target and writes the verdicts. */
export async function score(task: ScoreTask): Promise<ScoreResult> {
  const { context, target, prepared, options, backend, scores } = task
  const { signal, talk } = context
  if (target.lostTraining !== undefined)
    talk.warn(
      `the training pairs are gone: no verdict says what was seen before, and pairs are ranked by their score alone. ${target.lostTraining}`,
    )
  talk.detail(`scoring ${backend.about}`)
  const session = await backend.open(task.checkpoint)
  const trained = await target.trained?.(signal)
  const calibration = await calibrated(task, session, trained)
  const { rank, minEvents, allow, labels } = prepared
  const threshold = thresholdOf(options, { calibration, rank, days: target.days })
  const before = trained && new Accesses(trained)
  const evidence = trained && before && rank === 'evidence' ? new EvidenceModel(trained, before.grouped) : undefined
  const ranking = rankingOf(prepared, calibration, evidence)
  const events = await eventsOf(target, before, backend)
  const accesses = new Accesses(await target.pairs(signal))
  const ipv6 = options.ipv6 === 'no' || evidence === undefined ? undefined : await target.ipv6?.(signal)
  const past = before && pastOf(before, ipv6?.trained ?? [])
  const providerOf = prepared.providers && pairProviders(prepared.providers, past)
  const policy = { threshold, minEvents, allow }
  const judging = { accesses, events, before, ranking, policy, labels, ...(providerOf && { providerOf }) }
  const scored = await scoredBy(context, judging, session)
  const judgingIpv6 = ipv6 && trained && ipv6TaskOf(task, ipv6, { accesses, events, trained })
  const more = judgingIpv6 ? ipv6Below(judgingIpv6, policy) : []
  const held = { ...policy, threshold: heldThreshold(judging, scored, { target, options, more }) }
  const beside = { labels, ...(providerOf && { providerOf }) }
  const ofIpv6 = () => (judgingIpv6 ? judgeIpv6(judgingIpv6, held, beside) : [])
  const { tally, digest } = await writeScores(task, { ...judging, policy: held }, { scored, ofIpv6, past })
  await session.tidy?.()
  const unfit = target.days === undefined ? undefined : unfitIn(judging, scored, { calibration, rank, options })
  const at = (file: string) => scores.localPath?.(file) ?? scores.uriOf(file)
  const [output, anomalies] = [at(files.verdicts), at(files.anomalies)]
  if (tally.flagged > MOST_ROWS)
    talk.warn(`${anomalies} holds the ${MOST_ROWS} most anomalous pairs; the verdicts hold all of them`)
  if (tally.total === 0) talk.warn(`there was no pair to judge (${target.of})`)
  else if (tally.scored + tally.evidence === 0)
    talk.warn('no pair could be judged: the model knows none of these entities well')
  if (labels !== undefined && tally.attacks === 0) talk.warn('none of the labelled pairs is among what was judged')
  const below = tally.flagged + tally.allowed
  if (prepared.providers !== undefined && below > 0 && tally.located === 0)
    talk.warn(`--networks knows none of the ${count(below)} addresses below the threshold: is it the right file?`)
  const by = tally.scored === 0 ? undefined : session.by?.()
  return scoreResultOf({ of: target.of, tally, prepared, policy: held, output, anomalies, digest, by, unfit })
}

/** Names of the files in a folder of scores. */
const files = { verdicts: 'verdicts.ndjson', anomalies: 'anomalies.csv', alerts: 'alerts.ndjson' } as const

/** Asks the model about every pair. */
async function scoredBy(
  { signal, progress: progressOf }: Context,
  task: JudgeTask,
  session: ScoringSession,
): Promise<Scored> {
  const { accesses, events, policy } = task
  const scorer = await session.scorer(function* () {
    for (const { entity, ip } of accesses.distinct())
      if (kindOf(events(entity), policy.minEvents) === 'scored') yield lineOf(entity, ip)
  })
  const progress = progressOf('scoring', undefined, 'pairs')
  const scored = await scorePairs(task, scorer, (pairs) => {
    signal.throwIfAborted()
    progress.advance(pairs)
  })
  progress.end()
  return scored
}

/** The threshold, lowered so that what is judged has no more alerts than its days are allowed. */
function heldThreshold(
  task: JudgeTask,
  scored: Scored,
  { target, options, more }: Pick<ScoreTask, 'target' | 'options'> & { readonly more: readonly number[] },
): number {
  if (target.days === undefined || options.threshold !== undefined) return task.policy.threshold
  return cappedThreshold(task, scored, { budget: Math.floor(options.alertsPerDay * target.days), more })
}

/** What lies below the threshold that leaves just the budget on the holdout. */
function unfitIn(
  task: JudgeTask,
  scored: Scored,
  { options, ...basis }: Pick<Prepared, 'calibration' | 'rank'> & Pick<ScoreTask, 'options'>,
): NonNullable<ScoreResult['unfit']> | null {
  if (options.threshold !== undefined) return null
  const threshold = thresholdOf(options, { ...basis, days: undefined })
  return { pairs: valuesBelow(task, scored, threshold).length, threshold }
}

function* inBatches(first: Iterable<Verdict[]>, then: () => Verdict[]): Generator<Verdict[]> {
  yield* first
  yield then()
}

/** The IPv6 pairs to judge, ranked. */
function ipv6TaskOf(
  { prepared }: ScoreTask,
  found: { readonly trained: readonly Ipv6Pair[]; readonly judged: readonly Ipv6Pair[] },
  { accesses, events, trained }: Pick<JudgeTask, 'accesses' | 'events'> & { readonly trained: Pairs },
) {
  const evidence = new Ipv6Evidence(found.trained, events, trained.ip.length)
  const pairs = [...accesses.distinct()].length
  const accessesPerPair = pairs === 0 ? 1 : accesses.grouped.ips.length / pairs
  return valuedIpv6({ pairs: found.judged, evidence, prior: prepared.prior, accessesPerPair }, prepared.minEvents)
}

/** Earlier files stay untouched until every pair is judged. */
async function writeScores(
  { context, prepared, scores, lookup, checkpoint }: ScoreTask,
  task: JudgeTask,
  {
    scored,
    ofIpv6,
    past,
  }: { readonly scored: Scored; readonly ofIpv6: () => Verdict[]; readonly past: Past | undefined },
) {
  const { signal } = context
  const [tally, anomalies] = [new Tally(), new Anomalies()]
  async function* counted() {
    for (const verdicts of inBatches(judgeAll(task, scored), ofIpv6)) {
      signal.throwIfAborted()
      for (const verdict of verdicts) {
        tally.add(verdict)
        anomalies.add(verdict)
      }
      yield verdicts
    }
  }
  const digest = await writeVerdicts(scores, files.verdicts, counted())
  const top = anomalies.top()
  const usualOf = usualPlaces(past, prepared.providers)
  const alerts = await alertsAmong(top, { context, usualOf, lookup, checkpoint })
  await writeAlertFile(scores, files.alerts, alerts)
  const rows = Readable.from(anomalyRows(top, { usualOf, alerts }), { objectMode: false })
  await scores.write(files.anomalies, rows)
  return { tally, digest }
}

/** How often an entity was seen in training: according to the list of entities, the training pairs, or the model. */
async function eventsOf(target: Target, before: Accesses | undefined, backend: Backend) {
  const known = await target.known?.()
  if (known !== undefined) return (entity: string): number => known.get(entity) ?? 0
  if (before !== undefined) return (entity: string): number => before.events(entity)
  const model = await backend.model()
  return (entity: string): number => model.events(entity) ?? 0
}

/** The calibration of the model, made on the holdout if there is none. Undefined when none is needed. */
async function calibrated(
  { context, target, prepared, options, keep }: ScoreTask,
  session: ScoringSession,
  train: Pairs | undefined,
): Promise<Calibration | undefined> {
  if (prepared.calibration !== undefined || prepared.threshold !== undefined) return prepared.calibration
  const heldOut = await target.heldOut?.(context.signal)
  if (heldOut === undefined || train === undefined || session.measure === undefined)
    throw new UserError(`${target.calibration.uri} is missing, and cannot be made here`, {
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
  const measured = await session.measure(trial)
  const { alertsPerDay } = options
  const calibration = calibrationOf(trial, measured, { alertsPerDay, days, minEvents, seed, model })
  await keep?.(calibrationText(calibration))
  progress.set(holdout.ip.length)
  progress.end()
  return calibration
}
