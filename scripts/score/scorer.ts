import type { Measured, Trial } from '../lib/insights/evaluation.ts'
import { formatIpv4 } from '../lib/insights/ipv4.ts'
import type { ScoredBy } from '../lib/runs/results.ts'

/** Pairs to be scored together: entity i with address i. */
export interface Batch {
  /** Encoded. */
  readonly entities: readonly string[]
  readonly ips: Uint32Array
}

/** Anything that knows the scores of pairs: the model itself, an endpoint, or the output of a job. */
export interface Scorer {
  /** How many batches may be in progress at once. */
  readonly concurrency: number
  /** Dot products in the order of the pairs. @throws UserError unless there is exactly one finite number for each */
  score(batch: Batch): Promise<Float64Array>
}

/** A backend, checked and ready to score. */
export interface ScoringSession {
  /** Absent for this process and for a URL. */
  readonly by?: () => ScoredBy
  /** Scores a trial, for a calibration. Absent where the model comes with one. */
  readonly measure?: (trial: Trial) => Promise<Measured>
  /** @param lines `entity,address` of every pair that will be asked for, in that order; may be read several times */
  scorer(lines: () => Iterable<string>): Promise<Scorer>
  /** Removes what nobody needs once the verdicts are written. */
  readonly tidy?: () => Promise<void>
}

/** A pair as endpoints and jobs receive it. */
export const lineOf = (entity: string, ip: number): string => `${entity},${formatIpv4(ip)}`
