import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/** A request as the services see it. The path stays as sent: what is encoded in it is part of the key. */
export interface Incoming {
  readonly method: string
  readonly host: string
  readonly path: string
  /** By name; values of a repeated parameter are joined by commas. */
  readonly query: ReadonlyMap<string, string>
  readonly parameters: readonly (readonly [string, string])[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
  /** The whole body; may be asked for more than once, but not beside `body`. */
  bytes(): Promise<Buffer>
  /** The hash of the body in the signature: the header's where there is one, otherwise SHA-256 of the bytes that were read. */
  payloadHash(): string
  /** From the credential scope of the signature; undefined when the request is not signed. */
  readonly scope: { accessKey: string; region: string; service: string } | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer | Readable
}

/** What a service refuses, with AWS's code and HTTP status. Fields are further elements of the error document. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  readonly fields: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: string,
    status: number,
    message: string,
    more: { fields?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.code = code
    this.status = status
    this.fields = more.fields ?? {}
    this.headers = more.headers ?? {}
  }
}

/** One operation asked of a service, not yet run. */
export interface Call {
  readonly service: string
  readonly operation: string
  /** Its resource, for counters, faults and messages: `bucket/key`, a job id. */
  readonly resource: string
  /** What is wrong with the request by AWS's rules; empty when it is well formed. */
  checkRequest(): Promise<string[]>
  checkReply(reply: Reply): string[]
  run(): Promise<Reply>
  /** A refusal in the service's own shape. */
  refuse(error: AwsError, requestId: string): Reply
}

export interface Service {
  readonly name: string
  /** The call that a request makes, or undefined when it belongs to another service. @throws AwsError */
  match(request: Incoming): Call | undefined | Promise<Call | undefined>
  /** Refusal of a request that could not be matched to an operation. */
  refuse(error: AwsError, requestId: string): Reply
}

const flat = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value].flat().join(',')]])),
  )

const SCOPE = /Credential=([^/,\s]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/

export function incoming(message: IncomingMessage): Incoming {
  // Through HTTP_PROXY a client names the whole address.
  const [path, search = ''] = splitOnce((message.url ?? '/').replace(/^http:\/\/[^/?]*/, ''), '?')
  const headers = flat(message.headers)
  const parameters = [...new URLSearchParams(search)]
  const query = new Map<string, string>()
  for (const [name, value] of parameters)
    query.set(name, [query.get(name), value].filter((v) => v !== undefined).join())
  const scope = SCOPE.exec(headers.authorization ?? `Credential=${query.get('X-Amz-Credential') ?? ''}`)
  let bytes: Promise<Buffer> | undefined
  let received: Buffer = Buffer.alloc(0)
  return {
    method: message.method ?? 'GET',
    host: headers.host ?? '',
    path,
    query,
    parameters,
    headers,
    body: message,
    bytes: () => {
      bytes ??= collect(message).then((all) => {
        received = all
        return all
      })
      return bytes
    },
    payloadHash: () => headers['x-amz-content-sha256'] ?? createHash('sha256').update(received).digest('hex'),
    scope: scope ? { accessKey: scope[1] ?? '', region: scope[2] ?? '', service: scope[3] ?? '' } : undefined,
  }
}

export function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

export async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export const md5 = (data: Buffer | string): string => createHash('md5').update(data).digest('hex')
