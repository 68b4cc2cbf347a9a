import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { messageOf } from '../../lib/cli/errors.ts'
import type { Model } from '../../lib/insights/model.ts'
import {
  accepted,
  contentTypes,
  MalformedRequest,
  NotAcceptable,
  parseRequest,
  renderPredictions,
} from '../../lib/insights/wire.ts'
import { IDENTITY_HEADER, knowsToken, MODEL_HEADER, tokenDigest } from '../../lib/runs/endpoint.ts'

/** The largest body that a SageMaker endpoint takes: InvokeEndpoint's limit, "Amazon SageMaker runtime" API reference. */
const BODY_BYTES = 6 * 1024 * 1024
/** A container must answer within 60 s, "How containers serve requests", SageMaker developer guide. */
const REQUEST_MS = 60_000

export interface ServerSettings {
  readonly model: Model
  /** Digest of the model's file. */
  readonly digest: string
  /** The name or address that it listens on. */
  readonly host: string
  /** With a token, whoever knows it may stop the server. */
  readonly token?: string
  /** Called when somebody stops it. */
  readonly onStop?: () => void
  /** Gets internal errors in full; the client only learns that there was one. */
  readonly onError?: (text: string) => void
}

/** A server with the contract of SageMaker's containers: `GET /ping` and `POST /invocations`, in IP Insights' own formats. */
export async function serverOf(settings: ServerSettings): Promise<FastifyInstance> {
  const { fastify } = await import('fastify')
  const server = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    return503OnClosing: false,
  })
  const identity: Record<string, string> = {
    [MODEL_HEADER]: settings.digest,
    ...(settings.token !== undefined && { [IDENTITY_HEADER]: tokenDigest(settings.token) }),
  }
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(contentTypes, { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  server.addHook('onRequest', async (request, reply) => refuseOtherHost(request, reply, settings.host))
  server.setErrorHandler((error, _, reply) => explain(error, reply, settings))
  server.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, `${request.method} ${request.url}: there are only GET /ping and POST /invocations`),
  )
  server.get('/ping', (_, reply) => reply.headers(identity).send())
  server.post('/invocations', (request, reply) => invoke(settings.model, request, reply.headers(identity)))
  const { token } = settings
  if (token !== undefined) server.post('/stop', (request, reply) => stop(request, reply, token, settings))
  return server
}

const LOOPBACK = /^(::ffff:)?127\.|^::1$/
const OWN_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * A web page can point a name of its own at this machine (DNS rebinding) and would then read the answers: on the loopback only this
 * machine's own names are answered. Whoever listens on another address has let others in, under names that nobody here knows.
 */
function refuseOtherHost(request: FastifyRequest, reply: FastifyReply, host: string) {
  const named = request.headers.host ?? ''
  if (!LOOPBACK.test(request.socket.localAddress ?? '') || OWN_NAME.test(named)) return undefined
  if (named.replace(/:\d+$/, '').toLowerCase() === host.toLowerCase()) return undefined
  return refuse(reply, 421, `this server is not "${named}": ask it as localhost, 127.0.0.1 or [::1]`)
}

/** Numbers in the embeddings of one answer: beyond, it would be hundreds of megabytes. */
const MOST_NUMBERS = 4_000_000

function invoke(model: Model, request: FastifyRequest, reply: FastifyReply) {
  const format = accepted(request.headers.accept)
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const pairs = parseRequest(request.headers['content-type'] ?? '', body)
  const most = Math.floor(MOST_NUMBERS / (2 * model.ipEmbedding(0).length))
  if (format.verbose && pairs.length > most)
    return refuse(reply, 413, `embeddings of ${pairs.length} pairs at once are too much: ask for at most ${most}`)
  // As bytes: of a text fastify would add a charset to the content type.
  return reply.type(format.type).send(Buffer.from(renderPredictions(model, pairs, format)))
}

function stop(request: FastifyRequest, reply: FastifyReply, token: string, { onStop }: ServerSettings) {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  if (!knowsToken(given, token)) return refuse(reply, 403, 'only the one who started this endpoint may stop it')
  reply.raw.once('close', () => onStop?.())
  return reply.header('connection', 'close').send({ stopping: true })
}

const refuse = (reply: FastifyReply, status: number, error: string) => reply.code(status).send({ error })

function explain(error: unknown, reply: FastifyReply, { onError }: ServerSettings) {
  if (error instanceof MalformedRequest) return refuse(reply, 400, error.message)
  if (error instanceof NotAcceptable) return refuse(reply, 406, error.message)
  const status = Number((error as { statusCode?: number }).statusCode ?? 500)
  if (status === 413) return refuse(reply, 413, `the body is larger than ${BODY_BYTES} bytes: send fewer pairs at once`)
  if (status === 415) return refuse(reply, 415, `the content type must be one of ${contentTypes.join(', ')}`)
  if (status < 500) return refuse(reply, status, messageOf(error))
  onError?.(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return refuse(reply, 500, 'something went wrong inside; the log of the endpoint says what')
}
