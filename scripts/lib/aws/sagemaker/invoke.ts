import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import pMap from 'p-map'
import { UserError } from '../../cli/errors.ts'
import type { Host } from '../../cli/host.ts'
import { detailsOf, explained } from '../errors.ts'
import { dotProductsIn } from './answers.ts'

export interface InvokeSettings extends Pick<Host, 'signal' | 'sleep' | 'now'> {
  /** Requests in flight at once; default 4. A serverless endpoint throttles more than its MaxConcurrency. */
  readonly concurrency?: number
  /** Called before a failed request is repeated. */
  readonly onRetry?: (reason: string) => void
  /** Milliseconds for which a request is repeated: a container may take 3 minutes to start, "Serverless inference", developer guide. */
  readonly patienceMs?: number
  /** Longest first pause, milliseconds; it doubles each time, up to 20 s. */
  readonly pauseMs?: number
}

/** Dot products in the order of the lines, each `entity,address`, the entity encoded. */
export type Invoke = (lines: readonly string[]) => Promise<number[]>

/** Serverless endpoints take and give 4 MB, others 6 MB; an answer is a line of some 30 bytes. */
const MOST_BYTES = 2_000_000
/** Lines of a request, at first and at most: how many a small endpoint answers within the minute that it has is not known. */
const [FIRST_LINES, MOST_LINES] = [1000, 10_000] as const
/** Milliseconds within which a request was answered quickly, so that the next may be twice as long. */
const QUICK_MS = 5000
export const CONCURRENCY = 4
const PATIENCE_MS = 5 * 60_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 20_000

/**
 * Sends pairs to a SageMaker endpoint with an IP Insights model, in requests that grow while they are answered quickly.
 * @param client must not retry by itself: `onRetry` reports every retry
 */
export function invoker(client: SageMakerRuntimeClient, endpoint: string, settings: InvokeSettings): Invoke {
  const { concurrency = CONCURRENCY, signal } = settings
  const pace = { lines: FIRST_LINES }
  const ask = askerOf(client, endpoint, settings, pace)
  return async (lines) => {
    const answers = await pMap(chunksOf({ lines, first: 1 }, pace), ask, { concurrency, signal })
    return answers.flatMap((scores) => [...scores])
  }
}

interface Chunk {
  readonly lines: readonly string[]
  /** Number of the first line, from 1. */
  readonly first: number
}

/** How many lines the next request has at most. */
interface Pace {
  lines: number
}

/** Cuts lines into requests; each is as long as the pace allows when it is drawn. */
function* chunksOf({ lines, first }: Chunk, pace: Pace): Generator<Chunk> {
  let [from, bytes, most] = [0, 0, pace.lines]
  for (const [i, line] of lines.entries()) {
    const size = Buffer.byteLength(line) + 1
    if (i > from && (i - from >= most || bytes + size > MOST_BYTES)) {
      yield { lines: lines.slice(from, i), first: first + from }
      ;[from, bytes, most] = [i, 0, pace.lines]
    }
    bytes += size
  }
  if (from < lines.length) yield { lines: lines.slice(from), first: first + from }
}

type Ask = (chunk: Chunk) => Promise<Float64Array>

function askerOf(client: SageMakerRuntimeClient, endpoint: string, settings: InvokeSettings, pace: Pace): Ask {
  const { signal, sleep, now, onRetry, patienceMs = PATIENCE_MS, pauseMs = FIRST_PAUSE_MS } = settings
  const where = `endpoint ${endpoint}`
  const send = async ({ lines }: Chunk) => {
    const begun = now().getTime()
    const { Body } = await client.send(commandOf(endpoint, lines), { abortSignal: signal })
    const isQuick = now().getTime() - begun < QUICK_MS
    if (isQuick && lines.length === pace.lines) pace.lines = Math.min(2 * pace.lines, MOST_LINES)
    return dotProductsIn(Buffer.from(Body ?? []).toString('utf8'), lines.length, where)
  }
  const ask = async (chunk: Chunk, until: number): Promise<Float64Array> => {
    for (let failures = 0; ; failures++) {
      try {
        return await send(chunk)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof UserError) throw error
        if (isRefusal(error)) throw await refusal({ where, error, ask: (part) => ask(part, until) }, chunk)
        if (!isPassing(error, failures + 1) || now().getTime() >= until) throw invocationFailure(error, endpoint)
        onRetry?.(`${where}: ${reasonOf(error)}; asking again`)
        // Full jitter: requests that failed together should not return together.
        const longest = Math.min(pauseMs * 2 ** failures, LONGEST_PAUSE_MS)
        await sleep(Math.random() * longest)
        if (isUnanswered(error) && chunk.lines.length > 1) return inHalves(chunk, until)
      }
    }
  }
  /** What took too long may be answered in parts. */
  const inHalves = async (chunk: Chunk, until: number): Promise<Float64Array> => {
    pace.lines = Math.min(pace.lines, Math.ceil(chunk.lines.length / 2))
    const answers: Float64Array[] = []
    for (const part of chunksOf(chunk, { lines: Math.ceil(chunk.lines.length / 2) }))
      answers.push(await ask(part, until))
    return Float64Array.from(answers.flatMap((scores) => [...scores]))
  }
  return (chunk) => ask(chunk, now().getTime() + patienceMs)
}

