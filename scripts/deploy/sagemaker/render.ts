import { SERVERLESS_CONCURRENCY } from '../../lib/aws/quota-names.ts'
import type { Range } from '../../lib/aws/sagemaker/scaling.ts'
import type { CommandResult } from '../../lib/cli/command.ts'
import { count, duration, facts, plural, usd } from '../../lib/cli/format.ts'
import { metricsText } from '../../lib/runs/comparison.ts'
import { answersUsd, PRICES, priceNote, SCALING_USD, servingUsd } from '../../lib/runs/cost.ts'
import type { DoneBy, Results } from '../../lib/runs/results.ts'
import { doubtsAbout, type Hardware, trialHardware, whyHardware } from './hardware.ts'
import type { EndpointSpec } from './spec.ts'

const isServerless = (hardware: Hardware): hardware is Extract<Hardware, { memoryMB: number }> => 'memoryMB' in hardware

/** Dollars for every hour that an endpoint is there, with its disks and the alarms of its scaling. Undefined without a known price. */
export function hourlyUsd(hardware: Hardware, autoscale?: Range): number | undefined {
  if (isServerless(hardware)) return 0
  const price = servingUsd(hardware.instanceType)
  return price === undefined ? undefined : price * hardware.instances + (autoscale === undefined ? 0 : SCALING_USD)
}

export function costText(hardware: Hardware, autoscale?: Range): string {
  if (isServerless(hardware))
    return `nothing while idle; ${usd((hardware.memoryMB / 1024) * PRICES.serverlessGBSecond * 3600)} for an hour of answering`
  const hour = hourlyUsd(hardware, autoscale)
  if (hour === undefined) return `unknown: ${hardware.instanceType} is not in the list of prices (${PRICES.date})`
  return `${usd(hour)} an hour, ${usd(hour * 730)} a month, used or not`
}

const hardwareText = (hardware: Hardware, autoscale?: Range): string =>
  isServerless(hardware)
    ? `serverless, ${count(hardware.memoryMB)} MB`
    : `${hardware.instances} x ${hardware.instanceType}${autoscale === undefined ? '' : `, scaled from ${autoscale.min} to ${autoscale.max}`}`

export interface Plan {
  readonly spec: EndpointSpec
  readonly modelBytes: number
  readonly autoscale: Range | undefined
  /** Configuration in service now. */
  readonly champion: string | undefined
  /** Whether SageMaker does not go back to it. */
  readonly isOneWay: boolean
  /** Pairs that the new model, and the one in service, are asked. */
  readonly holdoutPairs: number
  readonly deleteAfterMs: number | undefined
  /** Requests at once that the account has for all serverless endpoints; undefined where it is not known. */
  readonly concurrencyQuota: number | undefined
}

/** Requests at once that serverless endpoints take: the new one, and one on trial; undefined of instances. */
function concurrencyIn({ spec: { hardware }, champion }: Plan): { served: number; tried: number } | undefined {
  if (!isServerless(hardware)) return undefined
  return { served: hardware.concurrency, tried: champion === undefined ? 0 : 1 }
}

function concurrencyText(plan: Plan): string {
  const { served = 0, tried = 0 } = concurrencyIn(plan) ?? {}
  const trial = tried === 0 ? '' : `, and ${tried} for the trial`
  const quota =
    plan.concurrencyQuota === undefined
      ? ''
      : `, of ${plan.concurrencyQuota} that all serverless endpoints of the account have`
  return `${plural(served, 'request')} at once${trial}${quota}`
}

/** What speaks against a plan. */
export function doubtsIn(plan: Plan): string[] {
  const { spec, modelBytes, concurrencyQuota: quota } = plan
  const { served, tried } = concurrencyIn(plan) ?? { served: 0, tried: 0 }
  const most = served + tried
  const over =
    quota !== undefined && most > quota
      ? `${most} requests at once are more than the ${quota} that the account has for all serverless endpoints: lower --max-concurrency, or ask for more: Service Quotas, Amazon SageMaker, "${SERVERLESS_CONCURRENCY}"`
      : undefined
  return [doubtsAbout(spec.hardware, modelBytes), over].filter((doubt) => doubt !== undefined)
}

