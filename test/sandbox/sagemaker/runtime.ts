import { setTimeout as wait } from 'node:timers/promises'
import { AwsError, type Call, type Incoming, type Reply, type Service } from '../http.ts'
import { botocoreModel } from '../model/botocore.ts'
import { checkValue } from '../model/check.ts'
import type { Shape } from '../model/shape.ts'
import type { Caller } from '../s3/state.ts'
import { type Answer, answerOf } from './container.ts'
import type { Endpoint } from './endpoint.ts'
import type { SageMaker } from './sagemaker.ts'

const NAME = 'sagemaker-runtime'
const model = botocoreModel(NAME)('InvokeEndpoint')

/** InvokeEndpoint's API reference; for serverless ones "Serverless Inference", SageMaker developer guide. */
const [LARGEST, LARGEST_SERVERLESS] = [6 * 2 ** 20, 4 * 2 ** 20]

/** SageMaker Runtime: InvokeEndpoint. */
export function runtimeService(sagemaker: SageMaker, identify: (request: Incoming) => Caller): Service {
  return {
    name: NAME,
    refuse,
    match: (request) => {
      const name = /^\/endpoints\/([^/]+)\/invocations$/.exec(request.path)?.[1]
      if (name === undefined || request.method !== 'POST') return undefined
      return callOf(request, decodeURIComponent(name), async () => {
        const caller = identify(request)
        sagemaker.shared.checkRegion(request.scope?.region)
        const arn = sagemaker.shared.arn('endpoint', decodeURIComponent(name))
        sagemaker.shared.authorize(caller, 'sagemaker:InvokeEndpoint', decodeURIComponent(name), { arn })
        return invoke(sagemaker, request, decodeURIComponent(name))
      })
    },
  }
}

const callOf = (request: Incoming, endpoint: string, run: () => Promise<Reply>): Call => ({
  service: NAME,
  operation: 'InvokeEndpoint',
  resource: endpoint,
  checkRequest: async () => checkMembers(model?.input, request.headers, endpoint),
  checkReply: ({ status, headers }) => (status < 300 ? checkMembers(model?.output, headers) : []),
  run,
  refuse,
})

/** Members in headers and path, by their names on the wire; the body is looked at when it is read. */
function checkMembers(shape: Shape | undefined, headers: Readonly<Record<string, string>>, endpoint?: string) {
  if (shape === undefined) return []
  const sent = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const members = Object.entries(shape.members).filter(([, { place }]) => place === 'header')
  const value = Object.fromEntries(members.map(([key, { wire }]) => [key, sent.get(wire.toLowerCase())]))
  const known = members.map(([, { wire }]) => wire.toLowerCase())
  const strange = [...sent.keys()].filter((name) => name.startsWith('x-amzn-') && !known.includes(name))
  return [
    ...strange.map((name) => `header ${name} is unknown`),
    ...checkValue(shape, { ...value, Body: '', ...(endpoint !== undefined && { EndpointName: endpoint }) }),
  ]
}

async function invoke(sagemaker: SageMaker, request: Incoming, name: string): Promise<Reply> {
  const body = await request.bytes()
  const endpoint = sagemaker.endpoints.all.get(name)
  const { account, region } = sagemaker.shared.s3
  const serving = endpoint !== undefined && ['InService', 'Updating', 'SystemUpdating'].includes(endpoint.status)
  if (!serving || endpoint.model === undefined)
    throw new AwsError('ValidationError', 400, `Endpoint ${name} of account ${account} not found.`)
  if (body.length > (endpoint.isServerless ? LARGEST_SERVERLESS : LARGEST))
    throw new AwsError('ValidationError', 400, `Request ${request.headers['amz-sdk-invocation-id']} has oversize body.`)
  await inTurn(endpoint, () => warmUp(sagemaker, endpoint))
  if (linesOf(body) > sagemaker.settings.linesInTime) throw modelError(TIMED_OUT, name, { account, region })
  const { accept, 'content-type': contentType } = request.headers
  const answer = asSet(sagemaker, answerOf(endpoint.model, { accept, contentType }, body))
  if (answer.status >= 400) throw modelError(answer, name, { account, region })
  return {
    status: 200,
    headers: {
      'content-type': answer.type,
      'x-amzn-invoked-production-variant': endpoint.config.variant.VariantName ?? '',
    },
    body: answer.body,
  }
}

/** Does the slow part of an invocation. @throws AwsError when a serverless endpoint does as many as it may already */
async function inTurn(endpoint: Endpoint, work: () => Promise<void>): Promise<void> {
  const { MaxConcurrency = Number.POSITIVE_INFINITY } = endpoint.config.variant.ServerlessConfig ?? {}
  if (endpoint.inFlight >= MaxConcurrency) throw new AwsError('ThrottlingException', 400, 'Rate exceeded')
  endpoint.inFlight += 1
  await work().finally(() => {
    endpoint.inFlight -= 1
  })
}

/** What the container answers to what it cannot read, as the settings have it. */
function asSet({ settings: { unreadable } }: SageMaker, answer: Answer): Answer {
  if (answer.status !== 400 || unreadable === 400) return answer
  return unreadable === 500 ? { ...answer, status: 500 } : { ...answer, status: 200, body: '{"dot_product":0}\n' }
}

const linesOf = (body: Buffer): number => body.toString('latin1').trimEnd().split('\n').length

/** No answer of the container within a minute, as people have quoted it: RamVegiraju/SageMaker-Deployment#3. */
const TIMED_OUT: Answer = {
  status: 0,
  type: 'text/plain',
  body: 'Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.',
}

/** The first invocations of a serverless endpoint take long, or are refused. */
async function warmUp({ settings: { coldStart }, shared: { s3 } }: SageMaker, endpoint: Endpoint): Promise<void> {
  endpoint.invocations += 1
  if (coldStart === undefined || !endpoint.isServerless || endpoint.invocations > coldStart.invocations) return
  if (coldStart.delay !== undefined) await wait(coldStart.delay)
  await coldStart.until
  if (coldStart.error === 'ModelNotReadyException')
    throw new AwsError(
      coldStart.error,
      429,
      "Either a serverless endpoint variant's resources are still being provisioned, or a multi-model endpoint is still downloading or loading the target model. Wait and try your request again.",
    )
  if (coldStart.error === 'ModelError') throw modelError(TIMED_OUT, endpoint.name, s3)
  if (coldStart.error !== undefined) throw new AwsError(coldStart.error, 503, 'The service is currently unavailable.')
}

const modelError = (
  { status, body }: Answer,
  endpoint: string,
  { account, region }: { account: string; region: string },
): AwsError => {
  const [whose, code] = status >= 400 && status < 500 ? ['client', 'CLIENT'] : ['server', 'SERVER']
  const log = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logEventViewer:group=/aws/sagemaker/Endpoints/${endpoint}`
  return new AwsError(
    'ModelError',
    424,
    `Received ${whose} error (${status}) from primary with message "${body}". See ${log} in account ${account} for more information.`,
    { fields: { OriginalStatusCode: String(status), OriginalMessage: body, ErrorCode: `${code}_ERROR_FROM_MODEL` } },
  )
}

function refuse(error: AwsError, requestId: string): Reply {
  const { OriginalStatusCode, ...fields } = error.fields
  return {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.code,
      ...error.headers,
    },
    body: JSON.stringify({
      Code: error.code,
      Message: error.message,
      ...fields,
      ...(OriginalStatusCode !== undefined && { OriginalStatusCode: Number(OriginalStatusCode) }),
    }),
  }
}
