import { dotProductsIn } from '../../lib/aws/sagemaker/answers.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import type { Waiting } from '../../lib/cli/host.ts'
import { MODEL_HEADER } from '../../lib/runs/endpoint.ts'
import { type Batch, lineOf, type Scorer } from '../scorer.ts'

export interface EndpointSettings extends Waiting {
  /** Where it answers; `/invocations` follows. */
  readonly url: string
  readonly warn: (text: string) => void
  /** First pause before a repetition, milliseconds; it doubles each time. */
  readonly pauseMs?: number
  /** How long one request may take, milliseconds. SageMaker itself allows 60 s. */
  readonly timeoutMs?: number
}

const CONCURRENCY = 4
const ATTEMPTS = 5
/** An answer is a line of some 30 bytes a pair. */
const BYTES_PER_ANSWER = 200

/** Scores through an endpoint with IP Insights' formats. An incomplete answer is an error: silence is no all-clear. */
export function endpointScorer(settings: EndpointSettings): Scorer {
  const { sleep, pauseMs = 200 } = settings
  const address = `${baseOf(settings.url)}/invocations`
  const warned = new Set<string>()
  return {
    concurrency: CONCURRENCY,
    async score(batch) {
      const body = bodyOf(batch)
      for (let attempt = 1; ; attempt++) {
        const answer = await ask(address, body, batch.ips.length, settings)
        if (answer.kind === 'text') return dotProductsIn(answer.text, batch.ips.length, address)
        if (attempt === ATTEMPTS) throw new UserError(`${address}: ${answer.reason}, ${ATTEMPTS} times`, { hint: HINT })
        const warning = `${address}: ${answer.reason}; asking again`
        // Several requests are in progress: what fails them all is reported once for each attempt.
        if (!warned.has(`${attempt} ${warning}`)) settings.warn(warning)
        warned.add(`${attempt} ${warning}`)
        // Requests that failed together should not return together.
        await sleep(pauseMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2))
      }
    },
  }
}

/** The address of an endpoint, whether `/invocations` was typed or not. */
const baseOf = (url: string): string => url.replace(/\/+$/, '').replace(/\/invocations$/, '')

const HINT = 'is the endpoint still running? npx zx scripts/deploy.mjs starts one'

const bodyOf = ({ entities, ips }: Batch): string =>
  entities.map((entity, i) => `${lineOf(entity, ips[i] ?? 0)}\n`).join('')

type Answer = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'again'; readonly reason: string }

/** One request. @throws UserError when repeating it cannot help */
async function ask(address: string, body: string, pairs: number, settings: EndpointSettings): Promise<Answer> {
  const { signal, timeoutMs = 60_000 } = settings
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', accept: 'application/jsonlines' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    })
    const text = await textOf(answer, 65_536 + pairs * BYTES_PER_ANSWER, address)
    if (answer.status === 200) return { kind: 'text', text }
    const reason = `status ${answer.status}${text === '' ? '' : `: ${text.trim().slice(0, 200)}`}`
    if (answer.status === 429 || answer.status >= 500) return { kind: 'again', reason }
    throw new UserError(`${address}: ${reason}`)
  } catch (error) {
    if (error instanceof UserError) throw error
    signal.throwIfAborted()
    if (timeout.aborted) return { kind: 'again', reason: `no answer within ${timeoutMs / 1000} s` }
    return { kind: 'again', reason: reasonOf(error) }
  }
}

/** fetch hides the reason in the error's cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && cause.message !== '' ? cause.message : messageOf(error)
}

/** @throws UserError when the answer is longer than any honest one */
async function textOf(answer: Response, most: number, address: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > most)
      throw new UserError(`${address}: the answer is longer than ${most} bytes, this is not an IP Insights endpoint`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const PING_MS = 10_000

/** Digest of the model that an endpoint serves; an endpoint need not tell. */
export async function servedModel(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch(`${baseOf(url)}/ping`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]),
    })
    await answer.body?.cancel()
    return answer.headers.get(MODEL_HEADER) ?? undefined
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}
