/** An object of the simulated bucket, uncompressed. `content` is asked for once, in the order of the files: digests name what came before. */
export interface LogFile {
  readonly key: string
  readonly content: () => Buffer
}

/** What one source contributes. */
export interface Simulated {
  readonly events: number
  /** Records that are delivered a second time. */
  readonly duplicates: number
  readonly labels: readonly Label[]
  /** Can be asked for repeatedly: for the keys alone, and to write them. */
  files(): Iterable<LogFile>
}

/** A known attack. */
export interface Label {
  readonly source: string
  /** As the source's default entity, decoded. */
  readonly entity: string
  readonly ip: string
  readonly kind: string
  /** Seconds since 1970. */
  readonly time: number
}

/** `2026-03-02T00:05:00Z` */
export const isoOf = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

/** `2026/03/02` */
export const dayOf = (seconds: number): string => isoOf(seconds).slice(0, 10).replaceAll('-', '/')

/** `20260302T000500Z` */
export const compactOf = (seconds: number): string => isoOf(seconds).replace(/[-:]/g, '')
