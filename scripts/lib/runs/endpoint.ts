import { createHash, timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import { UserError } from '../cli/errors.ts'
import type { Host } from '../cli/host.ts'
import { fitted, time } from '../cli/shapes.ts'
import { paths } from './paths.ts'
import type { Run } from './run.ts'

const schema = v.strictObject({
  /** Its address. */
  url: v.pipe(v.string(), v.trim(), v.url()),
  pid: v.pipe(v.number(), v.safeInteger()),
  /** Whoever knows it may stop the endpoint. */
  token: v.pipe(v.string(), v.nonEmpty()),
  /** Digest of the model that it serves. */
  model: v.string(),
})

/** The record that a detached endpoint writes into its run's folder. */
export type EndpointRecord = v.InferOutput<typeof schema>

const sagemakerSchema = v.strictObject({
  /** Name of the SageMaker endpoint. */
  sagemaker: v.pipe(v.string(), v.nonEmpty()),
  region: v.pipe(v.string(), v.nonEmpty()),
  /** The endpoint configuration with this run's model: when another one is in service, another model answers. */
  config: v.pipe(v.string(), v.nonEmpty()),
  /** As `model` of the calibration that belongs to it, and `digest` of the training. */
  model: v.string(),
  /** When the process that waits for it deletes the endpoint. If that process has ended, nobody does. */
  until: v.optional(time),
  /** That process has begun to delete it. */
  ending: v.optional(v.literal(true)),
  /** When it had deleted it. */
  ended: v.optional(time),
})

/** The record that deploy writes about an endpoint in SageMaker, in the same place. */
export type SageMakerRecord = v.InferOutput<typeof sagemakerSchema>

/** Header by which an endpoint identifies itself without revealing its token. */
export const IDENTITY_HEADER = 'x-prestage-endpoint'
/** Header that names the model's digest. */
export const MODEL_HEADER = 'x-prestage-model'

/** The identity of the endpoint with this token. */
export const tokenDigest = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Whether somebody knows the token; takes as long for a near miss as for a far one. */
export const knowsToken = (given: string, token: string): boolean =>
  timingSafeEqual(Buffer.from(tokenDigest(given)), Buffer.from(tokenDigest(token)))

/** The record of a detached endpoint; undefined when there is none, or it cannot be read. */
export const endpointOf = (run: Run): Promise<EndpointRecord | undefined> => noted(run, schema)

/** The endpoint in SageMaker that deploy left for this run; undefined when none was noted, or it was deleted after its time. */
export async function sagemakerEndpointOf(run: Run): Promise<SageMakerRecord | undefined> {
  const note = await sagemakerNoteOf(run)
  return note?.ended === undefined ? note : undefined
}

/** The same, also when the endpoint was deleted after its time. */
export const sagemakerNoteOf = (run: Run): Promise<SageMakerRecord | undefined> => noted(run, sagemakerSchema)

/** Replaces the earlier record. */
export async function noteSagemakerEndpoint(run: Run, record: SageMakerRecord): Promise<void> {
  await run.store.write(paths.endpoint, `${JSON.stringify(record, null, 2)}\n`)
}

async function noted<T>(run: Run, form: v.GenericSchema<unknown, T>): Promise<T | undefined> {
  const text = await run.store.text(paths.endpoint)
  if (text === undefined) return undefined
  try {
    return fitted(form, JSON.parse(text))
  } catch {
    return undefined
  }
}

/** `ours` answers with its identity; `foreign` is somebody else at that address; `silent` takes the connection and says nothing. */
export type EndpointState = 'ours' | 'foreign' | 'silent' | 'gone'

const ANSWER_MS = 5000

/** Asks whoever listens at the noted address who it is. */
export async function stateOf(
  { url, token }: Pick<EndpointRecord, 'url' | 'token'>,
  answerMs = ANSWER_MS,
): Promise<EndpointState> {
  try {
    const answer = await fetch(`${url}/ping`, { signal: AbortSignal.timeout(answerMs), redirect: 'manual' })
    await answer.body?.cancel()
    return answer.headers.get(IDENTITY_HEADER) === tokenDigest(token) ? 'ours' : 'foreign'
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError' ? 'silent' : 'gone'
  }
}

const STOP_MS = 10_000
const POLL_MS = 50

/**
 * Asks an endpoint to end itself and waits until it has. No process is ever killed: a process number may by now be another's,
 * and the token goes only to whoever has proven to be this endpoint.
 * Times are milliseconds: for one answer, and until it has ended.
 * @throws UserError when it is silent or does not end
 */
export async function stopEndpoint(
  record: EndpointRecord,
  { sleep }: Pick<Host, 'sleep'>,
  answerMs = ANSWER_MS,
  stopMs = STOP_MS,
): Promise<'stopped' | 'gone' | 'foreign'> {
  const state = await stateOf(record, answerMs)
  if (state === 'silent') throw stuck(record, 'does not answer')
  if (state !== 'ours') return state
  const { url, token } = record
  await fetch(`${url}/stop`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(answerMs),
  }).catch(() => undefined)
  for (const until = Date.now() + stopMs; Date.now() < until; await sleep(POLL_MS)) {
    const now = await stateOf(record, answerMs)
    // Who has fallen silent may still hold its port.
    if (now === 'gone' || now === 'foreign') return 'stopped'
  }
  throw stuck(record, 'does not stop')
}

const stuck = ({ url, pid }: EndpointRecord, what: string): UserError =>
  new UserError(`the endpoint at ${url} ${what}`, {
    hint: `if process ${pid} is still a prestage deploy, end it by hand, then repeat this`,
  })
