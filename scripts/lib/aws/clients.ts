import { readFileSync } from 'node:fs'
import type { S3Client } from '@aws-sdk/client-s3'
import type { S3ControlClient } from '@aws-sdk/client-s3-control'
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { UsageError } from '../cli/errors.ts'
import { regionOfBucket } from './bucket-region.ts'
import { metIn } from './errors.ts'
import { PatientRetries } from './retries.ts'
import { type AwsSettings, sleepOf } from './settings.ts'

const CONCURRENCY = 64
/** Throttled, about half a minute before giving up; failing, about six seconds. */
const MAX_ATTEMPTS = 8
const CONNECT_MS = 10_000
/** Of silence, before or within an answer. */
const SILENCE_MS = 60_000

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** The settings that all clients share. @param region to call; when absent, the one that the SDK finds configured */
function clientOptions(settings: AwsSettings, region = settings.awsRegion) {
  const { profile, endpointUrl, concurrency = CONCURRENCY } = settings
  const agent = { keepAlive: true, maxSockets: concurrency }
  return {
    ...(profile !== undefined && { profile }),
    ...(region !== undefined && { region }),
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    maxAttempts: MAX_ATTEMPTS,
    retryStrategy: new PatientRetries(MAX_ATTEMPTS, sleepOf(settings)),
    customUserAgent: [['prestage', version()] satisfies [string, string]],
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: agent,
      httpsAgent: agent,
      // Else it writes to the console when more requests wait than there are sockets.
      logger: silent,
    },
  }
}

type Handler = (args: never) => Promise<unknown>

interface SdkClient {
  readonly config: {
    region(): Promise<string>
    readonly serviceId: string
    /** Not in the SDK's types: how a client finds an address in the environment and the configuration files. */
    serviceConfiguredEndpoint?: () => Promise<string | undefined>
  }
  readonly middlewareStack: { add(middleware: (next: Handler) => Handler): void }
}

/** What all clients share beyond their options: errors name the region of the call, and a profile's own address counts. */
function prepared<T extends SdkClient>(client: T, { profile }: AwsSettings): T {
  client.middlewareStack.add((next) => async (args) => {
    try {
      return await next(args)
    } catch (error) {
      throw metIn(error, await client.config.region().catch(() => ''))
    }
  })
  const { config } = client
  if (profile !== undefined) config.serviceConfiguredEndpoint = () => endpointOfProfile(profile, config.serviceId)
  return client
}

/** A client of S3 in the bucket's own region. @throws UserError when there is no such bucket, or no credentials */
export async function s3Client(settings: AwsSettings, bucket: string): Promise<S3Client> {
  return s3ClientIn(settings, await regionOf(settings, bucket))
}

