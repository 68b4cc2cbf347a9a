import { setTimeout as sleep } from 'node:timers/promises'
import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import pMap from 'p-map'
import { UserError } from '../../cli/errors.ts'
import { detailsOf, explained } from '../errors.ts'
import { dotProductsIn } from './answers.ts'

export interface InvokeSettings {
  readonly signal: AbortSignal
  /** Requests in flight at once; default 4. */
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
const MOST_LINES = 10_000
const CONCURRENCY = 4
const PATIENCE_MS = 5 * 60_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 20_000

/**
 * Sends pairs to a SageMaker endpoint with an IP Insights model.
 * @param client must not retry by itself: `onRetry` reports every retry
 */
export function invoker(client: SageMakerRuntimeClient, endpoint: string, settings: InvokeSettings): Invoke {
  const { concurrency = CONCURRENCY, signal } = settings
  const ask = askerOf(client, endpoint, settings)
  return async (lines) => {
    const answers = await pMap(chunksOf(lines), (chunk) => ask(chunk.lines, chunk.first), { concurrency, signal })
    return answers.flatMap((scores) => [...scores])
  }
}

interface Chunk {
  readonly lines: readonly string[]
  /** Number of the first line, from 1. */
  readonly first: number
}

function* chunksOf(lines: readonly string[]): Generator<Chunk> {
  let [from, bytes] = [0, 0]
  for (const [i, line] of lines.entries()) {
    const size = Buffer.byteLength(line) + 1
    if (i > from && (i - from === MOST_LINES || bytes + size > MOST_BYTES)) {
      yield { lines: lines.slice(from, i), first: from + 1 }
      ;[from, bytes] = [i, 0]
    }
    bytes += size
  }
  if (from < lines.length) yield { lines: lines.slice(from), first: from + 1 }
}

type Ask = (lines: readonly string[], first: number) => Promise<Float64Array>

function askerOf(client: SageMakerRuntimeClient, endpoint: string, settings: InvokeSettings): Ask {
  const { signal, onRetry, patienceMs = PATIENCE_MS, pauseMs = FIRST_PAUSE_MS } = settings
  const where = `endpoint ${endpoint}`
  const ask: Ask = async (lines, first) => {
    const until = Date.now() + patienceMs
    for (let failures = 0; ; failures++) {
      try {
        const { Body } = await client.send(commandOf(endpoint, lines), { abortSignal: signal })
        return dotProductsIn(Buffer.from(Body ?? []).toString('utf8'), lines.length, where)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof UserError) throw error
        if (isRefusal(error)) throw await refusal(where, error, { lines, first }, ask)
        if (!isPassing(error, failures + 1) || Date.now() >= until) throw invocationFailure(error, endpoint)
        onRetry?.(`${where}: ${reasonOf(error)}; asking again`)
        // Full jitter: requests that failed together should not return together.
        const longest = Math.min(pauseMs * 2 ** failures, LONGEST_PAUSE_MS)
        await sleep(Math.random() * longest, undefined, { signal })
      }
    }
  }
  return ask
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

/** Whether the container refuses the request: repeating it is of no use. */
const isRefusal = (error: unknown): error is ModelError =>
  error instanceof Error && error.name === 'ModelError' && ((error as ModelError).OriginalStatusCode ?? 500) < 500

/** What passes with time, and what may pass but is more likely to stay. */
const BUSY = /^(Throttl\w+|TooManyRequests\w*|ServiceUnavailable\w*|ModelNotReadyException)$/
const BROKEN = /^(ModelError|Internal\w+|TimeoutError|E[A-Z_]{4,})$/
const MOST_BROKEN = 6

function isPassing(error: unknown, failures: number): boolean {
  const { code, status = 0 } = detailsOf(error)
  if (BUSY.test(code) || status === 429 || status === 503) return true
  return (BROKEN.test(code) || status >= 500) && failures < MOST_BROKEN
}

function reasonOf(error: unknown): string {
  const { code, message } = detailsOf(error)
  return code === 'ModelNotReadyException'
    ? 'the model is being loaded (ModelNotReadyException)'
    : `${code}: ${message}`
}

/** Names the line that the container refuses; when the container does not name it, halving finds it. */
async function refusal(where: string, error: ModelError, { lines, first }: Chunk, ask: Ask) {
  const { OriginalMessage: said = error.message, OriginalStatusCode: status = 400 } = error
  const named = Number(/\bline (\d+)/i.exec(said)?.[1] ?? (lines.length === 1 ? 1 : 0))
  const line = lines[named - 1]
  if (line !== undefined)
    return new UserError(
      `${where} refuses line ${first + named - 1}, ${JSON.stringify(line.slice(0, 120))}: status ${status}: ${said.trim().slice(0, 300)}`,
      { hint: 'entity and address as in training: the entity percent-encoded, the address dotted', cause: error },
    )
  const half = Math.ceil(lines.length / 2)
  try {
    await ask(lines.slice(0, half), first)
    await ask(lines.slice(half), first + half)
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
