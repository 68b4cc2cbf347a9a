import { type ExitCode, UserError } from '../cli/errors.ts'
import { partitionOf } from './arn.ts'

/** A request to AWS, in the terms of a policy and for people. */
export interface Asked {
  /** What it was about: `s3://org-logs/AWSLogs/`, `query 1a2b`. */
  readonly what: string
  /** IAM action, `s3:ListBucket`. */
  readonly action: string
  /** ARN that the action is on. Its partition may be left at `aws`: an error knows its own. */
  readonly resource: string
  readonly bucket?: string
  /** Other causes of a refusal, as far as the settings tell. */
  readonly hints?: readonly string[]
}

export interface Details {
  /** AWS's code, or the system's for a network error. */
  readonly code: string
  readonly status: number | undefined
  readonly message: string
  readonly attempts: number
  /** Of the bucket, when S3 says it. */
  readonly region: string | undefined
}

interface SdkError extends Error {
  Code?: string
  code?: string
  Region?: string
  $metadata?: { httpStatusCode?: number; attempts?: number }
  $response?: { headers?: Record<string, string> }
  /** See `metIn`. */
  clientRegion?: string
}

/** Notes on an error in which region it was met. */
export const metIn = (error: unknown, clientRegion: string): unknown =>
  error instanceof Error ? Object.assign(error, { clientRegion }) : error

/** What an error of the SDK says, whichever layer it comes from. */
export function detailsOf(error: unknown): Details {
  if (!(error instanceof Error))
    return { code: '', status: undefined, message: String(error), attempts: 1, region: undefined }
  const { name, message, Code, code, Region, $metadata, $response } = error as SdkError
  return {
    code: Code ?? code ?? name,
    status: $metadata?.httpStatusCode,
    message,
    attempts: $metadata?.attempts ?? 1,
    region: $response?.headers?.['x-amz-bucket-region'] ?? Region,
  }
}

interface Explanation {
  readonly why: string
  readonly hint: string
  readonly exitCode?: ExitCode
}

type Rule = readonly [codes: RegExp, explain: (details: Details, asked: Asked) => Explanation]

const RULES: readonly Rule[] = [
  [/^(CredentialsProviderError|TokenProviderError|NoAuthToken)$/, noCredentials],
  [/^(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired)$/, expired],
  [
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|InvalidSecurity|UnrecognizedClientException|InvalidClientTokenId|IncompleteSignature(Exception)?|NotSignedUp|OptInRequired|MissingAuthenticationToken)$/,
    badCredentials,
  ],
  [/^(RequestTimeTooSkewed|InvalidSignatureException)$/, skewed],
  [/^KMS\.|^KMS\w+Exception$/, kms],
  [/^(AccessDenied(Exception)?|AllAccessDisabled|AccountProblem|UnauthorizedAccess|Forbidden|403)$/, denied],
  // A HEAD of a bucket says only NotFound.
  [/^(NoSuchBucket|NotFound)$/, noBucket],
  [/^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint\w*|301)$/, elsewhere],
  [
    /^(SlowDown|Throttl\w+|ServiceUnavailable\w*|RequestLimitExceeded|TooManyRequests\w*|BandwidthLimitExceeded|503)$/,
    throttled,
  ],
  [/^(InternalError|InternalFailure|InternalServ\w+|500|502|504)$/, broken],
  [/^InvalidObjectState$/, archived],
  [
    /^(E[A-Z_]{4,}|UND_ERR\w*|TimeoutError|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|ERR_TLS\w*|ERR_SSL\w*)$/,
    unreachable,
  ],
]

/**
 * The error to throw in place of one of the SDK's: a UserError that names what was asked and what to do.
 * Errors that come from neither AWS nor the network are returned unchanged.
 */
export function explained(error: unknown, given: Asked): unknown {
  if (error instanceof UserError || !(error instanceof Error) || error.name === 'AbortError') return error
  const details = detailsOf(error)
  const asked = { ...given, resource: inPartition(given.resource, (error as SdkError).clientRegion) }
  const rule = RULES.find(([codes]) => codes.test(details.code)) ?? ruleOf(details.status)
  if (rule === undefined && details.status === undefined) return error
  const explain = isNotJson(details) ? noService : rule?.[1]
  const { why, hint, exitCode } = explain?.(details, asked) ?? {
    why: `AWS answered ${details.code}: ${details.message}`,
    hint: `the call was ${asked.action} on ${asked.resource}`,
  }
  return new UserError(`${asked.what}: ${why}`, { hint, cause: error, ...(exitCode !== undefined && { exitCode }) })
}

/** Awaits an answer of AWS; a failure is explained. */
export const explaining = <T>(answer: Promise<T>, asked: Asked): Promise<T> =>
  answer.catch((error: unknown) => {
    throw explained(error, asked)
  })

