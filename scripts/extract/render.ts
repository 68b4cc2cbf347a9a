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

const SQL = new URL('../../sql/', import.meta.url)

/** A text of sql/ with its placeholders filled. @throws Error when one is left, or one is given that it does not have */
export async function render(file: string, values: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(new URL(file, SQL), 'utf8')
  const used = new Set<string>()
  const rendered = text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${file}: no value for {{${name}}}`)
    used.add(name)
    return value
  })
  const spare = Object.keys(values).filter((name) => !used.has(name))
  if (spare.length > 0) throw new Error(`${file} has no {{${spare.join('}}, {{')}}}`)
  return rendered.trim()
}

/** A text as an SQL literal; the one place where values become SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** An SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Networks that are nobody's on the internet: private, shared, loopback, link-local, documentation of multicast and above. */
export const PRIVATE =
  '^(0|10|127)[.]|^169[.]254[.]|^192[.]168[.]|^172[.](1[6-9]|2[0-9]|3[01])[.]|^100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|^(22[4-9]|2[3-5][0-9])[.]'

/** The placeholders of classified.sql. */
export function classifiedValues(settings: ExtractSettings): Record<string, string> {
  const { source, entity, from, to, cutoff, includePrivate, dedupe } = settings
  const choice = source.entities[entity]
  if (choice === undefined) throw new Error(`${source.id} has no entity ${entity}`)
  return {
    entity: identifier(choice.column),
    encoded: encodedSql('entity'),
    from: String(from.getTime()),
    to: String(to.getTime()),
    cutoff: String(cutoff.getTime()),
    include_private: String(includePrivate),
    private: literal(PRIVATE),
    dedupe: String(dedupe),
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
  return `CASE WHEN regexp_like(${column}, '^[A-Za-z0-9:/_=@+-]*$') THEN ${column} ELSE ${replaced} END`
}

const characterSql = (character: string): string =>
  /[ -~]/.test(character) ? literal(character) : `chr(${character.charCodeAt(0)})`