async function s3ClientIn(settings: AwsSettings, region: string | undefined): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const client = prepared(
    new S3Client({
      ...clientOptions(settings, region),
      // A checksum of the whole says nothing about a read that was resumed; the connection has its own.
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    settings,
  )
  // Other servers' names seldom have one below for each bucket.
  client.config.forcePathStyle = (await customEndpoint(client, settings)) !== undefined
  return client
}

/**
 * A client of S3 Control. Its requests go to `<account>.<host>`, which only AWS's own names have below them: at other
 * addresses the account is left to the header that says it, too.
 */
export async function s3ControlClient(settings: AwsSettings, region: string): Promise<S3ControlClient> {
  const { S3ControlClient } = await import('@aws-sdk/client-s3-control')
  const client = prepared(new S3ControlClient(clientOptions(settings, region)), settings)
  const endpoint = await customEndpoint(client, settings)
  if (endpoint === undefined) return client
  const url = new URL(endpoint)
  if (!/\.amazonaws\.com(\.cn)?$/.test(url.hostname))
    client.config.endpointProvider = () => ({ url, headers: {}, properties: {} })
  return client
}

/** The region that a workspace's other services are asked in: that of its bucket. @throws UserError as `s3Client` */
export const regionOf = (settings: AwsSettings, bucket: string): Promise<string> =>
  regionOfBucket(settings, bucket, (region) => s3ClientIn(settings, region))

type NewClient<C> = new (options: ReturnType<typeof clientOptions>) => C

/** Makes clients of a service that needs nothing of its own. Its library loads with the first one. */
const clientOf =
  <C extends SdkClient>(load: () => Promise<NewClient<C>>) =>
  /** @param region undefined: the one that the SDK finds configured */
  async (settings: AwsSettings, region: string | undefined): Promise<C> =>
    prepared(new (await load())(clientOptions(settings, region)), settings)

export const athenaClient = clientOf(async () => (await import('@aws-sdk/client-athena')).AthenaClient)
export const sagemakerClient = clientOf(async () => (await import('@aws-sdk/client-sagemaker')).SageMakerClient)
export const codebuildClient = clientOf(async () => (await import('@aws-sdk/client-codebuild')).CodeBuildClient)
export const snsClient = clientOf(async () => (await import('@aws-sdk/client-sns')).SNSClient)
export const stsClient = clientOf(async () => (await import('@aws-sdk/client-sts')).STSClient)
export const cloudFormationClient = clientOf(
  async () => (await import('@aws-sdk/client-cloudformation')).CloudFormationClient,
)
export const autoScalingClient = clientOf(
  async () => (await import('@aws-sdk/client-application-auto-scaling')).ApplicationAutoScalingClient,
)
export const serviceQuotasClient = clientOf(
  async () => (await import('@aws-sdk/client-service-quotas')).ServiceQuotasClient,
)

/** One that asks once: invoke.ts repeats, and tells of it. */
export async function sagemakerRuntimeClient(settings: AwsSettings, region: string): Promise<SageMakerRuntimeClient> {
  const { SageMakerRuntimeClient } = await import('@aws-sdk/client-sagemaker-runtime')
  const once = { ...clientOptions(settings, region), retryStrategy: new PatientRetries(1, sleepOf(settings)) }
  return prepared(new SageMakerRuntimeClient(once), settings)
}

/** The address from the settings, else from `AWS_ENDPOINT_URL…` or the configuration files; undefined for AWS's own. */
async function customEndpoint({ config }: SdkClient, { endpointUrl }: AwsSettings): Promise<string | undefined> {
  return endpointUrl ?? (await config.serviceConfiguredEndpoint?.())
}

let known: string | undefined
function version(): string {
  known ??= (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version
  return known
}

type Section = Readonly<Record<string, string | undefined>>

/** What the environment or a profile says about a service's address. */
interface Configured {
  readonly url?: string | undefined
  readonly missingServices?: string
}

const isTrue = (value: string | undefined): boolean | undefined => (value === undefined ? undefined : value === 'true')

/**
 * The address that a named profile has for a service: "Service-specific endpoints", AWS SDKs and Tools reference guide. The SDK itself
 * reads it only from the profile in `AWS_PROFILE`, whichever profile its client was given.
 * @param serviceId as the SDK spells it: `SageMaker Runtime`
 * @throws UsageError when the profile names a section that does not exist
 */
async function endpointOfProfile(profile: string, serviceId: string): Promise<string | undefined> {
  const { loadConfig } = await import('@smithy/core/config')
  const ignores = loadConfig<boolean | undefined>(
    {
      environmentVariableSelector: (env) => isTrue(env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS),
      configFileSelector: (section) => isTrue(section.ignore_configured_endpoint_urls),
      default: false,
    },
    { profile },
  )
  if (await ignores()) return undefined
  const id = serviceId.replaceAll(' ', '_')
  const read = loadConfig<Configured>(
    {
      environmentVariableSelector: (env) => {
        const url = env[`AWS_ENDPOINT_URL_${id.toUpperCase()}`] || env.AWS_ENDPOINT_URL
        return url ? { url } : undefined
      },
      configFileSelector: (section, file) => endpointIn(section, file, id.toLowerCase()),
      default: {},
    },
    { profile },
  )
  const { url, missingServices } = await read()
  if (missingServices === undefined) return url
  throw new UsageError(
    `profile ${profile} has services = ${missingServices}, but the AWS configuration file has no section [services ${missingServices}]`,
  )
}

/** The service's own address in the profile's `services` section, else the profile's `endpoint_url`. */
function endpointIn(profile: Section, file: Readonly<Record<string, Section>> = {}, service: string): Configured {
  const { services, endpoint_url } = profile
  const section = services === undefined ? {} : file[`services.${services}`]
  if (section === undefined) return { missingServices: services ?? '' }
  return { url: section[`${service}.endpoint_url`] || endpoint_url || undefined }
}
