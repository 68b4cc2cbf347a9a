import { createHash } from 'node:crypto'
import type {
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  ProductionVariant,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { resourceName, tagsOf } from '../../lib/aws/sagemaker/jobs.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { hasOwnDisk, modelBytesOf } from '../../lib/runs/instances.ts'
import { offersServerless } from './serverless-regions.ts'

/** The one variant of every endpoint. */
export const VARIANT = 'AllTraffic'

/** What serves: memory that is there while it answers, or instances that always are. */
export type Hardware =
  | { readonly memoryMB: number; readonly concurrency: number }
  | { readonly instanceType: string; readonly instances: number }

export interface Order {
  /** Of the run. */
  readonly id: string
  readonly workspace: string
  readonly region: string
  readonly endpoint: string
  readonly image: string
  /** URI of model.tar.gz, and its digest as train names it. */
  readonly model: string
  readonly digest: string
  readonly hardware: Hardware
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
  readonly kmsKey: string | undefined
  readonly tags: readonly Tag[]
}

/** "Valid values are in 1 GB increments", MemorySizeInMB, API reference. */
export const STEP_MB = 1024
const [SMALLEST_MB, LARGEST_MB] = [2048, 6144] as const

/** Megabytes for a serverless endpoint: the model twice, and the container. @throws UsageError when none is large enough */
export function memoryFor(entityVectors: number, dim: number): number {
  const needed = (2 * modelBytesOf(entityVectors, dim)) / 2 ** 20 + 1024
  const memory = Math.max(SMALLEST_MB, Math.ceil(needed / STEP_MB) * STEP_MB)
  if (memory <= LARGEST_MB) return memory
  throw new UsageError(
    `the model needs about ${memory} MB, and a serverless endpoint has ${LARGEST_MB} at most`,
    'name an --instance-type, for example ml.m5.2xlarge, or train with fewer --num-entity-vectors',
  )
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 6)

const modelPart = ({ model, digest, image, subnets, securityGroups }: Order, role: string) => [
  model,
  digest,
  image,
  subnets,
  securityGroups,
  role,
]

/** Equal orders have equal names: what was made is found again. */
const modelName = (order: Order, role: string): string => resourceName(order.id, `m${hashOf(modelPart(order, role))}`)

export const configName = (order: Order, role: string): string =>
  resourceName(order.id, `c${hashOf([modelPart(order, role), order.hardware, order.kmsKey])}`)

/** Of the endpoint on which a new model is tried before it takes another one's place, and of its configuration. */
export const trialName = (order: Order, role: string): string =>
  resourceName(order.id, `t${hashOf(modelPart(order, role))}`)

export function modelRequest(order: Order, role: string): CreateModelCommandInput {
  const { image, model, subnets, securityGroups } = order
  return {
    ModelName: modelName(order, role),
    ExecutionRoleArn: role,
    PrimaryContainer: { Image: image, ModelDataUrl: model },
    ...(subnets.length > 0 && { VpcConfig: { Subnets: [...subnets], SecurityGroupIds: [...securityGroups] } }),
    Tags: tagsOf(order.id, order.workspace, order.tags),
  }
}

export function configRequest(
  order: Order,
  role: string,
  name: string,
  hardware: Hardware,
): CreateEndpointConfigCommandInput {
  // Serverless ones have no disk.
  const takesKey = 'instanceType' in hardware && !hasOwnDisk(hardware.instanceType)
  const variant: ProductionVariant = {
    VariantName: VARIANT,
    ModelName: modelName(order, role),
    ...('memoryMB' in hardware
      ? { ServerlessConfig: { MemorySizeInMB: hardware.memoryMB, MaxConcurrency: hardware.concurrency } }
      : {
          InstanceType: hardware.instanceType as NonNullable<ProductionVariant['InstanceType']>,
          InitialInstanceCount: hardware.instances,
        }),
  }
  return {
    EndpointConfigName: name,
    ProductionVariants: [variant],
    ...(order.kmsKey !== undefined && takesKey && { KmsKeyId: order.kmsKey }),
    Tags: tagsOf(order.id, order.workspace, order.tags),
  }
}

/** Where a new model is tried: serverless, which costs nothing but its answers, unless the model or the region has no such thing. */
export function trialHardware({ hardware, subnets, region }: Order, memoryMB: number | undefined): Hardware {
  if (memoryMB !== undefined && subnets.length === 0 && offersServerless(region)) return { memoryMB, concurrency: 4 }
  return 'memoryMB' in hardware ? hardware : { ...hardware, instances: 1 }
}
