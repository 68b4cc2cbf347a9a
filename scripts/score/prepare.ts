import { UserError } from '../lib/cli/errors.ts'
import type { Calibration } from '../lib/insights/calibration.ts'
import type { Cidr } from '../lib/insights/ipv4.ts'
import type { StepSettings } from '../lib/runs/ledger.ts'
import { allowList, textOf } from './allow.ts'
import { calibrationIn, minEventsOf, type ThresholdOptions, thresholdOf } from './inputs.ts'
import { type Labels, readLabels } from './labels.ts'
import type { Target } from './target.ts'

export interface PrepareOptions extends ThresholdOptions {
  readonly allow: readonly string[]
  readonly labels: string | undefined
}

/** Everything that is settled before a pair is judged. */
export interface Prepared {
  /** Undefined when one is to be made first. */
  readonly calibration: Calibration | undefined
  /** Undefined when it follows from a calibration that is to be made. */
  readonly threshold: number | undefined
  readonly minEvents: number
  readonly allow: readonly Cidr[]
  /** Undefined when the threshold was set by hand. */
  readonly alertsPerDay: number | undefined
  readonly labels: Labels | undefined
  /** What shapes the verdicts. */
  readonly settings: StepSettings
}

/** Reads and checks the small things first: a wrong option should fail before anything is loaded. */
export async function preparedFor(target: Target, options: PrepareOptions): Promise<Prepared> {
  const allow = await allowList(options.allow)
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels, target.source)
  const calibration = await ownCalibration(target)
  const isKnown = calibration !== undefined || options.threshold !== undefined || target.trial === undefined
  const alertsPerDay = options.threshold === undefined ? options.alertsPerDay : undefined
  const minEvents = minEventsOf(options, calibration)
  return {
    calibration,
    threshold: isKnown ? thresholdOf(options, calibration) : undefined,
    minEvents,
    allow,
    alertsPerDay,
    labels,
    settings: {
      of: target.of,
      pairs: target.pairs ?? null,
      alertsPerDay: alertsPerDay ?? null,
      threshold: options.threshold ?? null,
      minEvents,
      allow: allow.map(textOf),
      labels: labels?.digest ?? null,
    },
  }
}

/** Where another can be made, that of an earlier model does not count. */
async function ownCalibration({ calibration: place, digest }: Target): Promise<Calibration | undefined> {
  const calibration = await calibrationIn(place)
  return digest !== undefined && calibration?.model !== digest ? undefined : calibration
}

/** @throws UserError when the calibration belongs to another model. @param address of the endpoint that has it */
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
