import { endpointFailure } from '../../lib/aws/sagemaker/failures.ts'
import { tagsOf } from '../../lib/aws/sagemaker/names.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import { isWorse, metricsOf, metricsText, WorseModel } from '../../lib/runs/comparison.ts'
import type { HoldoutMetrics } from '../../lib/runs/results.ts'
import { createConfig, type Deployment } from './deployment.ts'
import { type EndpointSpec, trialName } from './spec.ts'
import { answers, tested, warnOfNonsense } from './trial.ts'

/** How a model did when it was tried. */
export interface Tried {
  readonly calibration: Calibration
  readonly challenger: HoldoutMetrics
}

/** Tests a model in service. Undefined when nothing of the holdout can be scored. @throws UserError when the model fails the tests */
export async function tryOut(deployment: Deployment, endpoint: string, config: string): Promise<Tried | undefined> {
  const { test, signal, spec } = deployment
  const invoke = await deployment.invoke(endpoint, config)
  await answers(invoke)
  const result = await tested(invoke, test, spec.digest, signal)
  // Last, and without patience: nobody knows what it does to a container.
  await warnOfNonsense(await deployment.invoke(endpoint, config, NONSENSE_MS), (text) => deployment.warn(text))
  if (result === undefined) return undefined
  const { calibration, measured } = result
  return { calibration, challenger: metricsOf(calibration, measured, test.alertsPerDay) }
}

/** Milliseconds for which malformed input is sent again when it gets no answer. */
const NONSENSE_MS = 5000

/** Tries the new model on an endpoint of its own, which is always deleted again. It is tried once, however often deploy is killed. */
export async function onTrial(deployment: Deployment): Promise<Tried | undefined> {
  const { endpoints, role, checkpoint, spec } = deployment
  const name = trialName(spec, role)
  // What a killed attempt has left: it is being deleted, or has failed, or nobody deletes it.
  const left = await endpoints.settled(name)
  const before = await savedTrial(deployment)
  if (left !== undefined && (left.EndpointStatus === 'Failed' || before !== undefined)) await endpoints.remove(name)
  if (before !== undefined) {
    await endpoints.removeConfig(name)
    return before
  }
  await createConfig(deployment, name, deployment.trial)
  await endpoints.create(name, name, tagsOf(spec.id, spec.workspace, spec.tags))
  try {
    const state = await endpoints.settled(name)
    if (state?.EndpointStatus !== 'InService')
      throw endpointFailure(name, 'the new model could not be tried', state?.FailureReason, unchanged(spec))
    const tried = await tryOut(deployment, name, name)
    if (tried !== undefined) {
      await deployment.calibration.save(tried.calibration)
      await checkpoint.save({ trial: { name, challenger: tried.challenger } })
    }
    return tried
  } finally {
    await endpoints.remove(name)
    await endpoints.removeConfig(name)
  }
}

/** The result of a trial before an earlier attempt was killed. */
export async function savedTrial({ checkpoint, role, calibration, spec }: Deployment): Promise<Tried | undefined> {
  const { trial } = checkpoint.saved
  if (trial?.name !== trialName(spec, role)) return undefined
  const saved = await calibration.saved()
  return saved?.model === spec.digest ? { calibration: saved, challenger: trial.challenger } : undefined
}

const unchanged = ({ endpoint }: EndpointSpec): string => `${endpoint} serves the same model as before`

/** @throws UserError for a worse model, unless --force allows it */
export function compare(
  { force, spec, info, warn }: Deployment,
  challenger: HoldoutMetrics,
  champion: HoldoutMetrics,
): void {
  const both = `new: ${metricsText(challenger)}; in service: ${metricsText(champion)}`
  if (!isWorse(challenger, champion)) info(`compared on the same holdout: ${both}`)
  else if (force) warn(`the new model is worse than the one in service (${both})`)
  else
    throw new WorseModel(
      `the new model is worse than the one in service on the same holdout: ${both}; ${unchanged(spec)}`,
      { hint: 'check what it was trained on; --force deploys it anyway' },
    )
}
