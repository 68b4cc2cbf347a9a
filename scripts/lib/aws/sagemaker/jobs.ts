import { setTimeout as sleep } from 'node:timers/promises'
import type { Tag } from '@aws-sdk/client-sagemaker'
import { UserError } from '../../cli/errors.ts'
import { type Asked, detailsOf, explained } from '../errors.ts'

/** What SageMaker allows as a name. */
const LONGEST_NAME = 63

/**
 * Name of something that belongs to a run: `prestage-<run id>-<suffix>`. A run id that is too long loses its middle and keeps the hash
 * at its end.
 */
export function resourceName(id: string, suffix: string): string {
  const plain = id.replace(/[^a-zA-Z0-9]+/g, '-')
  const [head, tail] = [`prestage-${plain}`, `-${suffix}`]
  if (head.length + tail.length <= LONGEST_NAME) return head + tail
  const hash = plain.slice(-6)
  return `${head.slice(0, LONGEST_NAME - tail.length - hash.length - 1).replace(/-+$/, '')}-${hash}${tail}`
}

export const RUN_TAG = 'prestage:run'
export const WORKSPACE_TAG = 'prestage:workspace'

/** What everything carries that prestage makes: only that is ever removed. */
export const tagsOf = (run: string, workspace: string, more: readonly Tag[] = []): Tag[] => [
  { Key: RUN_TAG, Value: run },
  { Key: WORKSPACE_TAG, Value: workspace },
  ...more,
]

/** SageMaker says in many ways that something is not there, and mostly not in the way that its API promises. */
const MISSING = /could not find|not found|does not exist/i

export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    const { code, message } = detailsOf(error)
    if (code === 'ResourceNotFound' || (code === 'ValidationException' && MISSING.test(message))) return undefined
    throw error
  }
}

/** Whether something of this name exists already. */
export function isTaken(error: unknown): boolean {
  const { code, message } = detailsOf(error)
  return code === 'ResourceInUse' || (code === 'ValidationException' && /already exist/i.test(message))
}

/**
 * Pauses, milliseconds, in which what was just made comes into sight. SageMaker's reads are eventually consistent: "If the dependent
 * entities are not yet in DynamoDB, this causes a validation error … retry logic is recommended", CreateEndpoint, API reference.
 */
const COMING = [100, 200, 500, 1000, 2000, 4000, 8000] as const

const UNSEEN = /could not find (model|endpoint configuration)/i

/** Asks for something that rests on what was just made, again while SageMaker does not see that yet. */
export async function restingOnNew<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pause of COMING)
    try {
      return await ask()
    } catch (error) {
      if (!UNSEEN.test(detailsOf(error).message)) throw error
      await sleep(pause, undefined, { signal })
    }
  return ask()
}

/** Looks at something that was just made until it is seen; undefined when it is not in the end. */
export async function inSight<T>(look: () => Promise<T | undefined>, signal: AbortSignal): Promise<T | undefined> {
  for (const pause of COMING) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(pause, undefined, { signal })
  }
  return look()
}

/** Awaits what SageMaker answers; a failure is explained. */
export async function answered<T>(asked: Promise<T>, what: Asked): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw refused(error, what)
  }
}

/** A refusal in words: quotas and roles, besides what all of AWS has in common. */
function refused(error: unknown, asked: Asked): unknown {
  const { code, message } = detailsOf(error)
  if (code === 'ResourceLimitExceeded') {
    const quota = /service limit '([^']+)' is (\d+)/.exec(message)
    return new UserError(
      `${asked.what}: over a quota of the account${quota === null ? `: ${message}` : `: "${quota[1]}" is ${quota[2]}`}`,
      { hint: 'name another --instance-type, or ask for more: Service Quotas, Amazon SageMaker', cause: error },
    )
  }
  if (/pass ?role/i.test(message))
    return new UserError(`${asked.what}: you may not give SageMaker this role (${message})`, {
      hint: 'ask for iam:PassRole on the role of --sagemaker-role, for sagemaker.amazonaws.com',
      exitCode: 4,
      cause: error,
    })
  if (/assume role|could not access/i.test(message))
    return new UserError(`${asked.what}: the role of --sagemaker-role cannot do it: ${message}`, {
      hint: 'it must trust sagemaker.amazonaws.com, and may read and write the bucket of the workspace (and use its KMS key)',
      cause: error,
    })
  return explained(error, asked)
}

/** Jobs and endpoints take minutes; the first looks come soon for those that are ready. Milliseconds. */
const LOOK = { first: 200, factor: 1.5, longest: 10_000 } as const

/** Looks at something until it has come to an end. An abort ends it between two looks. */
export async function watched<T>(
  look: () => Promise<T>,
  hasEnded: (state: T) => boolean,
  signal: AbortSignal,
): Promise<T> {
  for (let wait: number = LOOK.first; ; wait = Math.min(wait * LOOK.factor, LOOK.longest)) {
    const state = await look()
    if (hasEnded(state)) return state
    await sleep(wait * (0.8 + 0.4 * Math.random()), undefined, { signal })
  }
}