function inServiceText({ champion, isOneWay }: Plan): string {
  if (champion === undefined) return 'nothing yet'
  const way = isOneWay ? '; it is serverless, and SageMaker does not go back to that from instances' : ''
  return `${champion}; the new model is compared with it first${way}`
}

export const planFacts = (plan: Plan): [string, string][] => [
  ...placeFacts(plan),
  ['test', `${plural(plan.holdoutPairs, 'pair')} of the holdout, and attacks on them`],
  ['cost', `${costText(plan.spec.hardware, plan.autoscale)} (${priceNote})`],
  plan.deleteAfterMs === undefined
    ? ['stays', 'until clean, or --delete-after']
    : ['stays', `${duration(plan.deleteAfterMs)}, then it is deleted`],
]

const placeFacts = (plan: Plan): [string, string][] => [
  ['endpoint', `${plan.spec.endpoint} in ${plan.spec.region}`],
  ['model', plan.spec.model],
  [
    'hardware',
    `${hardwareText(plan.spec.hardware, plan.autoscale)} (${whyHardware(plan.spec.hardware, plan.modelBytes)})`,
  ],
  ...(isServerless(plan.spec.hardware) ? [['requests', concurrencyText(plan)] satisfies [string, string]] : []),
  ['in service', inServiceText(plan)],
]

/** Hours for which a trial on an instance is there: guessed high. */
const TRIAL_HOURS = 0.5

/** The estimate that is approved: the trial, the test, and an hour of what stays (or as long as it stays). */
export function planUsd({
  spec: { hardware },
  autoscale,
  holdoutPairs,
  champion,
  deleteAfterMs,
}: Plan): number | undefined {
  const hour = hourlyUsd(hardware, autoscale)
  if (hour === undefined) return undefined
  const stays = hour * Math.max(1, (deleteAfterMs ?? 0) / 3_600_000)
  const models = champion === undefined ? 1 : 2
  const test = models * answersUsd(3 * holdoutPairs, isServerless(hardware) ? hardware.memoryMB : undefined)
  return stays + test + (models - 1) * TRIAL_HOURS * (hourlyUsd(trialHardware(hardware)) ?? 0)
}

export function renderDeployPlan(plan: Plan): CommandResult {
  const { spec, champion } = plan
  return {
    json: {
      run: spec.id,
      dryRun: true,
      endpoint: spec.endpoint,
      region: spec.region,
      model: spec.model,
      ...spec.hardware,
      inService: champion ?? null,
      hourlyUsd: hourlyUsd(spec.hardware, plan.autoscale) ?? null,
      estimatedUsd: planUsd(plan) ?? null,
    },
    text: facts(planFacts(plan)),
  }
}

export type DeployResult = DoneBy<Results['deploy'], 'sagemaker'>
/** An endpoint whose time is over, as it is printed. */
export type PrintedResult = Omit<DeployResult, 'status'> & { readonly status: 'InService' | 'Deleted' }

export function renderDeployed(
  run: string,
  result: PrintedResult,
  hardware: Hardware,
  repeated: boolean,
): CommandResult {
  const { endpoint, region, status, config, previous, threshold, challenger, champion } = result
  return {
    json: { run, ...result, repeated },
    text: facts([
      ['run', run],
      ['endpoint', `${endpoint} in ${region}${repeated ? ', was deployed before' : ''}`],
      ['status', status],
      ['serves', `${config} (${hardwareText(hardware)})`],
      previous === null ? undefined : ['before', `${previous}, kept: deploy --rollback goes back to it`],
      challenger === null ? undefined : ['new model', metricsText(challenger)],
      champion === null ? undefined : ['old model', metricsText(champion)],
      ['threshold', threshold === null ? 'none' : threshold.toPrecision(5)],
      status === 'InService' ? ['costs', costText(hardware)] : undefined,
    ]),
  }
}
