import type { Notice } from '../lib/aws/sns.ts'
import type { CommandResult } from '../lib/cli/command.ts'
import type { Failure } from '../lib/cli/failures.ts'
import { count, percent, plural, shortened, spelledOut, table } from '../lib/cli/format.ts'
import { hasSomething, type Judged, type Night, nightName, type ToldAlert } from '../lib/runs/nights.ts'
import { partLines } from './drift.ts'
import type { SourceNight } from './source.ts'

/** Ends a night that has something to look at, when that is asked for. */
const SOMETHING = 5

/** How one source ended. */
export type End = SourceNight | Failure

const isFailure = (end: End): end is Failure => 'message' in end

interface Told {
  readonly failOnAlerts: boolean
  readonly exitCodeOfFailures: number | undefined
}

/** A line a day, the new alerts, and what failed. */
export function renderNights(ends: readonly End[], { failOnAlerts, exitCodeOfFailures }: Told): CommandResult {
  const done = ends.filter((end): end is SourceNight => !isFailure(end))
  const something = done.reduce((sum, { nights }) => sum + nights.filter(hasSomething).length, 0)
  const alerts = done.flatMap(({ nights }) => nights.flatMap(({ judged }) => judged?.told ?? []))
  const exitCode = exitCodeOfFailures ?? (failOnAlerts && something > 0 ? SOMETHING : 0)
  return {
    json: {
      alerts: alerts.length,
      drift: done.some(({ nights }) => nights.some(({ judged }) => judged?.drift?.isTold)),
      sources: Object.fromEntries(
        done.map(({ source, nights, model, page }) => [
          source,
          {
            nights: nights.map(({ isUntold: _, ...night }) => ({ day: nightName(night), ...night })),
            model: model ?? null,
            page,
          },
        ]),
      ),
      failed: Object.fromEntries(
        ends.filter(isFailure).map(({ source, message, hint }) => [source, { message, hint: hint ?? null }]),
      ),
    },
    text: ends.map(textOf).join('\n'),
    exitCode,
  }
}

/** What is sent to people who are not there when a night ends; undefined when there is nothing to look at. */
export function noticeOf(ends: readonly End[]): Notice | undefined {
  const nights = ends.flatMap((end) => (isFailure(end) ? [] : end.nights))
  if (!nights.some(hasSomething)) return undefined
  const alerts = nights.reduce((sum, { judged }) => sum + (judged?.told.length ?? 0), 0)
  const parts = [
    ...(alerts > 0 ? [plural(alerts, 'new alert')] : []),
    ...(nights.some(({ judged }) => judged?.drift?.isTold === true) ? ['the model no longer fits'] : []),
    ...(nights.some(({ judged }) => judged === null) ? ['a day was not judged'] : []),
  ]
  const histories = ends.flatMap((end) => (isFailure(end) ? [] : [end.page]))
  const text = [...ends.map(textOf), '', 'All nights, with a report of each day:', ...histories].join('\n')
  return { subject: `prestage: ${parts.join(', ')}`, text }
}

function textOf(end: End): string {
  if (isFailure(end)) return `${end.source}: failed: ${end.message}${end.hint === undefined ? '' : `\n  ${end.hint}`}`
  if (end.nights.length === 0) return `${end.source}: nothing to judge: every day up to now is judged`
  return end.nights.map((night) => nightText(end.source, night)).join('\n')
}

function nightText(source: string, night: Night): string {
  const about = `${source} ${nightName(night)}`
  if (night.judged === null)
    return `${about}: nothing was judged: ${night.state === 'no-logs' ? 'there are no logs of it' : 'it is beyond --catch-up'}`
  const { told } = night.judged
  return [
    `${about}: ${nightSummary(night.judged)}`,
    ...driftLines(night.judged),
    ...(told.length > 0 ? [alertLines(told)] : []),
  ].join('\n')
}

/** `3 new alerts, 2 go on; 812 pairs judged, 4.7 % not; model of run …` */
function nightSummary({ told, goingOn, scored, unseen, sparse, model, trained }: Judged): string {
  const all = scored + unseen + sparse
  const alerts = told.length === 0 ? 'no new alert' : plural(told.length, 'new alert')
  const parts = [
    goingOn === 0 ? alerts : `${alerts}, ${count(goingOn)} ${goingOn === 1 ? 'goes' : 'go'} on`,
    `${plural(scored, 'pair')} judged, ${percent(all - scored, all)} of ${count(all)} not`,
    `model of ${model}${trained === null ? '' : trained.isBetter ? ', new tonight' : '; a new one was worse'}`,
  ]
  return parts.join('; ')
}

const driftLines = ({ drift, capped, report }: Judged): string[] =>
  drift === null
    ? []
    : [
        `  the model no longer fits${drift.isTold ? '' : ', as the night before'}: ${drift.reasons.join('; ')}`,
        ...partLines(drift).map((line) => `  ${line}`),
        ...(capped === 0 ? [] : [`  ${plural(capped, 'more new alert')}: ${report}`]),
      ]

const alertLines = (told: readonly ToldAlert[]): string =>
  table(
    told.map((alert) => [shortened(whoOf(alert), 84), alert.ip, spelledOut(alert.call), spelledOut(alert.reason)]),
    '  ',
  )

const whoOf = ({ entity, name, account }: ToldAlert): string => {
  const who = spelledOut(name === '' ? entity : name)
  return account === '' || account === who ? who : `${who} in ${spelledOut(account)}`
}
