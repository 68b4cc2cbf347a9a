import type { BadFile } from '../lib/engines/duckdb/spool.ts'

/** What became of every record. */
export interface Counts {
  readonly events: number
  readonly trainPairs: number
  readonly holdoutPairs: number
  readonly dropped: Readonly<Record<string, number>>
  /** First and last event of all, in milliseconds since 1970; absent when no event has a time. */
  readonly span?: readonly [first: number, last: number]
}

/** What an engine has extracted. */
export interface Extracted extends Counts {
  readonly entities: number
  readonly bad: readonly BadFile[]
}

/** What an engine wrote below the run. */
export interface Written {
  readonly files: readonly { readonly path: string; readonly rows: number; readonly bytes: number }[]
  /** Names the bytes of all of it. */
  readonly digest: string
}

/** Reads the rows of dropped.sql. */
export function countsOf(outcomes: readonly (readonly unknown[])[]): Counts {
  const counts: Record<string, number> = Object.fromEntries(outcomes.map(([outcome, n]) => [outcome, Number(n)]))
  const { train = 0, holdout = 0, ...dropped } = counts
  const times = outcomes.flatMap(([, , first, last]) => (first === null ? [] : [Number(first), Number(last)]))
  return {
    events: Object.values(counts).reduce((sum, n) => sum + n, 0),
    trainPairs: train,
    holdoutPairs: holdout,
    dropped,
    ...(times.length > 0 && { span: [Math.min(...times), Math.max(...times)] }),
  }
}
