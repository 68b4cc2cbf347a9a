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
/** A night that did not begin in this time was missed. */
const LONGEST_MS = 2 * DAY_MS

/** What the nights run. @throws UserError for a stack that is not finished, or of another version */
export async function nightsAsShipped(nights: OpenStack, stack: Stack, main: OpenStack): Promise<string> {
  if (!nights.isUsable(stack)) throw nights.stackFailure(stack, await nights.events(stack.id))
  const older = await olderNights(stack, main)
  if (older !== undefined) throw new UserError('the nights run another version than this one', { hint: older })
  return `${timeOfNights(stack)} UTC: nightly.mjs ${stack.parameters.Options ?? ''}`
}

/** How the last nights ended. @throws UserError when the last one failed, or began too long ago */
export async function lastNights(nights: OpenStack, stack: Stack, settings: AwsSettings): Promise<string> {
  const [{ codebuildClient }, { lastBuilds }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/codebuild.ts'),
  ])
  const client = await codebuildClient(settings, nights.region)
  const builds = await lastBuilds(client, stack.outputs.Project ?? nights.name, TOLD)
  const [last] = builds
  const began = last === undefined ? stack.created : last.started
  const ago = (settings.now?.() ?? new Date()).getTime() - (began?.getTime() ?? Number.NaN)
  const told = builds.length === 0 ? 'none yet' : builds.map(nightText).join('; ')
  const hint = `look at its log: ${last?.log ?? `CodeBuild project ${nights.name}`}`
  if (ago > LONGEST_MS)
    throw new UserError(`none began in ${duration(ago)}: ${told}`, {
      hint: `see whether the schedule is there and enabled: aws scheduler list-schedules; or ${hint}`,
    })
  if (last !== undefined && !/^(SUCCEEDED|IN_PROGRESS)$/.test(last.status))
    throw new UserError(`the last one did not end well: ${told}`, { hint })
  return told
}

function nightText({ started, ended, status }: Build): string {
  const took =
    started === undefined || ended === undefined ? '' : ` after ${duration(ended.getTime() - started.getTime())}`
  return `${started === undefined ? 'some time' : utc(started)} ${status}${took}`
}
