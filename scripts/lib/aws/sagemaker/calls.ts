import { UserError } from '../../cli/errors.ts'
import type { Host } from '../../cli/host.ts'
import { type Asked, detailsOf, explained } from '../errors.ts'

/** Pauses of so many milliseconds; an abort of the host ends them. */
type Sleep = Host['sleep']

type Resource = 'training-job' | 'transform-job' | 'endpoint' | 'endpoint-config' | 'model'

/** What a call to SageMaker is about, for messages. @param nameOrArn of the resource */
export function aboutSagemaker(resource: Resource, nameOrArn: string, action: string, region = '*'): Asked {
  const name = nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1)
  return {
    what: `${resource.replace('-', ' ')} ${name}`,
    action: `sagemaker:${action}`,
    resource: `arn:aws:sagemaker:${region}:*:${resource}/${name}`,
  }
}

/** SageMaker reports a missing resource in many ways, mostly not in the way that its API reference promises. */
const MISSING = /could not find|not found|does not exist/i

/** The answer, or undefined when what was asked for does not exist. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    const { code, message } = detailsOf(error)
    if (code === 'ResourceNotFound' || (code === 'ValidationException' && MISSING.test(message))) return undefined
    throw error
  }
}

/** Names are made from what is asked for: what has the name already is what is wanted, for example after a lost answer. */
export async function unlessTaken(answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    const { code, message } = detailsOf(error)
    const isTaken = code === 'ResourceInUse' || (code === 'ValidationException' && /already exist/i.test(message))
    if (!isTaken) throw error
  }
}

/**
 * Pauses, milliseconds, after which what was just made becomes visible. SageMaker's reads are eventually consistent: "If the dependent
 * entities are not yet in DynamoDB, this causes a validation error … retry logic is recommended", CreateEndpoint, API reference.
 */
const PAUSES = [100, 200, 500, 1000, 2000, 4000, 8000] as const

/** In whatever words: what a call rests on is not seen. */
const isUnseen = (message: string): boolean => MISSING.test(message) && /model|endpoint[ -]?config/i.test(message)

/** Makes a call that refers to what was just made, again while SageMaker does not see that yet. */
export async function onceVisible<T>(call: () => Promise<T>, sleep: Sleep): Promise<T> {
  for (const pause of PAUSES)
    try {
      return await call()
    } catch (error) {
      if (!isUnseen(detailsOf(error).message)) throw error
      await sleep(pause)
    }
  return call()
}

/** Looks for something that was just made until it is visible; undefined when it stays invisible. */
export async function untilVisible<T>(look: () => Promise<T | undefined>, sleep: Sleep): Promise<T | undefined> {
  for (const pause of PAUSES) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(pause)
  }
  return look()
}

/** Jobs and endpoints take minutes; the first looks come soon for those that are ready. Milliseconds. */
const LOOK = { first: 200, factor: 1.5, longest: 10_000 } as const

/** Looks at something until it has come to an end. An abort ends it between two looks. */
export async function watched<T>(look: () => Promise<T>, hasEnded: (state: T) => boolean, sleep: Sleep): Promise<T> {
  for (let wait: number = LOOK.first; ; wait = Math.min(wait * LOOK.factor, LOOK.longest)) {
    const state = await look()
    if (hasEnded(state)) return state
    await sleep(wait * (0.8 + 0.4 * Math.random()))
  }
}

/** Awaits an answer of SageMaker; a failure is explained. */
export async function answered<T>(answer: Promise<T>, asked: Asked): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw refusal(error, asked)
  }
}

/** What asks for less of a quota, by what AWS says of it. */
function lessOf(message: string): string {
  if (!/serverless/i.test(message)) return 'name another --instance-type'
  if (/memory/i.test(message)) return 'name less --memory, or an --instance-type'
  return 'name a smaller --max-concurrency, or an --instance-type; delete serverless endpoints that nobody needs'
}

/** Quotas and roles, besides what all of AWS has in common. */
function refusal(error: unknown, asked: Asked): unknown {
  const { code, message } = detailsOf(error)
  if (code === 'ResourceLimitExceeded') {
    const [, quota, limit] = /service limit '([^']+)' is (\d+)/.exec(message) ?? []
    const name = quota === undefined ? '' : `, "${quota}"`
    return new UserError(
      `${asked.what}: over a quota of the account: ${quota === undefined ? message : `"${quota}" is ${limit}`}`,
      { hint: `${lessOf(message)}, or request an increase: Service Quotas, Amazon SageMaker${name}`, cause: error },
    )
  }
  if (/pass ?role/i.test(message))
    return new UserError(`${asked.what}: you may not give SageMaker this role (${message})`, {
      hint: 'ask for iam:PassRole on the role of --sagemaker-role, for sagemaker.amazonaws.com',
      exitCode: 4,
      cause: error,
    })
  if (/assume role|could not access/i.test(message))
    return new UserError(`${asked.what}: the role of --sagemaker-role lacks a permission: ${message}`, {
      hint: 'it must trust sagemaker.amazonaws.com, and read and write the bucket of the workspace (and use its KMS key)',
      cause: error,
    })
  return explained(error, asked)
}
