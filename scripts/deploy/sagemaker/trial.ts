import type { Invoke } from '../../lib/aws/sagemaker/invoke.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { count, plural } from '../../lib/cli/format.ts'
import { groupByEntity, History, MIN_EVENTS } from '../../lib/insights/accesses.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import { calibrationOf, type Measured, measure, type Score, type Trial } from '../../lib/insights/evaluation.ts'
import { formatIpv4 } from '../../lib/insights/ipv4.ts'
import type { Pairs } from '../../lib/insights/pairs.ts'
import { type HoldoutTest, TRIAL_SEED, trialMetrics } from '../../lib/runs/comparison.ts'
import type { HoldoutMetrics } from '../../lib/runs/results.ts'

/** Scores through an endpoint. */
const scoreThrough =
  (invoke: Invoke): Score =>
  async (entities, entityIndex, ips) =>
    Float64Array.from(await invoke(Array.from(ips, (ip, i) => `${entities[entityIndex[i] ?? 0]},${formatIpv4(ip)}`)))

export interface Tested {
  readonly calibration: Calibration
  readonly measured: Measured
}

/**
 * Measures a model on the holdout. Undefined when nothing of the holdout can be scored.
 * @param model digest of the model that answers
 * @throws UserError when it does not know pairs that are known to be good
 */
export async function tested(
  invoke: Invoke,
  test: HoldoutTest,
  model: string,
  signal: AbortSignal,
): Promise<Tested | undefined> {
  const { trial, days, alertsPerDay } = test
  if (trial === undefined) {
    await answersPairs(invoke, test.train)
    return undefined
  }
  const measured = await measure(scoreThrough(invoke), trial, signal)
  const settings = { alertsPerDay, days, minEvents: MIN_EVENTS, seed: TRIAL_SEED, model }
  const calibration = calibrationOf(trial, measured, settings)
  goodPairsPass(trial, measured, calibration)
  return { calibration, measured }
}

const NOBODY = 'prestage-smoke-test'

/** Asks for the score of a pair: any model has one for any entity. @throws UserError when this one gives no answer */
export const answers = async (invoke: Invoke): Promise<void> => void (await invoke([`${NOBODY},192.0.2.1`]))

/** Warns unless malformed input is refused with 400: whether the container does that is nowhere said. */
export async function warnOfNonsense(invoke: Invoke, warn: (text: string) => void): Promise<void> {
  const said = await invoke([NOBODY]).then(
    () => 'answers it',
    (error: unknown) => {
      if (!(error instanceof UserError)) throw error
      const { OriginalStatusCode: status } = (error.cause ?? {}) as { OriginalStatusCode?: number }
      return status === 400 ? undefined : `refuses it otherwise (${status ?? error.message})`
    },
  )
  if (said !== undefined)
    warn(`malformed input should get status 400, and the model ${said}: does it serve an IP Insights model?`)
}

async function answersPairs(invoke: Invoke, { entities, entityIndex, ip }: Pairs): Promise<void> {
  await invoke(
    Array.from(ip.subarray(0, 20), (address, i) => `${entities[entityIndex[i] ?? 0]},${formatIpv4(address)}`),
  )
}

const FEWEST_GOOD = 0.9

/**
 * Pairs whose /24 was seen with the entity in training are known to be good: most must lie on the threshold's right side, as
 * far as the budget of alerts lets any.
 */
function goodPairsPass({ train, distinct }: Trial, { distinct: scores }: Measured, { threshold }: Calibration): void {
  const history = new History(train, groupByEntity(train))
  const seenBefore = (i: number) =>
    history.seen(distinct.entities[distinct.entityIndex[i] ?? 0] ?? '', distinct.ip[i] ?? 0).net24
  const good = scores.filter((_, i) => seenBefore(i))
  const passed = good.filter((score) => score >= threshold).length
  const passing = scores.filter((score) => score >= threshold).length / scores.length
  if (passed >= FEWEST_GOOD * passing * good.length) return
  throw new UserError(
    `smoke test: only ${count(passed)} of ${plural(good.length, 'pair that is', 'pairs that are')} known to be good score above the threshold ${threshold.toPrecision(4)}`,
    { hint: 'the model did not learn them: train longer (--epochs), or lower --alerts-per-day' },
  )
}

/** The model in service on the same trial. It has a calibration of its own, which is of no use here. */
export const championOf = async (
  invoke: Invoke,
  test: HoldoutTest,
  trial: Trial,
  signal: AbortSignal,
): Promise<HoldoutMetrics> => trialMetrics(await measure(scoreThrough(invoke), trial, signal), { ...test, trial })
