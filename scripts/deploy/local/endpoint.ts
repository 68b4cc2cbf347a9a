import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { digestOf, loadModel, type Model } from '../../lib/insights/model.ts'
import { type EndpointRecord, stopEndpoint } from '../../lib/runs/endpoint.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { serverOf } from './server.ts'

export interface EndpointSettings {
  readonly model: Model
  /** Digest of the model's file. */
  readonly digest: string
  /** Default 127.0.0.1: only this machine. */
  readonly host?: string
  /** Default 0: any that is free. */
  readonly port?: number
  readonly token?: string
  readonly onError?: (text: string) => void
}

/** A model that is being served in this process. */
export interface Endpoint {
  /** Where it answers, without a trailing slash. */
  readonly url: string
  /** Resolves when somebody with the token has asked it to stop. */
  readonly asked: Promise<void>
  close(): Promise<void>
}

/** WHATWG Fetch, "Port blocking": those from 1024 on. Scores and states of endpoints are asked for with fetch. */
const BLOCKED_PORTS: readonly number[] = [
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]

/** Serves a model until it is closed. @throws UserError when it cannot listen there */
export async function startEndpoint(settings: EndpointSettings): Promise<Endpoint> {
  const { host = '127.0.0.1', port = 0, ...rest } = settings
  if (BLOCKED_PORTS.includes(port))
    throw new UserError(`port ${port} is blocked for fetch, with which endpoints are asked`, {
      hint: 'name another --port',
    })
  let onStop = () => {}
  const asked = new Promise<void>((resolve) => {
    onStop = resolve
  })
  const server = await serverOf({ ...rest, host, onStop })
  try {
    await server.listen({ host, port })
  } catch (error) {
    await server.close()
    throw cannotListen(host, port, error)
  }
  return { url: urlOf(host, server.server.address() as AddressInfo), asked, close: () => server.close() }
}

/**
 * Serves the model of a run. An endpoint that it replaces is stopped only once this one listens, so that a failure leaves it running; at
 * the same port it is stopped first, once the port is known to be the only obstacle.
 * @throws UserError when the run has no model, or it cannot listen there
 */
export async function serveRun(
  run: Run,
  settings: Omit<EndpointSettings, 'model' | 'digest'> = {},
  replaced?: EndpointRecord,
): Promise<Endpoint & { readonly digest: string }> {
  const path = run.path(paths.model)
  const model = await loadModel(path)
  const digest = digestOf(await readFile(path))
  const start = () => startEndpoint({ ...settings, model, digest })
  if (replaced === undefined) return { ...(await start()), digest }
  let endpoint: Endpoint
  try {
    endpoint = await start()
  } catch (error) {
    if (!isTaken(error) || new URL(replaced.url).port !== String(settings.port)) throw error
    await stopEndpoint(replaced, run.host)
    return { ...(await start()), digest }
  }
  try {
    await stopEndpoint(replaced, run.host)
  } catch (error) {
    await endpoint.close()
    throw error
  }
  return { ...endpoint, digest }
}

const isTaken = (error: unknown): boolean =>
  error instanceof UserError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'

/** An address that means "all of them" is reached from here by the loopback. */
function urlOf(host: string, { port, family, address }: AddressInfo): string {
  const reached = /^(0\.0\.0\.0|::)$/.test(address) ? (family === 'IPv6' ? '::1' : '127.0.0.1') : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

function cannotListen(host: string, port: number, error: unknown): UserError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new UserError(`port ${port} of ${host} is taken`, {
      hint: 'name another --port, or --port 0 for any free one',
      cause: error,
    })
  if (code === 'EACCES')
    return new UserError(`port ${port} of ${host}: not allowed`, {
      hint: 'ports from 1024 on need no rights',
      exitCode: 4,
    })
  return new UserError(`cannot listen on ${host}, port ${port}: ${messageOf(error)}`)
}
