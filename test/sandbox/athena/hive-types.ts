import { identifier } from '../../../scripts/lib/engines/render.ts'
import { invalid, notHere, userError } from './errors.ts'
import type { Words } from './words.ts'

/** A type of a column, as Hive has it. */
export type HiveType =
  | { readonly kind: 'simple'; readonly name: string }
  | { readonly kind: 'array'; readonly of: HiveType }
  | { readonly kind: 'map'; readonly of: HiveType }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [string, HiveType])[] }

/** What DuckDB calls them. */
const SIMPLE: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  int: 'INTEGER',
  bigint: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
}

/** @throws AwsError */
export function readType(words: Words): HiveType {
  const name = words.name()
  if (name === 'array' || name === 'map') {
    words.expect('<')
    // Keys of maps are strings, as all names in JSON are.
    if (name === 'map') words.expect('string', ',')
    const of = readType(words)
    words.expect('>')
    return { kind: name, of }
  }
  if (name === 'struct') {
    const fields: [string, HiveType][] = []
    words.expect('<')
    do {
      const field = words.name()
      words.expect(':')
      fields.push([field, readType(words)])
    } while (words.has(','))
    words.expect('>')
    return { kind: 'struct', fields }
  }
  if (['binary', 'char', 'decimal', 'integer', 'uniontype', 'varchar'].includes(name)) throw notHere(`the type ${name}`)
  if (!Object.hasOwn(SIMPLE, name)) throw invalid(`FAILED: ParseException: no type ${name}`)
  return { kind: 'simple', name }
}

/** As the catalog writes it. */
export function typeText(type: HiveType): string {
  if (type.kind === 'simple') return type.name
  if (type.kind === 'array') return `array<${typeText(type.of)}>`
  if (type.kind === 'map') return `map<string,${typeText(type.of)}>`
  return `struct<${type.fields.map(([name, of]) => `${name}:${typeText(of)}`).join(',')}>`
}

export function duckdbType(type: HiveType): string {
  if (type.kind === 'simple') return SIMPLE[type.name] ?? 'VARCHAR'
  if (type.kind === 'array') return `${duckdbType(type.of)}[]`
  if (type.kind === 'map') return `MAP(VARCHAR, ${duckdbType(type.of)})`
  return `STRUCT(${type.fields.map(([name, of]) => `${identifier(name)} ${duckdbType(of)}`).join(', ')})`
}

type Members = Readonly<Record<string, unknown>>

/** A JSON value as a type says: text for a string, whatever it was. @throws QueryError when it is something else */
export function shaped(type: HiveType, value: unknown, name: string): unknown {
  if (value === null || value === undefined) return null
  const wrong = () =>
    userError(`HIVE_BAD_DATA: Error parsing field value for field ${name}: ${typeText(type)} expected`)
  if (type.kind === 'simple') return simple(type.name, value, wrong)
  if (type.kind === 'array') {
    if (!Array.isArray(value)) throw wrong()
    return value.map((one) => shaped(type.of, one, name))
  }
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong()
  if (type.kind === 'struct') return shapedMembers(type.fields, value as Members)
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shaped(type.of, of, key)]))
}

/** Members that are declared, whatever the case of their names. */
export function shapedMembers(fields: readonly (readonly [string, HiveType])[], value: Members): Members {
  const members = new Map(Object.entries(value).map(([name, of]) => [name.toLowerCase(), of]))
  return Object.fromEntries(fields.map(([name, type]) => [name, shaped(type, members.get(name), name)]))
}

function simple(name: string, value: unknown, wrong: () => Error): unknown {
  if (name === 'string' || name === 'date' || name === 'timestamp')
    return wellFormed(typeof value === 'string' ? value : JSON.stringify(value))
  if (name === 'boolean') {
    if (!/^(true|false)$/i.test(String(value))) throw wrong()
    return String(value).toLowerCase() === 'true'
  }
  if (typeof value === 'object' || !Number.isFinite(Number(value)) || value === '') throw wrong()
  return Number(value)
}

/** Halves of characters have no UTF-8. */
const wellFormed = (text: string): string => Buffer.from(text).toString()
