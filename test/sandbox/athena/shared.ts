import type { S3State } from '../s3/state.ts'
import type { Catalog } from './catalog.ts'
import type { AthenaSettings } from './settings.ts'

/** What all parts of this Athena share. */
export interface Shared {
  readonly s3: S3State
  readonly catalog: Catalog
  readonly settings: AthenaSettings
}

/** The result of a statement; nothing is written yet. */
export interface Work {
  /** Writes all of it, or what an unfinished query leaves behind. @throws QueryError */
  write(share: 'all' | 'half'): void
}
