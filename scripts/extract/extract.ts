import type { CommandResult, Context } from '../lib/cli/command.ts'
import type { BadFile } from '../lib/engines/records/index.ts'
import type { ExtractSettings } from '../lib/engines/render.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import type { StepRecord } from '../lib/runs/ledger.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'

/** What a backend works on. */
export interface ExtractStep {
  readonly context: Context
  readonly run: Run
  readonly settings: ExtractSettings
  readonly options: BackendOptions
  readonly aws: AwsSettings
}

interface BackendOptions {
  readonly skipBadFiles: boolean
  readonly memoryLimit: string
  readonly threads: number | undefined
  readonly workgroup: string
  readonly database: string
  /** Minutes. */
  readonly queryTimeout: number
}

/** Turns staged objects into pairs. */
export interface ExtractBackend {
  /** Looks at what would be done and changes nothing. */
  preview(): Promise<CommandResult>
  /** Whether files that were extracted earlier no longer exist. */
  isGone(): Promise<boolean>
  /** Asks before money is spent. @param left what an interrupted attempt saved: what it has paid for is not paid again */
  approve(left: StepRecord<'extract'> | undefined): Promise<void>
  extract(checkpoint: Checkpoint<Saved<'extract'>>): Promise<Extraction>
}

export interface Extraction {
  readonly extracted: Extracted
  /** Absent when there was nothing to write. */
  readonly written?: Written
  /** Bytes that Athena scanned, and their price. */
  readonly scannedBytes?: number
  readonly usd?: number
}

/** How many records became pairs, and why the others did not. */
export interface Counts {
  readonly events: number
  readonly trainPairs: number
  readonly holdoutPairs: number
  readonly dropped: Readonly<Record<string, number>>
  readonly ipv6: { readonly trainPairs: number; readonly holdoutPairs: number }
  /** First and last event of all, in milliseconds since 1970; absent when no event has a time. */
  readonly span?: readonly [first: number, last: number]
}

export interface Extracted extends Counts {
  readonly entities: number
  /** Different IPv6 pairs. */
  readonly ipv6Pairs: number
  readonly bad: readonly BadFile[]
}

/** What was written below the run. */
export interface Written {
  readonly files: readonly { readonly path: string; readonly rows: number; readonly bytes: number }[]
  /** Identifies the content of all files. */
  readonly digest: string
}

/** Reads the rows of dropped.sql. */
export function countsOf(rows: readonly (readonly unknown[])[]): Counts {
  const counts: Record<string, number> = Object.fromEntries(rows.map(([reason, n]) => [reason, Number(n)]))
  const { train = 0, holdout = 0, 'train-ipv6': trainPairs = 0, 'holdout-ipv6': holdoutPairs = 0, ...dropped } = counts
  const times = rows.flatMap(([, , first, last]) => (first === null ? [] : [Number(first), Number(last)]))
  return {
    events: Object.values(counts).reduce((sum, n) => sum + n, 0),
    trainPairs: train,
    holdoutPairs: holdout,
    dropped,
    ipv6: { trainPairs, holdoutPairs },
    ...(times.length > 0 && { span: [Math.min(...times), Math.max(...times)] }),
  }
}

export const hasIpv6 = ({ ipv6: { trainPairs, holdoutPairs } }: Counts): boolean => trainPairs + holdoutPairs > 0

/** Without any pair nothing is written, and the pairs of an earlier extraction stay. */
export const hasAnyPair = ({ trainPairs, holdoutPairs }: Counts): boolean => trainPairs + holdoutPairs > 0
