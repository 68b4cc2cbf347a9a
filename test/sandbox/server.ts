import { randomBytes } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { APP, underWay } from './access.ts'
import type { Counters } from './counters.ts'
import { errorOf, type Fault, type Faults } from './faults.ts'
import { AwsError, type Call, type Incoming, incoming, type Reply, type Service } from './http.ts'

export interface Serving {
  readonly services: readonly Service[]
  readonly counters: Counters
  readonly faults: Faults
  /** Collects where requests and answers deviate from AWS's models. */
  readonly violations: string[]
  readonly checkAnswers: boolean
  readonly port?: number
}

const servers = new Map<string, Server>()

/** The server at an address, if it is in this process. */
export const serverAt = (url: string): Server | undefined => servers.get(url)

/** Serve on 127.0.0.1. */
export async function serve(serving: Serving): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((message, response) => {
    answer(serving, incoming(message), response).catch((error: unknown) => {
      serving.violations.push(`sandbox: ${error instanceof Error ? error.stack : String(error)}`)
      response.destroy()
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(serving.port ?? 0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  servers.set(url, server)
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        servers.delete(url)
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(serving: Serving, request: Incoming, response: ServerResponse): Promise<void> {
  const requestId = randomBytes(8).toString('hex').toUpperCase()
  // Its signature can only be verified over the whole body.
  if (request.headers['x-amz-content-sha256'] === undefined) await request.bytes()
  const found = await findCall(serving.services, request)
  if ('error' in found) {
    if (found.unknown) serving.violations.push(`${request.method} ${request.path}: ${found.error.message}`)
    return send(found.service.refuse(found.error, requestId), requestId, request, response)
  }
  const { call } = found
  const finished = serving.counters.start(call)
  let status = 0
  try {
    const { death } = serving.faults
    if (death?.isDead()) return await gone(response)
    const fault = serving.faults.next(call)
    if (fault?.delay !== undefined) await wait(fault.delay)
    if (fault?.cut === 'before') return void response.destroy()
    const own = fault?.error
      ? call.refuse(errorOf(fault.error), requestId)
      : await run(serving, call, requestId, isFromScript(request))
    const reply = fault?.instead ? fault.instead({ ...own, body: await textOf(own.body) }) : own
    if (fault?.cut === 'after') return void response.destroy()
    if (await death?.strikes(call, reply)) {
      status = reply.status
      return await gone(response)
    }
    await send(reply, requestId, request, response, fault)
    status = reply.status
  } finally {
    finished(status)
  }
}

const textOf = async (body: Reply['body'] = ''): Promise<string> =>
  body instanceof Readable ? Buffer.concat(await body.toArray()).toString() : body.toString()

/** Until the caller is gone. */
const gone = (response: ServerResponse): Promise<void> =>
  response.closed ? Promise.resolve() : new Promise((resolve) => response.once('close', resolve))

const isFromScript = ({ headers }: Incoming): boolean => headers['user-agent']?.includes(` app/${APP}`) ?? false

async function run(serving: Serving, call: Call, requestId: string, isOfScript: boolean): Promise<Reply> {
  try {
    const wrong = await call.checkRequest()
    if (wrong.length > 0) {
      serving.violations.push(...wrong.map((what) => `${call.operation} request: ${what}`))
      throw new AwsError('InvalidRequest', 400, wrong.join('; '))
    }
    const reply = await underWay.run({ operation: call.operation, isOfScript }, () => call.run())
    if (!serving.checkAnswers) return reply
    serving.violations.push(...call.checkReply(reply).map((what) => `${call.operation} answer: ${what}`))
    return reply
  } catch (error) {
    if (error instanceof AwsError) return call.refuse(error, requestId)
    // The caller hung up while it was sending, as it may: nobody is left to answer.
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
      return call.refuse(new AwsError('RequestTimeout', 400, error.message), requestId)
    serving.violations.push(`${call.operation}: ${error instanceof Error ? error.stack : String(error)}`)
    return call.refuse(new AwsError('InternalError', 500, String(error)), requestId)
  }
}

async function send(reply: Reply, id: string, request: Incoming, response: ServerResponse, fault?: Fault) {
  const { body } = reply
  const headers: Record<string, string> = { 'x-amz-request-id': id, ...reply.headers }
  if (typeof body === 'string' || Buffer.isBuffer(body)) headers['content-length'] = String(Buffer.byteLength(body))
  if (body === undefined && request.method !== 'HEAD' && reply.status !== 204) headers['content-length'] ??= '0'
  request.body.resume()
  response.writeHead(reply.status, headers)
  const source = body instanceof Readable ? body : Readable.from(body === undefined ? [] : [Buffer.from(body)])
  const cut = fault?.cut
  const stages = typeof cut === 'object' ? [source, cutAfter(cut.bytes)] : [source]
  // A client may hang up at any time; that is not a bug of the sandbox.
  await pipeline([...stages, response]).catch(() => response.destroy())
}

function cutAfter(bytes: number): Transform {
  let left = bytes
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (left > 0) this.push(chunk.subarray(0, left))
      left -= chunk.length
      // The bytes before the cut have to leave first.
      if (left <= 0) setTimeout(() => done(new Error('cut')), 5)
      else done()
    },
  })
}

type Found = { call: Call } | { error: AwsError; service: Service; unknown: boolean }

/** The call that a request makes. Services are asked in order; the last one (S3) takes what nobody else claims. */
async function findCall(services: readonly Service[], request: Incoming): Promise<Found> {
  const last = services.at(-1)
  if (last === undefined) throw new Error('a sandbox without services')
  let asked = last
  try {
    for (const service of services) {
      asked = service
      const call = await service.match(request)
      if (call !== undefined) return { call }
    }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    return { error, service: asked, unknown: error.code === 'NotImplemented' }
  }
  const error = new AwsError('NotImplemented', 501, `no service of this sandbox answers this request`)
  return { error, service: last, unknown: true }
}
