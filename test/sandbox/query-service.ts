import { AwsError, type Call, type Incoming, type Reply, type Service } from './http.ts'
import { checkValue, checkXml } from './model/check.ts'
import { sdkModel } from './model/sdk.ts'
import type { Shape } from './model/shape.ts'
import type { Caller } from './s3/state.ts'
import { type Node, toXml } from './xml.ts'

export type Input = Readonly<Record<string, unknown>>

interface QueryService {
  /** Name of the service, as it stands in the scope of a signature. */
  readonly name: string
  readonly version: string
  readonly namespace: string
  /** The SDK's package: its schemas say what is well formed. */
  readonly client: object
  readonly operations: Readonly<Record<string, (input: never, caller: Caller) => Record<string, Node>>>
  resource(input: Input): string
  identify(request: Incoming): Caller
}

/** A service that speaks AWS Query: a form in, XML out. */
export function queryService(service: QueryService): Service {
  const model = sdkModel(service.client)
  const { name, version, namespace, operations } = service

  function callOf(request: Incoming, operation: string, form: URLSearchParams): Call {
    const described = model(operation)
    const { value: input, strange } = described?.input ? read(described.input, form) : { value: {}, strange: [] }
    const run = operations[operation]
    return {
      service: name,
      operation,
      resource: service.resource(input as Input),
      checkRequest: async () => {
        if (described?.input === undefined) return [`${operation} is not in the SDK`]
        const wrongVersion =
          form.get('Version') === version ? [] : [`Version is ${form.get('Version')}, not ${version}`]
        return [...strange, ...wrongVersion, ...checkValue(described.input, input)]
      },
      checkReply: ({ status, body }) => {
        const [, result] = /<\w+Response[^>]*>([\s\S]*)<ResponseMetadata>/.exec(String(body)) ?? []
        return status < 300 &&
          described?.output !== undefined &&
          result !== undefined &&
          !/><\/\w+Result>$/.test(result)
          ? checkXml(described, 'output', { headers: {}, body: result })
          : []
      },
      run: async () => {
        const answer = run?.(input as never, service.identify(request)) ?? {}
        const document = { [`${operation}Result`]: answer, ResponseMetadata: { RequestId: 'sandbox' } }
        return {
          status: 200,
          headers: { 'content-type': 'text/xml' },
          body: toXml(`${operation}Response`, document, namespace),
        }
      },
      refuse,
    }
  }

  return {
    name,
    refuse,
    match: async (request) => {
      if (request.scope?.service !== name || request.method !== 'POST') return undefined
      if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return undefined
      const form = new URLSearchParams((await request.bytes()).toString())
      const operation = form.get('Action') ?? ''
      if (!Object.hasOwn(operations, operation))
        throw new AwsError('NotImplemented', 501, `${name} ${operation} is not in this sandbox`)
      return callOf(request, operation, form)
    },
  }
}

/** The members of a form by the shape of its operation. */
function read(shape: Shape, form: URLSearchParams): { value: unknown; strange: string[] } {
  const left = new Map([...form].filter(([key]) => key !== 'Action' && key !== 'Version'))
  const value = valueIn(shape, '', left)
  return { value: value ?? {}, strange: [...left.keys()].map((key) => `parameter ${key} is unknown`) }
}

/** Takes the members of a shape out of the form. An empty list is a name without a value. */
function valueIn(shape: Shape, path: string, form: Map<string, string>): unknown {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  if (shape.kind === 'structure') {
    const members = Object.entries(shape.members).map(
      ([key, member]) => [key, valueIn(member.shape(), at(member.wire), form)] as const,
    )
    const given = members.filter(([, part]) => part !== undefined)
    return given.length > 0 ? Object.fromEntries(given) : undefined
  }
  if (shape.kind === 'list') {
    const items: unknown[] = []
    for (let i = 1; [...form.keys()].some((key) => `${key}.`.startsWith(`${at(`member.${i}`)}.`)); i++)
      items.push(shape.item && valueIn(shape.item.shape(), at(`member.${i}`), form))
    return items.length > 0 || form.delete(path) ? items : undefined
  }
  const text = form.get(path)
  form.delete(path)
  if (text === undefined) return undefined
  if (shape.kind === 'boolean') return text === 'true'
  return shape.kind === 'number' || shape.kind === 'integer' ? Number(text) : text
}

function refuse(error: AwsError, requestId: string): Reply {
  const document = { Error: { Type: 'Sender', Code: error.code, Message: error.message }, RequestId: requestId }
  return { status: error.status, headers: { 'content-type': 'text/xml' }, body: toXml('ErrorResponse', document) }
}
