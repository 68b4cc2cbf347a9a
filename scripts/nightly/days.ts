import { UsageError } from '../lib/cli/errors.ts'
import type { Night } from '../lib/runs/nights.ts'
import { DAY_MS, timeOf, type Window, windowOf } from '../lib/runs/window.ts'
import { sourceOf } from '../lib/sources/registry.ts'
import { settlingOf } from '../lib/sources/source.ts'

/** What is to be judged tonight. */
export interface Due {
  /** Oldest first. */
  readonly windows: readonly Window[]
  /** Missed days beyond those that are made up for, oldest first. */
  readonly leftOut: readonly Window[]
}

interface DayOptions {
  readonly day: string | undefined
  readonly last: string | undefined
  readonly catchUp: number
  /** Milliseconds: days before that are of no matter. */
  readonly keep: number
}

/**
 * The last whole day that is delivered by now, and before it the days since the first night that nobody has judged; or the day or
 * span that is named.
 * @param nights of the source, oldest day first
 * @throws UsageError for a day that is no date, or not over
 */
export function dueWindows(source: string, options: DayOptions, nights: readonly Night[], now: Date): Due {
  const { day, last: span, catchUp, keep } = options
  const settling = settlingOf(sourceOf(source))
  if (day !== undefined && span !== undefined) throw new UsageError('--day and --last exclude each other')
  if (span !== undefined) return unjudged([windowOf({ last: span }, now, settling)], nights)
  const today = Math.floor((now.getTime() - settling) / DAY_MS) * DAY_MS
  // A day that is named is judged again, unless an earlier start has judged it and not told of it.
  if (day !== undefined)
    return unjudged(
      [namedDay(day, today)],
      nights.filter(({ isUntold }) => isUntold),
    )
  const noted = nights.filter(isWhole).map(({ from }) => new Date(from).getTime())
  const yesterday = today - DAY_MS
  const begin = Math.max(yesterday - catchUp * DAY_MS, Math.min(yesterday, ...noted))
  // Older notes may be gone by now: only what follows the last one before these days was left out.
  const last = Math.max(...noted.filter((from) => from < begin))
  const left = daysBetween(Math.max(last + DAY_MS, today - keep), begin)
  return { ...unjudged(daysBetween(begin, today), nights), leftOut: noted.some((from) => from < begin) ? left : [] }
}

const daysBetween = (from: number, to: number): Window[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / DAY_MS)) }, (_, i) => dayAt(from + i * DAY_MS))

const isWhole = ({ from, to }: Night): boolean => new Date(to).getTime() - new Date(from).getTime() === DAY_MS

const dayAt = (from: number): Window => ({ from: new Date(from), to: new Date(from + DAY_MS) })

function namedDay(text: string, today: number): Window {
  const from = timeOf(text, '--day').getTime()
  if (from % DAY_MS !== 0) throw new UsageError(`--day "${text}" is no day`, 'write 2026-11-20')
  if (from >= today) throw new UsageError(`--day ${text} is not over, or its logs are still being delivered`)
  return dayAt(from)
}

const unjudged = (windows: readonly Window[], nights: readonly Night[]): Due => ({
  windows: windows.filter(
    ({ from, to }) =>
      !nights.some(
        (night) => night.state === 'judged' && night.from === from.toISOString() && night.to === to.toISOString(),
      ),
  ),
  leftOut: [],
})
