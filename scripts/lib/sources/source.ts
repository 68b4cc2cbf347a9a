import type { keyParser, Layout, ParsedKey } from './layout.ts'
import type { Mapping, SqlFolder } from './own/mapping.ts'
import type { TextFormat } from './text.ts'

/** Milliseconds after an event until it has normally been delivered, by any of the source's layouts. */
export const settlingOf = ({ layouts }: Pick<Source, 'layouts'>): number =>
  Math.max(...layouts.map(({ padding }) => padding.settles ?? padding.after)) * 60_000

/** What may stand for "who" in a pair. */
export interface EntityChoice {
  readonly about: string
  /** Column of the flat relation `accesses` in sql/<source>/. */
  readonly column: string
  /** Paths of the members that this column is made of: `userIdentity.arn` is a member of a member. */
  readonly members: readonly string[]
  /** Which address a pair has, where it is not the usual one: one of the source's `addresses`. */
  readonly address?: string
}

/** Further choices: every entity with each of the further addresses of a source, as `vpc@srcaddr`. */
export function withAddresses(
  entities: Readonly<Record<string, EntityChoice>>,
  addresses: NonNullable<Source['addresses']>,
): Record<string, EntityChoice> {
  const further = Object.entries(addresses).flatMap(([address, { about, members }]) =>
    Object.entries(entities).map(([name, choice]): [string, EntityChoice] => [
      `${name}@${address}`,
      { ...choice, about: `${choice.about}; with ${about}`, members: [...choice.members, ...members], address },
    ]),
  )
  return { ...entities, ...Object.fromEntries(further) }
}

/** A source whose accesses have the address that goes with this choice of entity. */
export function sourceFor(source: Source, entity: string): Source {
  const address = Object.hasOwn(source.entities, entity) ? source.entities[entity]?.address : undefined
  return address === undefined ? source : { ...source, address }
}

/** A kind of AWS log. */
export interface Source {
  readonly id: string
  /** As AWS writes it. */
  readonly name: string
  readonly about: string
  /** In order of recognition. */
  readonly layouts: readonly Layout[]
  /** How a line is read, where records are lines of text. What begins as JSON does is read as JSON all the same. */
  readonly text?: TextFormat
  /** Column of a member in Parquet files, where AWS writes such. */
  parquet?(member: string): string
  /** Set where all objects are of this form: Athena has a table of its own for them. */
  readonly form?: 'parquet'
  /** Set where objects are, or may be, Parquet whose columns are named as members are, and table.sql reads them. */
  readonly isParquet?: true
  /** Set where Athena reads the logs where they lie: a run in S3 holds the objects' URIs, and no copies. */
  readonly inPlace?: true
  /** Iceberg tables with the same records as the objects of a layout; their metadata says which data files are current. */
  readonly tables?: readonly { readonly id: string; readonly folder: string; readonly insteadOf: string }[]
  /** How often one look at the relation reads the table on Athena; once where it is absent. */
  readonly scans?: number
  /** Members of a record that sql/<source>/accesses.duckdb.sql reads, with their DuckDB types. Spelled as in the logs. */
  readonly members: Readonly<Record<string, string>>
  /** Paths of those members that every pair needs, whatever the entity. */
  readonly pairMembers: readonly string[]
  /** Path of the member that tells one event from another, or of those that do it together, which only --dedupe needs. */
  readonly idMember: string | readonly string[]
  /** Further members that questions ask about and pairs do without. */
  readonly details: Readonly<Record<string, string>>
  /** Values of `--entity`. */
  readonly entities: Readonly<Record<string, EntityChoice>>
  readonly defaultEntity: string
  /** Addresses that may take the place of the usual one, and the paths of the members that they are made of. */
  readonly addresses?: Readonly<Record<string, Pick<EntityChoice, 'about' | 'members'>>>
  /** The one that does. */
  readonly address?: string
  /** What alerts tell of the accesses of a pair: expressions over `accesses`, by the name of the aspect. */
  readonly aspects: Readonly<Record<string, string>>
  /** What an access is, for findings: the call of an API, or a request over the network. */
  readonly access: 'call' | 'request'
  /** Whether the first layout is one that the configuration file adds. */
  readonly hasOwnKeys?: true
  /** Of a source of the configuration file: what takes the place of its texts in sql/. */
  readonly own?: Mapping | SqlFolder
  /** What the configuration file says of it, as it stands there. */
  readonly given?: unknown
  /** Whether a record may become several rows of `accesses`; else it becomes one. */
  readonly severalRows?: true
  /** Index files that say which object holds which event times, where the source has such. */
  readonly digest?: Layout
  /** Region that logs the events of global services, where the source has such. */
  readonly globalRegion?: string
}

/** A key taken apart, and the layout that it has. */
export interface SourceKey extends ParsedKey {
  readonly layout: Layout
}

/** A parser for the keys of a source. @param parserOf keyParser, or nameParser for logs that were copied out of their folders */
export function sourceParser(
  { layouts }: Pick<Source, 'layouts'>,
  parserOf: typeof keyParser,
): (key: string) => SourceKey | undefined {
  const parsers = layouts.map((layout) => ({ layout, parse: parserOf(layout) }))
  return (key) => {
    for (const { layout, parse } of parsers) {
      const parsed = parse(key)
      if (parsed !== undefined) return { ...parsed, layout }
    }
    return undefined
  }
}