const inPartition = (arn: string, region = ''): string => arn.replace(/^arn:aws:/, `arn:${partitionOf(region)}:`)

/** A HEAD has no body with a code. */
function ruleOf(status: number | undefined): Rule | undefined {
  if (status === undefined || status === 400) return undefined
  return RULES.find(([codes]) => codes.test(String(status)))
}

/** An answer that the SDK could not parse, and no failure of a gateway: the server does not speak the protocol of the service. */
const isNotJson = ({ code, status }: Details): boolean => code === 'SyntaxError' && status !== undefined && status < 500

const SERVICES: Readonly<Record<string, string>> = { sagemaker: 'SageMaker', athena: 'Athena' }

function noService({ status }: Details, { action }: Asked): Explanation {
  const [prefix = ''] = action.split(':')
  const service = SERVICES[prefix] ?? prefix
  return {
    why: `there is no ${service} at this address (the answer, HTTP ${status}, is not JSON)`,
    hint: `check --endpoint-url and AWS_ENDPOINT_URL: a server that offers only S3 has no ${service}; steps that need it work with a folder as --workspace`,
  }
}

const RENEW = 'aws sso login, or renew the keys; the same command then resumes where it stopped'

function noCredentials({ message }: Details): Explanation {
  const because = message.replace(/\s+/g, ' ').trim()
  return {
    why: `no AWS credentials (${because})`,
    hint: 'name a --profile, set AWS_PROFILE, or aws sso login',
    exitCode: 4,
  }
}

function expired(): Explanation {
  return { why: 'the AWS credentials have expired', hint: RENEW, exitCode: 4 }
}

function badCredentials({ code }: Details): Explanation {
  const hint = 'check which ones are used: aws configure list'
  return { why: `AWS does not accept the credentials (${code})`, hint, exitCode: 4 }
}

function skewed({ message }: Details): Explanation {
  return { why: `AWS does not accept the signature: ${message}`, hint: "check this machine's clock", exitCode: 4 }
}

const NOT_AUTHORIZED =
  /^(?:User|Principal): (\S+) is not authorized to perform: (\S+)(?: on (?:the )?resource: "?([^"\s]+)"?)?(?: (because .*|with .*))?/

function denied({ message }: Details, asked: Asked): Explanation {
  const [, who = 'the caller', action = asked.action, resource = asked.resource, because] =
    NOT_AUTHORIZED.exec(message) ?? []
  const hints = action.startsWith('kms:')
    ? ['the key policy and a policy of the caller must both allow it']
    : [`ask for ${action} on ${resource}`, ...(asked.hints ?? [])]
  return {
    why: `access denied: ${who} lacks ${action} on ${resource}${because === undefined ? '' : ` (${because})`}`,
    hint: hints.join('; '),
    exitCode: 4,
  }
}

function kms({ code, message }: Details, { action }: Asked): Explanation {
  const right = /Put|Create|Write/.test(action) ? 'kms:GenerateDataKey' : 'kms:Decrypt'
  const hint = `the key must be enabled, and its policy and one of the caller's allow ${right}`
  return { why: `the KMS key of this object cannot be used (${code}: ${message})`, hint, exitCode: 4 }
}

function noBucket(_: Details, { bucket }: Asked): Explanation {
  return { why: `there is no bucket ${bucket ?? 'of this name'}`, hint: 'check its name, the profile and the endpoint' }
}

function elsewhere({ region, message }: Details, { bucket }: Asked): Explanation {
  if (region === undefined) return { why: `wrong region (${message})`, hint: "name the bucket's own with --aws-region" }
  const why = `wrong region: ${bucket === undefined ? 'the bucket' : `bucket ${bucket}`} is in ${region}`
  return { why, hint: `--aws-region ${region}` }
}

function throttled({ code, attempts }: Details): Explanation {
  const why = `AWS still throttles after ${times(attempts)} (${code})`
  return { why, hint: 'lower --concurrency, or wait; the same command resumes where it stopped' }
}

function broken({ code, attempts }: Details): Explanation {
  const why = `AWS failed ${times(attempts)} (${code})`
  return { why, hint: 'the same command resumes where it stopped' }
}

function archived(): Explanation {
  return { why: 'the object is archived', hint: 'restore it first: aws s3api restore-object' }
}

function unreachable({ code, message }: Details): Explanation {
  const why = `AWS could not be reached (${[code, message].filter((text) => text !== '').join(': ')})`
  return { why, hint: 'check the network, the proxy and --endpoint-url; the same command resumes where it stopped' }
}

const times = (attempts: number): string => (attempts === 1 ? 'one attempt' : `${attempts} attempts`)