const commandOf = (endpoint: string, lines: readonly string[]) =>
  new InvokeEndpointCommand({
    EndpointName: endpoint,
    ContentType: 'text/csv',
    Accept: 'application/jsonlines',
    Body: Buffer.from(`${lines.join('\n')}\n`),
  })

interface ModelError extends Error {
  OriginalStatusCode?: number
  OriginalMessage?: string
}

/** The container's status; 0 when it gave none: it is starting, was killed, or took longer than a minute. */
const statusIn = (error: unknown): number | undefined =>
  error instanceof Error && error.name === 'ModelError' ? ((error as ModelError).OriginalStatusCode ?? 500) : undefined

/** Whether the container refuses the request: repeating it is of no use. */
function isRefusal(error: unknown): error is ModelError {
  const status = statusIn(error) ?? 0
  return status >= 400 && status < 500
}

const isUnanswered = (error: unknown): boolean => statusIn(error) === 0

/** What passes with time, and what may pass but is more likely to stay. */
const BUSY = /^(Throttl\w+|TooManyRequests\w*|ServiceUnavailable\w*|ModelNotReadyException)$/
const BROKEN = /^(ModelError|Internal\w+|TimeoutError|E[A-Z_]{4,})$/
const MOST_BROKEN = 6

function isPassing(error: unknown, failures: number): boolean {
  const { code, status = 0 } = detailsOf(error)
  if (isUnanswered(error) || BUSY.test(code) || status === 429 || status === 503) return true
  return (BROKEN.test(code) || status >= 500) && failures < MOST_BROKEN
}

function reasonOf(error: unknown): string {
  const { code, message } = detailsOf(error)
  return code === 'ModelNotReadyException'
    ? 'the model is being loaded (ModelNotReadyException)'
    : `${code}: ${message}`
}

interface Refused {
  readonly where: string
  readonly error: ModelError
  ask(chunk: Chunk): Promise<unknown>
}

/** Names the line that the container refuses; when the container does not name it, halving finds it. */
async function refusal({ where, error, ask }: Refused, { lines, first }: Chunk): Promise<unknown> {
  const { OriginalMessage: said = error.message, OriginalStatusCode: status = 400 } = error
  const named = Number(/\bline (\d+)/i.exec(said)?.[1] ?? (lines.length === 1 ? 1 : 0))
  const line = lines[named - 1]
  if (line !== undefined)
    return new UserError(
      `${where} refuses line ${first + named - 1}, ${JSON.stringify(line.slice(0, 120))}: status ${status}: ${said.trim().slice(0, 300)}`,
      { hint: 'entity and address as in training: the entity percent-encoded, the address dotted', cause: error },
    )
  try {
    for (const part of chunksOf({ lines, first }, { lines: Math.ceil(lines.length / 2) })) await ask(part)
  } catch (found) {
    return found
  }
  return new UserError(`${where}: status ${status}: ${said.trim().slice(0, 300)}`, { cause: error })
}

function invocationFailure(error: unknown, endpoint: string): unknown {
  const { code, message } = detailsOf(error)
  if (/^Validation(Error|Exception)$/.test(code) && /not found/i.test(message))
    return new UserError(`there is no endpoint ${endpoint} in service here: ${message}`, {
      hint: 'npx zx scripts/deploy.mjs makes one; or score without an endpoint: --via transform',
      cause: error,
    })
  if (code === 'ModelNotReadyException')
    return new UserError(`endpoint ${endpoint}: the model is still being loaded: ${message}`, {
      hint: 'wait a minute; the same command begins where it stopped',
      cause: error,
    })
  if (isUnanswered(error))
    return new UserError(`endpoint ${endpoint}: the model gives no answer: ${message}`, {
      hint: 'its log in CloudWatch says more; more memory or a larger instance helps where that ran out; the same command begins where it stopped',
      cause: error,
    })
  if (code === 'ModelError')
    return new UserError(`endpoint ${endpoint}: the model fails: ${message}`, {
      hint: 'its log in CloudWatch says more; a larger instance or more memory helps where that ran out',
      cause: error,
    })
  return explained(error, {
    what: `endpoint ${endpoint}`,
    action: 'sagemaker:InvokeEndpoint',
    resource: `arn:aws:sagemaker:*:*:endpoint/${endpoint}`,
  })
}
