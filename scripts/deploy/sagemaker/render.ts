import type { Range } from '../../lib/aws/sagemaker/scaling.ts'
import type { CommandResult } from '../../lib/cli/command.ts'
import { count, duration, facts, plural, usd } from '../../lib/cli/format.ts'
import { INSTANCES, PRICES, priceNote } from '../../lib/runs/cost.ts'
import type { DoneBy, Results } from '../../lib/runs/results.ts'
import type { EndpointSpec, Hardware } from './spec.ts'
import { metricsText } from './trial.ts'

const isServerless = (hardware: Hardware): hardware is Extract<Hardware, { memoryMB: number }> => 'memoryMB' in hardware

/** Dollars for every hour that an endpoint is there. Undefined without a known price. */
export function hourlyUsd(hardware: Hardware): number | undefined {
  if (isServerless(hardware)) return 0
  const price = INSTANCES[hardware.instanceType]?.usdPerHour
  return price === undefined ? undefined : price * hardware.instances
}

/** Dollars for answering so many pairs, some thousand in a second. */
const trialUsd = (pairs: number, memoryMB: number): number =>
  (60 + pairs / 2000) * (memoryMB / 1024) * PRICES.serverlessGBSecond

export function costText(hardware: Hardware): string {
  if (isServerless(hardware))
    return `nothing while idle; ${usd((hardware.memoryMB / 1024) * PRICES.serverlessGBSecond * 3600)} for an hour of answering`
  const hour = hourlyUsd(hardware)
  if (hour === undefined) return `unknown: ${hardware.instanceType} is not in the list of prices (${PRICES.date})`
  return `${usd(hour)} an hour, ${usd(hour * 730)} a month, used or not`
}

const hardwareText = (hardware: Hardware, autoscale?: Range): string =>
  isServerless(hardware)
    ? `serverless, ${count(hardware.memoryMB)} MB`
    : `${hardware.instances} x ${hardware.instanceType}${autoscale === undefined ? '' : `, scaled from ${autoscale.min} to ${autoscale.max}`}`

export interface Plan {
  readonly spec: EndpointSpec
  readonly autoscale: Range | undefined
  /** Configuration in service now. */
  readonly champion: string | undefined
  /** Pairs that the new model, and the one in service, are asked. */
  readonly holdoutPairs: number
  readonly deleteAfterMs: number | undefined
}

export const planFacts = ({ spec, autoscale, champion, holdoutPairs, deleteAfterMs }: Plan): [string, string][] => [
  ['endpoint', `${spec.endpoint} in ${spec.region}`],
  ['model', spec.model],
  ['hardware', hardwareText(spec.hardware, autoscale)],
  ['in service', champion === undefined ? 'nothing yet' : `${champion}; the new model is compared with it first`],
  ['test', `${plural(holdoutPairs, 'pair')} of the holdout, and attacks on them`],
  ['cost', `${costText(spec.hardware)} (${priceNote})`],
  deleteAfterMs === undefined
    ? ['stays', 'until clean, or --delete-after']
    : ['stays', `${duration(deleteAfterMs)}, then it is deleted`],
]

/** The estimate that is approved: the test, and an hour of what stays (or as long as it stays). */
export function planUsd({ spec: { hardware }, holdoutPairs, champion, deleteAfterMs }: Plan): number | undefined {
  const hour = hourlyUsd(hardware)
  const models = champion === undefined ? 1 : 2
  const memory = isServerless(hardware) ? hardware.memoryMB : 4096
  if (hour === undefined) return undefined
  return hour * Math.max(1, (deleteAfterMs ?? 0) / 3_600_000) + models * trialUsd(3 * holdoutPairs, memory)
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
      hourlyUsd: hourlyUsd(spec.hardware) ?? null,
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
