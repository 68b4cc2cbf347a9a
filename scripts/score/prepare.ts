import { createHash } from 'node:crypto'
import type { Context } from '../lib/cli/command.ts'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import { MIN_EVENTS } from '../lib/insights/accesses.ts'
import { type Calibration, parseCalibration, thresholdFor } from '../lib/insights/calibration.ts'
import { formatNetwork } from '../lib/insights/ipv6.ts'
import type { Prior, RankName } from '../lib/insights/rank.ts'
import { type Allowed, allowancesIn } from '../lib/runs/allowances.ts'
import type { StepSettings } from '../lib/runs/ledger.ts'
import { openProviders, type Providers } from '../lib/runs/providers/providers.ts'
import type { Target } from './target.ts'
import { type Labels, readLabels } from './user-files.ts'

export interface ThresholdOptions {
  readonly threshold: number | undefined
  readonly alertsPerDay: number
  readonly minEvents: number | undefined
  readonly rank: RankName | undefined
  readonly prior: Prior
}

export interface PrepareOptions extends ThresholdOptions {
  readonly allow: readonly string[]
  readonly labels: string | undefined
  readonly networks: readonly string[]
  readonly ipv6: 'yes' | 'no'
}

/** Everything that is settled before a pair is judged. */
export interface Prepared {
  /** Undefined when one must be made first. */
  readonly calibration: Calibration | undefined
  /** Undefined when it follows from a calibration that must be made first. */
  readonly threshold: number | undefined
  readonly minEvents: number
  readonly rank: RankName
  readonly prior: Prior
  readonly allow: readonly Allowed[]
  /** Undefined when the threshold was set by hand. */
  readonly alertsPerDay: number | undefined
  readonly labels: Labels | undefined
  /** Undefined without files of networks. */
  readonly providers: Providers | undefined
  /** What shapes the verdicts. */
  readonly settings: StepSettings
}

type Host = Pick<Context, 'now' | 'talk'>

/** Reads and checks the small inputs first: a wrong option should fail before anything is loaded. */
export async function preparedFor(target: Target, options: PrepareOptions, { now, talk }: Host): Promise<Prepared> {
  const { allow, expired } = await allowancesIn(options.allow, now())
  for (const entry of expired) talk.warn(entry)
  const entries = allow.filter(({ because }) => because !== undefined)
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels, target.source)
  const providers = await openProviders(options.networks)
  const calibration = await ownCalibration(target)
  const isKnown = calibration !== undefined || options.threshold !== undefined || target.heldOut === undefined
  const alertsPerDay = options.threshold === undefined ? options.alertsPerDay : undefined
  const minEvents = options.minEvents ?? calibration?.minEvents ?? MIN_EVENTS
  const wanted = rankFor(options, target, calibration)
  // What is done with pairs that are gone by now stays done: only what is yet to be done goes by the score alone.
  const rank = target.trained === undefined ? 'score' : wanted
  return {
    calibration,
    threshold: isKnown ? thresholdOf(options, { calibration, rank, days: target.days }) : undefined,
    minEvents,
    rank,
    prior: options.prior,
    allow,
    alertsPerDay,
    labels,
    providers,
    settings: {
      of: target.of,
      pairs: target.pairsDigest ?? null,
      alertsPerDay: alertsPerDay ?? null,
      threshold: options.threshold ?? null,
      minEvents,
      rank: wanted,
      prior: wanted === 'evidence' ? options.prior : null,
      allow: allow.filter(({ because }) => because === undefined).map(formatNetwork),
      ...(entries.length > 0 && { allowances: createHash('sha256').update(JSON.stringify(entries)).digest('hex') }),
      labels: labels?.digest ?? null,
      ...(providers && { networks: providers.digest }),
      ...(options.ipv6 === 'no' && { ipv6: options.ipv6 }),
    },
  }
}

/** By evidence unless it is not to be had. @throws UsageError when it is wanted all the same */
function rankFor(options: ThresholdOptions, target: Target, calibration: Calibration | undefined): RankName {
  const hasRank = calibration === undefined ? target.heldOut !== undefined : calibration.rank !== undefined
  const isGone = target.trained === undefined && (target.lostTraining === undefined || options.rank === 'evidence')
  const missing = isGone ? 'the training pairs' : hasRank ? undefined : `a rank in ${target.calibration.uri}`
  if (options.rank === 'evidence' && missing !== undefined)
    throw new UsageError(`--rank evidence needs ${missing}`, 'train again with --overwrite, or use --rank score')
  return options.rank ?? (missing === undefined && options.threshold === undefined ? 'evidence' : 'score')
}

/** How far beyond the budget on the holdout a pair may lie and still be among the most suspicious of other days. */
const LEEWAY = 10

/** What a threshold follows from. */
interface Basis {
  readonly calibration: Calibration | undefined
  readonly rank: RankName
  /** Days that what is judged covers, where that is known: then the budget is held on these days, and the threshold has leeway. */
  readonly days: number | undefined
}

/** Pairs whose value is below are flagged. @throws UsageError when neither the options nor a calibration set a threshold */
export function thresholdOf(options: ThresholdOptions, { calibration, rank, days }: Basis): number {
  if (options.threshold !== undefined) return options.threshold
  if (calibration === undefined)
    throw new UsageError('this model has no calibration', 'train it with a holdout, or name a --threshold')
  const values = rank === 'evidence' ? calibration.rank?.[options.prior] : undefined
  const budget = options.alertsPerDay * (days === undefined ? 1 : LEEWAY)
  return thresholdFor({ ...calibration, ...values }, budget)
}

/** Where a new calibration can be made, that of an earlier model is ignored. */
async function ownCalibration({ calibration: place, digest }: Target): Promise<Calibration | undefined> {
  const text = await place.text()
  const calibration = text === undefined ? undefined : parseCalibration(text, place.uri)
  return digest !== undefined && calibration?.model !== digest ? undefined : calibration
}

/** @throws UserError when the calibration belongs to another model. @param address of the endpoint that serves the model */
export function checkModel(
  target: Target,
  calibration: Calibration | undefined,
  digest: string | undefined,
  address?: string,
): void {
  if (calibration === undefined || digest === undefined || digest === calibration.model) return
  throw address === undefined
    ? new UserError(`${target.calibration.uri} belongs to another model than ${target.model.uri}`, {
        hint: 'train again with --overwrite: a threshold does not carry over',
      })
    : new UserError(`${address} serves another model than the one that was calibrated`, {
        hint: 'deploy this run again; a threshold does not carry over to another model',
      })
}
