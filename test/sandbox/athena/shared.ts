import type { S3State } from '../s3/state.ts'
import type { Catalog } from './catalog.ts'
import type { AthenaSettings } from './settings.ts'

/** What all rooms of this Athena share. */
export interface Shared {
  readonly s3: S3State
  readonly catalog: Catalog
  readonly settings: AthenaSettings
}

/** What a statement has come to; nothing is written before. */
export interface Work {
  /** Writes all of it, or what is left behind by a query that does not get to its end. @throws QueryError */
  write(share: 'all' | 'half'): void
}
