/** An object of the simulated bucket, uncompressed. `content` is called once, in the order of the files: digests name earlier ones. */
export interface LogFile {
  readonly key: string
  readonly content: () => Buffer
  /** Of a file that becomes Parquet: its columns with their DuckDB types. Its content is a line of JSON for each row. */
  readonly columns?: Readonly<Record<string, string>> | undefined
}

/** What one source contributes. */
export interface Simulated {
  readonly events: number
  /** Records that are delivered a second time. */
  readonly duplicates: number
  readonly labels: readonly Label[]
  /** Called twice: for the keys alone, and to write the files. */
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

/** Known attacks as CSV: user agents hold commas, quotes and line breaks, so fields are quoted where needed. */
export const labelsCsv = (labels: readonly Label[]): string =>
  [
    ['source', 'entity', 'ip', 'kind', 'time'],
    ...labels.map(({ source, entity, ip, kind, time }) => [source, entity, ip, kind, isoOf(time)]),
  ]
    .map((row) => `${row.map(quoted).join(',')}\n`)
    .join('')

const quoted = (field: string): string => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)

/** Which access lies in which file: those of file f are `order[starts[f]] … order[starts[f + 1] - 1]`. */
export interface Deliveries {
  readonly starts: Uint32Array
  readonly order: Uint32Array
}

/**
 * Sorts accesses into files by counting. `place` names every file and access, in the same order each time it is called; an access may
 * be in several files.
 */
export function deliver(files: number, place: (put: (file: number, access: number) => void) => void): Deliveries {
  const starts = new Uint32Array(files + 1)
  place((file) => {
    starts[file + 1] = (starts[file + 1] ?? 0) + 1
  })
  for (let file = 0; file < files; file++) starts[file + 1] = (starts[file + 1] ?? 0) + (starts[file] ?? 0)
  const next = starts.slice()
  const order = new Uint32Array(starts[files] ?? 0)
  place((file, access) => {
    const at = next[file] ?? 0
    order[at] = access
    next[file] = at + 1
  })
  return { starts, order }
}

/** Most records of one file; busier slots have several files. */
const LARGEST = 2000

/** The accesses of a slot, in files as large as those that AWS writes. */
export function* chunksOf({ starts, order }: Deliveries, file: number): Generator<Uint32Array> {
  const end = starts[file + 1] ?? 0
  for (let at = starts[file] ?? 0; at < end; at += LARGEST) yield order.subarray(at, Math.min(end, at + LARGEST))
}
