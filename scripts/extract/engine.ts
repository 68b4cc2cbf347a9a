import type { Outcome } from '../lib/cli/command.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import type { StepRecord } from '../lib/runs/ledger.ts'
import type { Extracted, Written } from './counts.ts'

/** What an extraction hands to the ledger. */
export interface Yield {
  readonly extracted: Extracted
  /** Absent when there was nothing to write. */
  readonly written?: Written
  /** What Athena charges for, and what that comes to. */
  readonly scannedBytes?: number
  readonly usd?: number
}

/** One of the two ways to turn staged objects into pairs. */
export interface Extraction {
  /** Looks, changes nothing. */
  preview(): Promise<Outcome>
  /** Whether what was extracted is no longer there. */
  isGone(): Promise<boolean>
  /** Asks before money is spent. @param left of an attempt that was interrupted: what it has paid for is not paid again */
  approve(left: StepRecord<'extract'> | undefined): Promise<void>
  extract(checkpoint: Checkpoint<Saved<'extract'>>): Promise<Yield>
}
