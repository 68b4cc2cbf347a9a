import { readFile } from 'node:fs/promises'
import { encodeEntity } from '../insights/entity-codec.ts'
import type { Source } from '../sources/source.ts'

/** What shapes the pairs. */
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
}

const SQL = new URL('../../../sql/', import.meta.url)

/**
 * A text of sql/ with its placeholders filled, without the semicolon at its end, so that it can also stand in another.
 * @throws Error when one is left, or one is given that it does not have
 */
export async function render(file: string, values: Readonly<Record<string, string>> = {}): Promise<string> {
  const text = await readFile(new URL(file, SQL), 'utf8')
  const spare = Object.keys(values).filter((name) => !placeholdersOf(text).includes(name))
  if (spare.length > 0) throw new Error(`sql/${file} has no {{${spare.join('}}, {{')}}}`)
  return fill(text, values, `sql/${file}`)
}

/** A text with its placeholders filled, without comments and the semicolon at its end. @throws Error when one is left */
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

/** Comments have lines of their own, and name placeholders. */
const withoutComments = (sql: string): string => sql.replace(/^\s*--.*(\n|$)/gm, '')

/** A query over relations that are queries themselves. */
export function withRelations(relations: Readonly<Record<string, string>>, query: string): string {
  const named = Object.entries(relations).map(([name, sql]) => `${name} as (\n${sql}\n)`)
  // A query that has relations of its own takes these in before them.
  const rest = /^\s*with\s+/i.test(query) ? query.replace(/^\s*with\s+/i, ',\n') : `\n${query}`
  return `with ${named.join(',\n')}${rest}`
}

/** A text as an SQL literal, in Trino as in DuckDB; the one place where values become SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** An SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The placeholders of classified.sql. */
export async function classifiedValues(settings: ExtractSettings): Promise<Record<string, string>> {
  const { source, entity, from, to, cutoff, includePrivate, dedupe } = settings
  const choice = Object.hasOwn(source.entities, entity) ? source.entities[entity] : undefined
  if (choice === undefined) throw new Error(`${source.id} has no entity ${entity}`)
  return {
    entity: identifier(choice.column),
    encoded: encodedSql('entity'),
    from: String(from.getTime()),
    to: String(to.getTime()),
    cutoff: String(cutoff.getTime()),
    include_private: String(includePrivate),
    delivery: dedupe ? await render('delivery.sql') : '1',
  }
}

/** Characters that the entity codec escapes; `%` first, so that no escape is escaped again. */
const ESCAPED = ['%', ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))].filter(
  (character, i) => (i === 0 || character !== '%') && encodeEntity(character) !== character,
)

/** The entity codec as an SQL expression over a column, in words that both engines know. */
export function encodedSql(column: string): string {
  const replaced = ESCAPED.reduce(
    (sql, character) => `replace(${sql}, ${characterSql(character)}, ${literal(encodeEntity(character))})`,
    column,
  )
  // Most entities have nothing to escape: one look instead of forty. What is not plainly harmless gets the whole treatment.
  return `case when regexp_like(${column}, '[^A-Za-z0-9:/_=@+-]') then ${replaced} else ${column} end`
}

const characterSql = (character: string): string =>
  /[ -~]/.test(character) ? literal(character) : `chr(${character.charCodeAt(0)})`
