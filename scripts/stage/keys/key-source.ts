import type { CostItem } from '../../lib/runs/cost.ts'
import { DAY_MS, type Window } from '../../lib/runs/window.ts'
import { keyParser, mayHold, paddedSpan } from '../../lib/sources/layout.ts'
import { type Source, type SourceKey, sourceParser } from '../../lib/sources/source.ts'
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

/** What a catalog says of a table: the key of the metadata that is in force, or why it does not tell. */
export type CurrentMetadata = { readonly key: string } | { readonly unknown: string }

/** Where and how keys are looked for. */
export interface ListSettings {
  /** Prefix that the user named: '' or with a trailing slash. */
  readonly base: string
  readonly concurrency: number
  readonly signal: AbortSignal
  /** Asks the catalog of the logs about a table, where there is one. */
  readonly catalog?: (folder: string) => Promise<CurrentMetadata>
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
  /** Prefixes below which only what is found now counts: it stands in place of objects that an earlier plan may have. */
  readonly replaced?: readonly string[]
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

/** Whether a key may hold events of the window, in the accounts and regions that were asked for. */
export const isInScope = ({ variables: { account, region }, time, layout }: SourceKey, scope: Scope): boolean =>
  (scope.accounts.length === 0 || account === undefined || scope.accounts.includes(account)) &&
  (scope.regions.length === 0 || region === undefined || scope.regions.includes(region)) &&
  mayHold(layout.padding, scope.window, time)

/** Which keys lie in a folder of a day of the padded window, `2026/11/20`, at the root of a bucket too: a pattern for Trino and DuckDB. */
export const dayPattern = (scope: Scope): string =>
  // Other layouts have their days elsewhere, or those of another time zone: their keys are all looked at.
  scope.source.layouts.every(({ timed, zone }) => timed.startsWith('{yyyy}/{MM}/{dd}/') && zone === undefined)
    ? `(^|/)(${daysOf(scope).join('|')})/`
    : ''

function daysOf({ source, window }: Scope): string[] {
  const spans = source.layouts.map(({ padding }) => paddedSpan(padding, window))
  const first = Math.min(...spans.map((span) => span.first.getTime()))
  const last = Math.max(...spans.map((span) => span.last.getTime()))
  const days: string[] = []
  for (let day = Math.floor(first / DAY_MS); day <= Math.floor(last / DAY_MS); day++)
    days.push(new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '/'))
  return days
}

/** Whether a key has one of the source's layouts and may hold events of the window. */
export function keyFilter(scope: Scope): (key: string) => boolean {
  const parse = sourceParser(scope.source, keyParser)
  return (key) => {
    const parsed = parse(key)
    return parsed !== undefined && isInScope(parsed, scope)
  }
}
