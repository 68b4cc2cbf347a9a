import { regionOfTopic } from '../lib/aws/arn.ts'
import { choices, flag, number, parsed, text, type Values } from '../lib/cli/options.ts'
import {
  awsOptions,
  guardOptions,
  ipv6Option,
  networksOption,
  sagemakerOptions,
  scopeOptions,
  windowOptions,
  workspaceOption,
} from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { DAY_MS, spanIn } from '../lib/runs/window.ts'
import { knownIds } from '../lib/sources/registry.ts'
import { command as scoreCommand } from '../score/command.ts'
import { findingsOptions } from '../score/findings/options.ts'
import { command as stageCommand } from '../stage/command.ts'

/** Milliseconds of a span of whole days. */
function daysIn(input: string): number {
  const span = spanIn(input)
  if (span === undefined || span % DAY_MS !== 0) throw new Error('must be a span of whole days, for example 7d or 2w')
  return span
}

function topicArn(input: string): string {
  regionOfTopic(input)
  return input
}

/** A single day would be the run of the day before, which is judged and not trained on. */
function historyIn(input: string): number {
  const span = daysIn(input)
  if (span < 2 * DAY_MS) throw new Error('must be two days or more')
  return span
}

const days = (about: string, value: number, parse = daysIn) =>
  parsed({ about, value: 'SPAN', parse, default: value * DAY_MS, defaultText: `${value}d` })

const { overwrite: _, ...guard } = guardOptions

export const nightlyOptions = {
  source: choices(knownIds, { about: 'kind of log; several are taken one after the other', value: 'NAME' }),
  ...scopeOptions,
  ...workspaceOption,
  entity: text({ about: 'who: principal, arn, user-agent, …; see extract --help', value: 'NAME' }),
  day: text({
    about:
      'judge this day, UTC, and make up for none; one that was judged is judged again, with files that have come late (default: the last whole day)',
    value: 'DATE',
  }),
  last: { ...windowOptions.last, about: `judge this ${windowOptions.last.about}; makes up for no day` },
  catchUp: number({
    about: 'most days that were missed and are made up for, oldest first',
    default: 7,
    min: 0,
    max: 366,
    integer: true,
  }),
  retrain: days('train a new model when the last training is this old', 7),
  history: days('train on so many days before the day that is judged, two or more', 10, historyIn),
  keep: days('remove what nights have made and no longer need when it is this old', 90),
  rollback: flag({
    about: 'bring the model back into service that the one in service has replaced, and judge nothing',
  }),
  failOnAlerts: flag({ about: 'end with exit code 5 when there is something to look at' }),
  topic: parsed({
    about: 'SNS topic that is told when there is something to look at: new alerts, drift, or a day that was not judged',
    value: 'ARN',
    parse: topicArn,
  }),
  alertsPerDay: number({ about: 'alert budget per day', default: 10, min: 0 }),
  allow: scoreCommand.options.allow,
  details: scoreCommand.options.details,
  ...networksOption,
  ...ipv6Option,
  ...findingsOptions,
  findingsPeriod: {
    ...findingsOptions.findingsPeriod,
    about: 'tell an alert on an entity and /24 that goes on only once in this time: 1h to 30d',
    fallback: 7 * DAY_MS,
    defaultText: '7d',
  },
  copy: stageCommand.options.copy,
  batchRole: stageCommand.options.batchRole,
  poll: stageCommand.options.poll,
  ...athenaOptions,
  ...sagemakerOptions,
  ...guard,
  ...awsOptions,
}

export type NightlyOptions = Values<typeof nightlyOptions>
