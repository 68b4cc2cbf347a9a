import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import type { Build } from '../../lib/aws/codebuild.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { duration, utc } from '../../lib/cli/format.ts'
import { archiveOfProject } from '../nightly/archive.ts'
import type { OpenStack } from '../setup.ts'

/** So many of the last nights are told. */
const TOLD = 5
const DAY_MS = 86_400_000
/** A night that did not begin in this time was missed. */
const LONGEST_MS = 2 * DAY_MS

/** What the nights run, and how they are told. @throws UserError for a stack that is not finished, or of another version */
export async function nightsAsShipped(nights: OpenStack, stack: Stack, main: string): Promise<string> {
  if (!nights.isUsable(stack)) throw nights.stackFailure(stack, await nights.events(stack.id))
  const { Schedule = '', Options = '', Archive = '' } = stack.parameters
  const { name } = await archiveOfProject()
  if (!Archive.endsWith(`/${name}`))
    throw new UserError('the nights run another version than this one', {
      hint: `npx zx scripts/setup.mjs --stack ${main} --nightly ${timeOf(Schedule)} puts this one in place`,
    })
  return `${timeOf(Schedule)} UTC: nightly.mjs ${Options}`
}

/** `cron(30 2 * * ? *)` → `02:30` */
const timeOf = (schedule: string): string => {
  const [, minute = '', hour = ''] = /^cron\((\d+) (\d+) /.exec(schedule) ?? []
  return `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
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
