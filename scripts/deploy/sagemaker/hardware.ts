import { UsageError } from '../../lib/cli/errors.ts'
import { bytes, count } from '../../lib/cli/format.ts'
import { INSTANCES, isSmallFor, modelBytesOf, servingInstance } from '../../lib/runs/cost.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type DeployOptions, STEP_MB } from './options.ts'

/** What serves a model: memory that is paid for while it answers, or instances that always run. */
export type Hardware =
  | { readonly memoryMB: number; readonly concurrency: number }
  | { readonly instanceType: string; readonly instances: number }

/**
 * The least that an endpoint gets: the only IP Insights on a serverless endpoint that is known to have run had 6144 for a model of 4 kB
 * (aws/sagemaker-python-sdk, tests/integ/test_ipinsights.py), and new accounts have 3072 at most.
 */
const [SMALLEST_MB, LARGEST_MB] = [3072, 6144] as const

/** Megabytes for a serverless endpoint: the bytes of the model twice, and the container. @throws UsageError when none is large enough */
export function memoryFor(model: number): number {
  const needed = (2 * model) / 2 ** 20 + 1024
  const memory = Math.max(SMALLEST_MB, Math.ceil(needed / STEP_MB) * STEP_MB)
  if (memory <= LARGEST_MB) return memory
  throw new UsageError(
    `the model needs about ${memory} MB, and a serverless endpoint has ${LARGEST_MB} at most`,
    `name an --instance-type (AWS's table has ${servingInstance(model)} for it), or train with fewer --num-entity-vectors`,
  )
}

/** Requests that a serverless endpoint may have at once, in service and on trial: a new account has ten for all of its endpoints. */
const [CONCURRENCY, ON_TRIAL] = [2, 1] as const

/**
 * Where a new model is tried: on the least of what it will be served by. On other hardware the trial would say little, and could fail where
 * the endpoint would not.
 */
export const trialHardware = (hardware: Hardware): Hardware =>
  'memoryMB' in hardware ? { ...hardware, concurrency: ON_TRIAL } : { ...hardware, instances: 1 }

/** Where serverless endpoints are offered: "Deploy models with Amazon SageMaker Serverless Inference", developer guide, 2026. */
const REGIONS = [
  'af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1',
  'eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2',
].flatMap((line) => line.split(' '))

export const offersServerless = (region: string): boolean => REGIONS.includes(region)

/** @throws UsageError when no serverless endpoint is large enough */
export function hardwareOf(run: Run, options: DeployOptions): Hardware {
  const { instanceType, instanceCount, autoscale, memory, maxConcurrency = CONCURRENCY } = options
  if (instanceType !== undefined) return { instanceType, instances: autoscale?.min ?? instanceCount }
  return { memoryMB: memory ?? memoryFor(modelBytes(run)), concurrency: maxConcurrency }
}

/** Bytes of the run's model. */
export function modelBytes(run: Run): number {
  const { numEntityVectors, vectorDim } = run.result('train')
  return modelBytesOf(numEntityVectors, vectorDim)
}

/** Why this hardware, for a plan. */
export function whyHardware(hardware: Hardware, model: number): string {
  if ('memoryMB' in hardware) return `the model has ${bytes(model)}, and a new account ${count(SMALLEST_MB)} MB at most`
  const wanted = servingInstance(model)
  return `AWS's table has ${wanted}, ${INSTANCES[wanted]?.memoryGiB} GB, for a model of ${bytes(model)}`
}

/** What speaks against this hardware; undefined when nothing does. */
export function doubtsAbout(hardware: Hardware, model: number): string | undefined {
  if ('memoryMB' in hardware || !isSmallFor(hardware.instanceType, model)) return undefined
  const { instanceType } = hardware
  return `${instanceType} has ${INSTANCES[instanceType]?.memoryGiB} GB, and ${whyHardware(hardware, model)}: the model may not start there`
}
