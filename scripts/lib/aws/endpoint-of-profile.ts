import { UsageError } from '../cli/errors.ts'

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
export async function endpointOfProfile(profile: string, serviceId: string): Promise<string | undefined> {
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
