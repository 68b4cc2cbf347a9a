import { readFile } from 'node:fs/promises'
import { encodeEntity } from '../insights/entity-codec.ts'
import type { Source } from '../sources/source.ts'

/** The options that shape the pairs. */
export interface ExtractSettings {
  readonly source: Source
  /** One of the source's entity choices. */
  readonly entity: string
  readonly from: Date
  readonly to: Date
  /** Accesses from here on are the holdout. */
  readonly cutoff: Date
  readonly includePrivate: boolean
  readonly dedupe: boolean
  /** Whether IPv6 addresses are kept, for the evidence. */
  readonly ipv6: boolean
}

const SQL = new URL('../../../sql/', import.meta.url)

/**
 * A text of sql/ with its placeholders filled, without comments and the semicolon at its end, so that it can be part of another one.
 * @throws Error when a placeholder has no value, or a value no placeholder
 */
export async function renderSql(file: string, values: Readonly<Record<string, string>> = {}): Promise<string> {
  const text = await readFile(new URL(file, SQL), 'utf8')
  const spare = Object.keys(values).filter((name) => !placeholdersOf(text).includes(name))
  if (spare.length > 0) throw new Error(`sql/${file} has no {{${spare.join('}}, {{')}}}`)
  return fill(text, values, `sql/${file}`)
}

/** A text with its placeholders filled, without comments and the semicolon at its end. @throws Error when a placeholder has no value */
export const fill = (text: string, values: Readonly<Record<string, string>>, name: string): string =>
  withoutComments(text)
    .replace(PLACEHOLDER, (_, placeholder: string) => {
      const value = Object.hasOwn(values, placeholder) ? values[placeholder] : undefined
      if (value === undefined) throw new Error(`${name}: no value for {{${placeholder}}}`)
      return value
    })
    .trim()
    .replace(/;$/, '')

const PLACEHOLDER = /\{\{(\w+)\}\}/g

/** Names of the placeholders of a text, outside its comments. */
export const placeholdersOf = (text: string): string[] =>
  [...withoutComments(text).matchAll(PLACEHOLDER)].map(([, name = '']) => name)

/** Comments stand on lines of their own; they name placeholders, too. */
const withoutComments = (sql: string): string => sql.replace(/^\s*--.*(\n|$)/gm, '')

/** A query over relations that are queries themselves. */
export function withRelations(relations: Readonly<Record<string, string>>, query: string): string {
  const named = Object.entries(relations).map(([name, sql]) => `${name} as (\n${sql}\n)`)
  // A query with relations of its own gets these in front of them.
  const rest = /^\s*with\s+/i.test(query) ? query.replace(/^\s*with\s+/i, ',\n') : `\n${query}`
  return `with ${named.join(',\n')}${rest}`
}

/** A text as an SQL literal of Trino and DuckDB. Values become SQL nowhere else. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** An SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

export type Engine = 'athena' | 'duckdb'

/**
 * The text of RFC 5952 of the IPv6 address in the column `ip`, without its zone; IPv4-mapped ones are dotted; null for what is none. For
 * Trino, `IPADDRESS` of its documentation ("Data types") does that.
 */
export function canonicalSql(engine: Engine): string {
  const address = "regexp_replace(ip, '%.*', '')"
  return engine === 'athena' ? `cast(try_cast(${address} as ipaddress) as varchar)` : `canonical_ipv6(${address})`
}

/** The column `ip` of accesses with one text for each address, as `classified` has it; what has a colon and is none becomes `none`. */
export const addressSql = (engine: Engine): string =>
  `case when strpos(ip, ':') > 0 then coalesce(${canonicalSql(engine)}, 'none') else ip end`

/** Values for the placeholders of classified.sql. */
export async function classifiedValues(settings: ExtractSettings, engine: Engine): Promise<Record<string, string>> {
  const { source, entity, from, to, cutoff, includePrivate, dedupe, ipv6 } = settings
  const choice = Object.hasOwn(source.entities, entity) ? source.entities[entity] : undefined
  if (choice === undefined) throw new Error(`${source.id} has no entity ${entity}`)
  return {
    entity: identifier(choice.column),
    encoded: encodedSql('entity'),
    from: String(from.getTime()),
    to: String(to.getTime()),
    cutoff: String(cutoff.getTime()),
    include_private: String(includePrivate),
    address: addressSql(engine),
    ipv6: String(ipv6),
    delivery: dedupe ? await renderSql('delivery.sql') : '1',
  }
}

/** Characters that the entity codec escapes; `%` comes first, so that no escape is escaped again. */
const ESCAPED = ['%', ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))].filter(
  (character, i) => (i === 0 || character !== '%') && encodeEntity(character) !== character,
)

/** Those of them in user agents. */
const USUAL = ['%', '.', ',', ' ']

/** The entity codec as an SQL expression over a column, in functions that both engines have. */
export function encodedSql(column: string): string {
  const replaced = (characters: readonly string[]) =>
    characters.reduce(
      (sql, character) => `replace(${sql}, ${characterSql(character)}, ${literal(encodeEntity(character))})`,
      column,
    )
  // One pattern is quicker than forty replacements: most entities have nothing to escape, and user agents only what is usual.
  return `case
    when not regexp_like(${column}, '[^A-Za-z0-9:/_=@+-]') then ${column}
    when not regexp_like(${column}, '[^ !#-&(-\\[\\]-_a-~]') then ${replaced(USUAL)}
    else ${replaced(ESCAPED)}
  end`
}

const characterSql = (character: string): string =>
  /[ -~]/.test(character) ? literal(character) : `chr(${character.charCodeAt(0)})`
