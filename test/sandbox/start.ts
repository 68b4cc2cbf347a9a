import { Athena } from './athena/athena.ts'
import { athenaService } from './athena/service.ts'
import type { AthenaSettings } from './athena/settings.ts'
import { CloudFormation } from './cloudformation/cloudformation.ts'
import { cloudFormationService } from './cloudformation/service.ts'
import { CodeBuild } from './codebuild/codebuild.ts'
import { codebuildService, snsService } from './codebuild/service.ts'
import { Counters } from './counters.ts'
import { Faults } from './faults.ts'
import type { Incoming } from './http.ts'
import { type Credentials, defaultCredentials, identify } from './identity.ts'
import { haveModels } from './model/botocore.ts'
import { Buckets } from './s3/helpers.ts'
import { s3Service } from './s3/service.ts'
import { type BucketSettings, type Caller, S3State } from './s3/state.ts'
import { Control } from './s3control/control.ts'
import type { RunnerSettings } from './s3control/runner.ts'
import { s3ControlService } from './s3control/service.ts'
import { autoscalingService } from './sagemaker/autoscaling.ts'
import { runtimeService } from './sagemaker/runtime.ts'
import { SageMaker } from './sagemaker/sagemaker.ts'
import { sagemakerService } from './sagemaker/service.ts'
import type { SageMakerSettings } from './sagemaker/settings.ts'
import { serve } from './server.ts'
import { appliedQuotas, defaultQuotas, quotasService, stsService } from './small-services.ts'

export interface SandboxSettings {
  readonly port?: number
  readonly region?: string
  /** Who may sign; the first one is who `env` makes the caller. */
  readonly credentials?: readonly [Credentials, ...Credentials[]]
  readonly buckets?: Readonly<Record<string, BucketSettings>>
  readonly now?: () => Date
  /** Whether answers are checked as well, which takes half of a listing's time. Default: true */
  readonly checkAnswers?: boolean
  /** How S3 Batch jobs behave; see `control.settings`. */
  readonly jobs?: Partial<RunnerSettings>
  /** How training, endpoints and transforms behave; see `sagemaker.settings`. */
  readonly sagemaker?: Partial<SageMakerSettings>
  /** How queries behave; see `athena.settings`. */
  readonly athena?: Partial<AthenaSettings>
}

export interface Sandbox {
  readonly url: string
  /** The environment of a process that calls the sandbox in place of AWS. */
  readonly env: Readonly<Record<string, string>>
  readonly account: string
  readonly s3: Buckets
  readonly control: Control
  readonly sagemaker: SageMaker
  readonly athena: Athena
  readonly cloudformation: CloudFormation
  readonly codebuild: CodeBuild
  /** Credentials that have been given to roles; who they are is known from then on. */
  readonly credentials: Credentials[]
  /** Quotas of SageMaker by name: applied to the account, and of every account. */
  readonly quotas: Map<string, number>
  readonly defaultQuotas: Map<string, number>
  readonly requests: Counters
  readonly faults: Faults
  /** Deviations from AWS's models, and bugs of the sandbox. A test asserts that there are none. */
  readonly violations: string[]
  close(): Promise<void>
}

/** A loopback AWS in this process. */
export async function startSandbox(settings: SandboxSettings = {}): Promise<Sandbox> {
  const { region = 'us-east-1', now = () => new Date(), credentials = [defaultCredentials()] } = settings
  const [caller] = credentials
  const state = new S3State({ account: caller.account, region, now })
  for (const [name, bucket] of Object.entries(settings.buckets ?? {})) state.createBucket(name, bucket)
  const [counters, faults, violations]: [Counters, Faults, string[]] = [new Counters(), new Faults(), []]
  const control = new Control(state)
  Object.assign(control.settings, settings.jobs)
  const sagemaker = new SageMaker(state, (error) => violations.push(`sandbox: ${String(error)}`))
  Object.assign(sagemaker.settings, settings.sagemaker)
  const athena = new Athena(state, (error) => violations.push(`sandbox: ${String(error)}`))
  Object.assign(athena.settings, settings.athena)
  const codebuild = new CodeBuild(state)
  const cloudformation = new CloudFormation(state, athena, codebuild)
  const quotas = { applied: appliedQuotas(), defaults: defaultQuotas() }
  const known: Credentials[] = [...credentials]
  const who = (request: Incoming): Caller => identify(known, request)
  const services = [
    s3ControlService(state, control, who),
    sagemakerService(sagemaker, who),
    runtimeService(sagemaker, who),
    athenaService(athena, who),
    cloudFormationService(cloudformation, who),
    stsService(who),
    codebuildService(codebuild, who),
    snsService(codebuild, who),
    quotasService(state, quotas, who),
    autoscalingService(sagemaker, who),
    s3Service(state, who),
  ]
  const { port, checkAnswers = true } = settings
  const server = await serve({
    services,
    counters,
    faults,
    violations,
    checkAnswers,
    ...(port !== undefined && { port }),
  })
  return {
    url: server.url,
    env: environment(server.url, region, caller),
    account: caller.account,
    s3: new Buckets(state),
    control,
    sagemaker,
    athena,
    cloudformation,
    codebuild,
    credentials: known,
    quotas: quotas.applied,
    defaultQuotas: quotas.defaults,
    requests: counters,
    faults,
    violations,
    close: async () => {
      control.runner.close()
      sagemaker.close()
      await athena.close()
      await server.close()
    },
  }
}

const environment = (
  url: string,
  region: string,
  { accessKey, secret, token }: Credentials,
): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: accessKey,
  AWS_SECRET_ACCESS_KEY: secret,
  ...(token !== undefined && { AWS_SESSION_TOKEN: token }),
  AWS_REGION: region,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
})

/** Printed once when a part of the checks cannot be made. */
export const modelsMissing = haveModels
  ? undefined
  : 'no service models beside the project: requests other than to S3 are not checked'
