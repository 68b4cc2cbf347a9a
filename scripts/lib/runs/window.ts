import { UsageError, UserError } from '../cli/errors.ts'
import { utc } from '../cli/format.ts'

/** `[from, to)` of event time, UTC. */
export interface Window {
  readonly from: Date
  readonly to: Date
}

/** The logs hold nothing of a window. */
export class EmptyWindow extends UserError {}

const MINUTE = 60_000
const SPANS = { m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE, w: 7 * 24 * 60 * MINUTE } as const

/** `--last` ends at a full five minutes, the step of AWS's log files, so that a rerun soon after selects the same window. */
const LAST_STEP = 5 * MINUTE

/** No log is older, and the years before 0 and after 9999 have another notation. */
const EARLIEST = Date.UTC(2000, 0)
const LATEST = Date.UTC(9999, 11, 31)

/**
 * The window of `--from --to` or `--last`.
 * @param settling milliseconds after an event until its delivery. `--last` ends that long ago: what is delivered later than its end
 * belongs to the window of the next night, so that the two meet without a gap
 * @throws UsageError when it is missing, empty, or begins in the future
 */
export function windowOf(
  given: { from?: string | undefined; to?: string | undefined; last?: string | undefined },
  now: Date,
  settling = 0,
): Window {
  const { from, to, last } = given
  if (last !== undefined) {
    if (from !== undefined || to !== undefined) throw new UsageError('--last excludes --from and --to')
    const end = Math.floor((now.getTime() - settling) / LAST_STEP) * LAST_STEP
    const start = end - spanOf(last)
    if (start < EARLIEST) throw new UsageError(`--last "${last}" goes back to before there were logs`)
    return { from: new Date(start), to: new Date(end) }
  }
  if (from === undefined || to === undefined)
    throw new UsageError(
      from === to ? 'no window' : `the window has no ${from === undefined ? 'start' : 'end'}`,
      'give --from and --to (UTC), for example --from 2026-11-20 --to 2026-11-21, or --last 24h',
    )
  const window = { from: timeOf(from, '--from'), to: timeOf(to, '--to') }
  if (window.from >= window.to)
    throw new UsageError(`the window is empty: --from ${moment(window.from)} is not before --to ${moment(window.to)}`)
  if (window.from > now)
    throw new UsageError(`the window begins in the future: --from ${utc(window.from)}, now it is ${utc(now)}`)
  return window
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/

/** A date or a time to the minute or second; UTC unless an offset is written. */
export function timeOf(text: string, name: string): Date {
  const match = TIME.exec(text)
  if (match !== null) {
    const [, day, clock = '00:00', seconds = ':00', zone = 'Z'] = match
    const time = new Date(`${day}T${clock}${seconds}${zone}`)
    // Date rolls 31 February over into March: such a day is a mistake, not a date.
    const written = new Date(`${day}T00:00:00Z`)
    if (time.getTime() >= EARLIEST && time.getTime() <= LATEST && written.toISOString().startsWith(day ?? ''))
      return time
  }
  throw new UsageError(`${name} "${text}" is not a time`, 'write 2026-11-20, 2026-11-20T13:00 or 2026-11-20T13:00:00Z')
}

function spanOf(text: string): number {
  const span = spanIn(text)
  if (span === undefined) throw new UsageError(`--last "${text}" is not a span`, 'write 90m, 24h, 7d or 2w')
  return span
}

/** `90m`, `24h`, `7d`, `2w` in milliseconds; undefined when it is anything else. */
export function spanIn(text: string): number | undefined {
  const match = /^(\d+)\s*(m|h|d|w)$/i.exec(text)
  const span = match === null ? 0 : Number(match[1]) * SPANS[match[2]?.toLowerCase() as keyof typeof SPANS]
  return span > 0 ? span : undefined
}

/** `20261120T0000Z`, with seconds where there are some */
export function compactTime(time: Date): string {
  const digits = time.toISOString().replace(/[-:]/g, '')
  return digits.slice(13, 15) === '00' ? `${digits.slice(0, 13)}Z` : `${digits.slice(0, 15)}Z`
}

/** `2026-11-20 00:00 UTC`; whole where it is not a full minute, or a window of seconds would seem empty. */
const moment = (time: Date): string =>
  time.getTime() % MINUTE === 0
    ? utc(time)
    : `${time
        .toISOString()
        .replace('T', ' ')
        .replace(/(\.000)?Z$/, '')} UTC`

/** `2026-11-20 00:00 UTC to 2026-11-21 00:00 UTC` */
export const describeWindow = (window: Window): string => `${moment(window.from)} to ${moment(window.to)}`

export const DAY_MS = SPANS.d

/** Length in days. */
export const daysOf = (window: Window): number => (window.to.getTime() - window.from.getTime()) / DAY_MS
