/** How the records of a source of the configuration file become rows of `accesses`. */
export interface Mapping {
  readonly format: (typeof FORMATS)[number]
  /** Of CSV: the columns of a line in their order, what stands between them, and whether the first line names them. */
  readonly columns: readonly string[]
  readonly separator: string
  readonly header: boolean
  /** Where the time of an event is: a member of a member by its path, `request.time`, or a column. */
  readonly time: string
  readonly timeFormat: TimeFormat
  readonly address: string
  /** Those that may take its place, by their names. */
  readonly addresses: Readonly<Record<string, string>>
  /** Of Parquet: the types of columns and their members that are no text; undefined where all are. */
  readonly types?: Readonly<Record<string, ColumnType>> | undefined
  /** What tells one event from another, where there is such. */
  readonly id: string | undefined
  /** Further columns of `accesses` by their names: entities and details. */
  readonly fields: Readonly<Record<string, string>>
}

/** The paths of all members, or the columns, that a mapping reads. */
export const pathsOf = ({ time, address, addresses, id, fields }: Mapping): string[] => [
  time,
  address,
  ...Object.values(addresses),
  ...(id === undefined ? [] : [id]),
  ...Object.values(fields),
]
/** Lines of JSON; `{"Records":[…]}`; lines of CSV; Parquet. */
export const FORMATS = ['json', 'records', 'csv', 'parquet'] as const

/** Types of Parquet columns as Hive names them. A `timestamp` and a `double` can only be a time: engines write them as text differently. */
export const COLUMN_TYPES = ['string', 'int', 'bigint', 'boolean', 'double', 'timestamp'] as const
type ColumnType = (typeof COLUMN_TYPES)[number]

/** ISO 8601; seconds or milliseconds since 1970; as web servers write it: `02/Mar/2026:10:00:00 +0000`. */
export const TIME_FORMATS = ['iso', 'seconds', 'milliseconds', 'clf'] as const
export type TimeFormat = (typeof TIME_FORMATS)[number]

/** SQL of one's own in place of a mapping: a folder with the files that sql/<source>/ has. */
export interface SqlFolder {
  readonly folder: string
}

/** What such a folder holds. */
export const SQL_FILES = ['table.sql', 'accesses.athena.sql', 'accesses.duckdb.sql'] as const

/** The names of CSV columns as groups of a pattern, which Java and JavaScript understand alike. */
export const groupOf = (columns: readonly string[], name: string): string => `c${columns.indexOf(name) + 1}`

/** A pattern for lines of CSV, with a group for each wanted column. Quotes around a field stay, so that both engines see the same. */
export function patternOf(
  { columns, separator }: Pick<Mapping, 'columns' | 'separator'>,
  wanted: readonly string[],
): string {
  const stop = ({ '\t': '\\t', '|': '[|]' } as Record<string, string>)[separator] ?? separator
  const inField = separator === '\t' ? '\\t' : separator
  const field = `"[^"\\n]*(?:""[^"\\n]*)*"|[^"${inField}\\n]*`
  const last = Math.max(...wanted.map((name) => columns.indexOf(name)))
  const groups = columns
    .slice(0, last + 1)
    .map((name) => (wanted.includes(name) ? `(?<${groupOf(columns, name)}>${field})` : `(?:${field})`))
  return `${groups.join(stop)}(?:${stop}[^\\n]*)?`
}

/** A name of a source: of a table in Athena, and the beginning of ids of runs. */
export const SOURCE_NAME = /^[a-z][a-z0-9_]{0,30}$/

/** The path of a member of JSON. */
export const MEMBER_PATH = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/
