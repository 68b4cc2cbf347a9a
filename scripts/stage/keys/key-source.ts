import type { CostItem } from '../../lib/runs/cost.ts'
import type { Window } from '../../lib/runs/window.ts'
import { keyParser, mayHold, paddedSpan, type Variables } from '../../lib/sources/layout.ts'
import type { Source } from '../../lib/sources/source.ts'
import type { ObjectInfo } from '../../lib/stores/store.ts'
import type { Failure } from '../copy/copier.ts'

/** What is asked for. */
export interface Scope {
  readonly source: Source
  readonly window: Window
  /** Empty means all. */
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
}

/** What a key source reports besides the keys; complete once all keys have been read. */
export interface Findings {
  /** Which places were searched, in the user's words. */
  readonly looked: string[]
  readonly warnings: string[]
  /** Objects that an index names and that are not there: they can only fail. */
  readonly lost: Failure[]
  /** When all that lay there was seen; when the keys were asked for, if absent. A plan from before late files are due is not final. */
  readonly asOf?: Date
  /** What finding them cost besides LIST requests. */
  readonly costs?: readonly CostItem[]
  /** What lies nearest to a window that has no key. */
  nearest(): Promise<string[]>
}

/** The keys of a window: objects in key order, each once. */
export interface KeySource {
  readonly objects: AsyncIterable<ObjectInfo>
  readonly findings: Findings
}

/** Whether a key with these variables belongs to the accounts and regions that were asked for. */
const isInScope = ({ account, region }: Variables, { accounts, regions }: Scope): boolean =>
  (accounts.length === 0 || account === undefined || accounts.includes(account)) &&
  (regions.length === 0 || region === undefined || regions.includes(region))

/** Which keys lie in a folder of a day of the padded window, `2026/11/20`, at the root of a bucket too: a pattern for Trino and DuckDB. */
export const dayPattern = (scope: Scope): string => `(^|/)(${daysOf(scope).join('|')})/`

function daysOf({ source, window }: Scope): string[] {
  const spans = source.layouts.map(({ padding }) => paddedSpan(padding, window))
  const first = Math.min(...spans.map((span) => span.first.getTime()))
  const last = Math.max(...spans.map((span) => span.last.getTime()))
  const days: string[] = []
  for (let day = Math.floor(first / DAY); day <= Math.floor(last / DAY); day++)
    days.push(new Date(day * DAY).toISOString().slice(0, 10).replaceAll('-', '/'))
  return days
}

const DAY = 86_400_000

/** Whether a key has one of the source's layouts and may hold events of the window. */
export function keyFilter(scope: Scope): (key: string) => boolean {
  const parsers = scope.source.layouts.map((layout) => ({ layout, parse: keyParser(layout) }))
  return (key) =>
    parsers.some(({ layout, parse }) => {
      const parsed = parse(key)
      return (
        parsed !== undefined && isInScope(parsed.variables, scope) && mayHold(layout.padding, scope.window, parsed.time)
      )
    })
}
