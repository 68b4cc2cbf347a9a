import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import type { Build } from '../../lib/aws/codebuild.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration, utc } from '../../lib/cli/format.ts'
import { olderNights, timeOfNights } from '../nightly/nightly.ts'
import type { OpenStack } from '../setup.ts'

/** So many of the last nights are told. */
const TOLD = 5
const DAY_MS = 86_400_000
/** So long after its time a night is missed: Scheduler tries for an hour to start it, see the template. */
const GRACE_MS = 75 * 60_000

/** What the nights run. @throws UserError for a stack that is not finished, or of another version */
export async function nightsAsShipped(nights: OpenStack, stack: Stack, main: OpenStack): Promise<string> {
  if (!nights.isUsable(stack)) throw nights.stackFailure(stack, await nights.events(stack.id))
  const older = await olderNights(stack, main)
  if (older !== undefined) throw new UserError(older.says, { hint: older.hint })
  return `${timeOfNights(stack)} UTC: nightly.mjs ${stack.parameters.Options ?? ''}`
}

/** How the last nights ended. @throws UserError when the last one failed, or the one that was due has not begun */
export async function lastNights(nights: OpenStack, stack: Stack, settings: AwsSettings): Promise<string> {
  const [{ codebuildClient }, { lastBuilds }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/codebuild.ts'),
  ])
  const client = await codebuildClient(settings, nights.region)
  const builds = await lastBuilds(client, stack.outputs.Project ?? nights.name, TOLD)
  const [last] = builds
  const due = lastDue(stack, settings.now?.() ?? new Date())
  // Nights that were set up, or put to another time, after that have missed none.
  const isMissed = [last?.started, stack.changed].every((time) => time === undefined || time < due)
  const told = builds.length === 0 ? 'none yet' : builds.map(nightText).join('; ')
  const hint = `look at its log: ${last?.log ?? `CodeBuild project ${nights.name}`}`
  if (isMissed)
    throw new UserError(`none began since ${utc(due)}, when the last one was due: ${told}`, {
      hint: `see whether the schedule is there and enabled: aws scheduler list-schedules; or ${hint}`,
    })
  if (last !== undefined && !/^(SUCCEEDED|IN_PROGRESS)$/.test(last.status))
    throw new UserError(`the last one did not end well: ${told}`, { hint })
  return told
}

/** When the last night was due that must have begun by now. */
function lastDue(stack: Stack, now: Date): Date {
  const [hour = 0, minute = 0] = timeOfNights(stack).split(':').map(Number)
  const latest = now.getTime() - GRACE_MS
  const due = new Date(latest).setUTCHours(hour, minute, 0, 0)
  return new Date(due > latest ? due - DAY_MS : due)
}

function nightText({ started, ended, status }: Build): string {
  const took =
    started === undefined || ended === undefined ? '' : ` after ${duration(ended.getTime() - started.getTime())}`
  return `${started === undefined ? 'some time' : utc(started)} ${status}${took}`
}
