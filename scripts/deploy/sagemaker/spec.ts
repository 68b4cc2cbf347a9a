import type {
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  ProductionVariant,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { resourceName, shortHash, tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { tagsIn } from '../../lib/aws/sagemaker/options.ts'
import { VARIANT } from '../../lib/aws/sagemaker/scaling.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { hasOwnDisk, modelBytesOf } from '../../lib/runs/cost.ts'
import type { StepSettings } from '../../lib/runs/ledger.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type DeployOptions, STEP_MB } from './options.ts'

/** What serves a model: memory that is paid for while it answers, or instances that always run. */
export type Hardware =
  | { readonly memoryMB: number; readonly concurrency: number }
  | { readonly instanceType: string; readonly instances: number }

/** Everything that determines an endpoint. */
export interface EndpointSpec {
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

const modelPart = ({ model, digest, image, subnets, securityGroups }: EndpointSpec, role: string) => [
  model,
  digest,
  image,
  subnets,
  securityGroups,
  role,
]

/** Equal specs have equal names: what was made is found again. */
const modelName = (spec: EndpointSpec, role: string): string =>
  resourceName(spec.id, `m${shortHash(modelPart(spec, role))}`)

export const configName = (spec: EndpointSpec, role: string): string =>
  resourceName(spec.id, `c${shortHash([modelPart(spec, role), spec.hardware, spec.kmsKey])}`)

/** Name of the endpoint on which a new model is tried before it replaces another one, and of its configuration. */
export const trialName = (spec: EndpointSpec, role: string): string =>
  resourceName(spec.id, `t${shortHash(modelPart(spec, role))}`)

export function modelRequest(spec: EndpointSpec, role: string): CreateModelCommandInput {
  const { image, model, subnets, securityGroups } = spec
  return {
    ModelName: modelName(spec, role),
    ExecutionRoleArn: role,
    PrimaryContainer: { Image: image, ModelDataUrl: model },
    ...(subnets.length > 0 && { VpcConfig: { Subnets: [...subnets], SecurityGroupIds: [...securityGroups] } }),
    Tags: tagsOf(spec.id, spec.workspace, spec.tags),
  }
}

export function configRequest(
  spec: EndpointSpec,
  role: string,
  name: string,
  hardware: Hardware,
): CreateEndpointConfigCommandInput {
  // Serverless ones have no disk.
  const takesKey = 'instanceType' in hardware && !hasOwnDisk(hardware.instanceType)
  const variant: ProductionVariant = {
    VariantName: VARIANT,
    ModelName: modelName(spec, role),
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
    ...(spec.kmsKey !== undefined && takesKey && { KmsKeyId: spec.kmsKey }),
    Tags: tagsOf(spec.id, spec.workspace, spec.tags),
  }
}

/** Where a new model is tried: serverless, which only costs its answers, unless the model is too large or the region does not offer it. */
export function trialHardware({ hardware, subnets, region }: EndpointSpec, memoryMB: number | undefined): Hardware {
  if (memoryMB !== undefined && subnets.length === 0 && offersServerless(region)) return { memoryMB, concurrency: 4 }
  return 'memoryMB' in hardware ? hardware : { ...hardware, instances: 1 }
}

/** Where serverless endpoints are offered: "Deploy models with Amazon SageMaker Serverless Inference", developer guide, 2026. */
const REGIONS = [
  'af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1',
  'eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2',
].flatMap((line) => line.split(' '))

export const offersServerless = (region: string): boolean => REGIONS.includes(region)

/** The endpoint that a run is deployed to. @throws UsageError when no serverless endpoint is large enough */
export function specOf(run: Run, options: DeployOptions, region: string): EndpointSpec {
  const { model, digest, image } = run.resultBy('sagemaker', 'train')
  return {
    id: run.id,
    workspace: run.workspace,
    region,
    endpoint: options.endpoint ?? `prestage-${run.request.source}`,
    image,
    model,
    digest,
    hardware: hardwareOf(run, options),
    subnets: options.subnet,
    securityGroups: options.securityGroup,
    kmsKey: options.kmsKey,
    tags: tagsIn(options),
  }
}

/** Requests that a serverless endpoint may have at once. */
const CONCURRENCY = 4

function hardwareOf(run: Run, { instanceType, instanceCount, autoscale, memory }: DeployOptions): Hardware {
  if (instanceType !== undefined) return { instanceType, instances: autoscale?.min ?? instanceCount }
  return { memoryMB: memory ?? memoryOf(run), concurrency: CONCURRENCY }
}

function memoryOf(run: Run): number {
  const { numEntityVectors, vectorDim } = run.result('train')
  return memoryFor(numEntityVectors, vectorDim)
}

/** The options that shape a deployment, for the ledger. */
export const settingsOf = (
  { endpoint, hardware }: EndpointSpec,
  { alertsPerDay, autoscale }: DeployOptions,
): StepSettings => ({
  endpoint,
  ...hardware,
  alertsPerDay,
  autoscale: autoscale === undefined ? null : `${autoscale.min}:${autoscale.max}`,
})

/** Memory of a serverless endpoint for the model; undefined when none is large enough. */
export function smallMemory(run: Run): number | undefined {
  try {
    return memoryOf(run)
  } catch {
    return undefined
  }
}
