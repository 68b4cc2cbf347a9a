import type {
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  ProductionVariant,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { resourceName, shortHash, tagsOf } from '../../lib/aws/sagemaker/names.ts'
import { tagsIn } from '../../lib/aws/sagemaker/options.ts'
import { VARIANT } from '../../lib/aws/sagemaker/scaling.ts'
import { hasOwnDisk } from '../../lib/runs/cost.ts'
import type { StepSettings } from '../../lib/runs/ledger.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type Hardware, hardwareOf } from './hardware.ts'
import type { DeployOptions } from './options.ts'

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
