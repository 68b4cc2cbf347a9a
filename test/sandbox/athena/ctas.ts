import { invalid } from './errors.ts'
import { readQuery, readTableName, type TableName, type Words } from './words.ts'

type PropertyValue = string | number | readonly string[]

export interface Ctas {
  readonly kind: 'ctas'
  readonly table: TableName
  readonly ifNotExists: boolean
  readonly properties: Readonly<Record<string, PropertyValue>>
  readonly query: string
}

/** What follows CREATE TABLE. @throws AwsError */
export function readCtas(words: Words): Ctas {
  const ifNotExists = words.has('if', 'not', 'exists')
  const table = readTableName(words)
  const properties = words.has('with') ? readProperties(words) : {}
  words.expect('as')
  return { kind: 'ctas', table, ifNotExists, properties, query: readQuery(words) }
}

function readProperties(words: Words): Record<string, PropertyValue> {
  const properties: Record<string, PropertyValue> = {}
  words.expect('(')
  do {
    const name = words.name()
    words.expect('=')
    if (Object.hasOwn(properties, name)) throw invalid(`Duplicate property: ${name}`)
    properties[name] = readValue(words)
  } while (words.has(','))
  words.expect(')')
  return properties
}

function readValue(words: Words): PropertyValue {
  if (words.next.kind === 'string') return words.string()
  if (/^\d+$/.test(words.next.text)) return Number(words.take().text)
  words.expect('array', '[')
  const values: string[] = []
  do values.push(words.string())
  while (words.has(','))
  words.expect(']')
  return values
}
