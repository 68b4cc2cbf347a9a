import { AwsError, type Call, type Incoming, type Reply, type Service } from './http.ts'
import { botocoreModel, haveModels } from './model/botocore.ts'
import { checkValue } from './model/check.ts'
import { sdkModel } from './model/sdk.ts'
import type { Shape } from './model/shape.ts'
import type { S3State } from './s3/state.ts'

/** @throws AwsError AccessDeniedException, as these services say it, unless the caller may do this */
export function allow(s3: S3State, ...asked: Parameters<S3State['authorize']>): void {
  try {
    s3.authorize(...asked)
  } catch (error) {
    throw error instanceof AwsError ? new AwsError('AccessDeniedException', 400, error.message) : error
  }
}

type Members = Readonly<Record<string, unknown>>

/** Does one operation: takes the request's members, gives the answer's, or a promise of them. @throws AwsError to refuse */
export type Operation = (input: Members, request: Incoming) => unknown

interface JsonService {
  /** Name of the service and of its model. */
  readonly name: string
  /** What stands before the operation in `X-Amz-Target`. */
  readonly target: string
  /** The SDK's package: its schemas stand in for operations that the model does not have. */
  readonly client: object
  readonly operations: Readonly<Record<string, Operation>>
  /** What a request is about, for counters and faults. */
  resource(input: Members): string
  /** Called before every operation; throws AwsError for nobody. */
  identify(request: Incoming): unknown
}

const TYPE = { 'content-type': 'application/x-amz-json-1.1' }

/** A service that speaks AWS JSON 1.1: one path, the operation in a header, members as JSON, times in seconds. */
export function jsonService({ name, target, client, operations, resource, identify }: JsonService): Service {
  const [strict, loose] = [botocoreModel(name), sdkModel(client)]

  const callOf = (operation: string, asked: Members, run: () => unknown): Call => {
    const model = haveModels ? (strict(operation) ?? loose(operation)) : undefined
    return {
      service: name,
      operation,
      resource: resource(asked),
      checkRequest: async () => check(model?.input, asked),
      checkReply: ({ status, body }) =>
        status < 300 && typeof body === 'string' ? check(model?.output, JSON.parse(body)) : [],
      run: async () => ({ status: 200, headers: TYPE, body: JSON.stringify((await run()) ?? {}) }),
      refuse,
    }
  }

  return {
    name,
    refuse,
    match: async (request) => {
      const [service, operation = ''] = (request.headers['x-amz-target'] ?? '').split('.')
      if (service !== target) return undefined
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined
      if (run === undefined) throw new AwsError('NotImplemented', 501, `${name} ${operation} is not in this sandbox`)
      const asked = JSON.parse((await request.bytes()).toString() || '{}') as Members
      return callOf(operation, asked, () => {
        identify(request)
        return run(asked, request)
      })
    },
  }
}

const check = (shape: Shape | undefined, value: unknown): string[] =>
  shape === undefined ? [] : checkValue(shape, value)

function refuse(error: AwsError, requestId: string): Reply {
  return {
    status: error.status,
    headers: { ...TYPE, 'x-amzn-requestid': requestId, ...error.headers },
    body: JSON.stringify({ __type: error.code, message: error.message, ...error.fields }),
  }
}
