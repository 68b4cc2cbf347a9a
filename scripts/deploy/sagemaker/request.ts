import { checkWish, tagsIn, type Wish } from '../../lib/aws/sagemaker/options.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import type { StepSettings } from '../../lib/runs/ledger.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { Range } from './options.ts'
import { type Hardware, memoryFor, type Order, STEP_MB } from './spec.ts'

export interface DeployWish extends Wish {
  readonly endpoint?: string | undefined
  readonly memory?: number | undefined
  readonly instanceCount: number
  readonly autoscale?: Range | undefined
  readonly alertsPerDay: number
  readonly force: boolean
  readonly rollback: boolean
  readonly keep: boolean
  readonly deleteAfter?: number | undefined
  readonly dryRun: boolean
  readonly overwrite: boolean
}

/** @throws UsageError when the options do not go together */
export function check(wish: DeployWish): void {
  checkWish(wish)
  const { instanceType, autoscale, instanceCount, memory, subnet, keep, deleteAfter, endpoint } = wish
  if (keep && deleteAfter !== undefined) throw new UsageError('--keep and --delete-after exclude each other')
  if (endpoint !== undefined && !/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(endpoint))
    throw new UsageError(`--endpoint "${endpoint}" cannot be a name`, 'letters, digits and hyphens, 63 at most')
  if (instanceType !== undefined && memory !== undefined)
    throw new UsageError('--memory is of serverless endpoints, --instance-type of others', 'leave one of them out')
  if (memory !== undefined && memory % STEP_MB !== 0)
    throw new UsageError(`--memory ${memory}: a serverless endpoint has 1024, 2048, 3072, 4096, 5120 or 6144 MB`)
  if (instanceType !== undefined) return
  if (autoscale !== undefined || instanceCount > 1)
    throw new UsageError(
      '--autoscale and --instance-count need --instance-type',
      'a serverless endpoint scales by itself',
    )
  if (subnet.length > 0)
    throw new UsageError('a serverless endpoint cannot be in a VPC', 'name an --instance-type, or leave --subnet out')
}

export function orderOf(run: Run, wish: DeployWish, region: string): Order {
  const { model, digest, image } = run.resultBy('sagemaker', 'train')
  return {
    id: run.id,
    workspace: run.workspace,
    region,
    endpoint: wish.endpoint ?? `prestage-${run.request.source}`,
    image,
    model,
    digest,
    hardware: hardwareOf(run, wish),
    subnets: wish.subnet,
    securityGroups: wish.securityGroup,
    kmsKey: wish.kmsKey,
    tags: tagsIn(wish),
  }
}

/** Requests that a serverless endpoint may have at once. */
const CONCURRENCY = 4

function hardwareOf(run: Run, { instanceType, instanceCount, autoscale, memory }: DeployWish): Hardware {
  if (instanceType !== undefined) return { instanceType, instances: autoscale?.min ?? instanceCount }
  return { memoryMB: memory ?? memoryOf(run), concurrency: CONCURRENCY }
}

function memoryOf(run: Run): number {
  const { numEntityVectors, vectorDim } = run.result('train')
  return memoryFor(numEntityVectors, vectorDim)
}

export const settingsOf = ({ endpoint, hardware }: Order, { alertsPerDay, autoscale }: DeployWish): StepSettings => ({
  endpoint,
  ...hardware,
  alertsPerDay,
  autoscale: autoscale === undefined ? null : `${autoscale.min}:${autoscale.max}`,
})

/** Undefined for a model that no serverless endpoint is large enough for. */
export function smallMemory(run: Run): number | undefined {
  try {
    return memoryOf(run)
  } catch {
    return undefined
  }
}
