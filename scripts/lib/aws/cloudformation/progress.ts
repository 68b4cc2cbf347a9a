import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { UserError } from '../../cli/errors.ts'
import type { Waiting } from '../../cli/host.ts'
import { causeOf, eventsAfter, findStack, isMoving, type Stack, type StackEvent } from './stack.ts'

export interface Watching extends Waiting {
  /** Milliseconds between two looks. */
  readonly poll: number
  onEvent(event: StackEvent): void
}

/** Id of the newest event of a stack, to watch what comes after it. */
export const newestEvent = async (client: CloudFormationClient, stack: string): Promise<string | undefined> =>
  (await eventsAfter(client, stack, undefined)).at(-1)?.id

/**
 * Waits until a stack stands still. An abort ends the wait alone: CloudFormation goes on.
 * @returns how it ended, and what happened meanwhile
 */
export async function settled(
  client: CloudFormationClient,
  id: string,
  after: string | undefined,
  { poll, sleep, onEvent }: Watching,
): Promise<{ stack: Stack | undefined; events: StackEvent[] }> {
  const events: StackEvent[] = []
  for (let newest = after; ; ) {
    const stack = await findStack(client, id)
    const fresh = stack === undefined ? [] : await eventsAfter(client, id, newest)
    for (const event of fresh) onEvent(event)
    events.push(...fresh)
    newest = fresh.at(-1)?.id ?? newest
    if (stack === undefined || !isMoving(stack)) return { stack, events }
    await sleep(poll)
  }
}

/** The first failure, in CloudFormation's words. */
export function stackFailure(
  stack: Pick<Stack, 'name' | 'status' | 'reason'>,
  events: readonly StackEvent[],
): UserError {
  const cause = causeOf(events)
  const why =
    cause === undefined
      ? (stack.reason ?? 'it does not say why')
      : `${cause.resource} (${cause.type}) ${cause.status}: ${cause.reason ?? 'without a reason'}`
  return new UserError(`stack ${stack.name} is ${stack.status}: ${why}`, { hint: nextAfter(stack) })
}

function nextAfter({ name, status }: Pick<Stack, 'name' | 'status'>): string {
  if (/^(ROLLBACK|CREATE_FAILED|DELETE_FAILED)/.test(status))
    return `it was never whole and can only be deleted: npx zx scripts/setup.mjs --stack ${name} --delete, then set up again`
  if (status === 'UPDATE_ROLLBACK_COMPLETE') return 'it is as it was before; set up again when the cause is gone'
  return `look at it: aws cloudformation describe-stack-events --stack-name ${name}`
}
