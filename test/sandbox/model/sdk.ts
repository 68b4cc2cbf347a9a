import { type Member, type Model, memo, type Shape } from './shape.ts'

/**
 * The schemas that the SDK's clients carry: wire names and the number of required members, without enums, patterns
 * and lengths. A schema is a number for a simple type, or an array that starts with its kind: 1 list, 2 map, 3 structure,
 * 9 operation.
 */
type Schema = number | 'unit' | unknown[] | (() => Schema)
type Traits = number | Record<string, string | number | undefined> | undefined

const LIST = 64
const MAP = 128
const LABEL = 1
const PAYLOAD = 16

const SIMPLE: Record<number, Shape['kind']> = {
  0: 'string',
  1: 'number',
  2: 'boolean',
  4: 'timestamp',
  5: 'timestamp',
  6: 'timestamp',
  7: 'timestamp',
  15: 'any',
  21: 'blob',
  42: 'blob',
}

const bare = (name: string, kind: Shape['kind']): Shape => ({ name, kind, members: {}, required: [] })

function traitsOf(traits: Traits): Record<string, string | number | undefined> {
  if (typeof traits !== 'number') return traits ?? {}
  return { ...(traits & LABEL ? { httpLabel: 1 } : {}), ...(traits & PAYLOAD ? { httpPayload: 1 } : {}) }
}

function shapeOf(schema: Schema): Shape {
  if (typeof schema === 'function') return shapeOf(schema())
  // What has no answer at all.
  if (schema === 'unit') return bare('unit', 'structure')
  if (typeof schema === 'number') {
    if (schema & MAP) return { ...bare('map', 'map'), item: member('value', schema & ~MAP) }
    if (schema & LIST) return { ...bare('list', 'list'), item: member('member', schema & ~LIST) }
    return bare('simple', SIMPLE[schema] ?? 'any')
  }
  const [kind, , name] = schema as [number, string, string]
  if (kind === 3) return structure(schema)
  if (kind === 1) return { ...bare(name, 'list'), item: member('member', schema[4] as Schema) }
  if (kind === 2) return { ...bare(name, 'map'), item: member('value', schema[5] as Schema) }
  return shapeOf(schema[4] as Schema)
}

const structure = memo((schema: unknown[]): Shape => {
  const [, , name, , names = [], types = [], required = 0] = schema as [
    number,
    string,
    string,
    Traits,
    string[]?,
    Schema[]?,
    number?,
  ]
  const members = Object.fromEntries(names.map((key, i) => [key, member(key, types[i] ?? 0)]))
  return { ...bare(name, 'structure'), members, required: names.slice(0, required) }
})

const isPair = (schema: Schema): schema is [Schema, Traits] => Array.isArray(schema) && schema.length === 2

function member(name: string, described: Schema): Member {
  const [schema, raw] = isPair(described) ? described : [described, undefined]
  const traits = traitsOf(raw)
  const { httpQuery, httpHeader, httpPrefixHeaders, xmlName } = traits
  const place = (): Member['place'] => {
    if (traits.httpLabel) return 'uri'
    if (httpQuery !== undefined) return 'query'
    if (httpHeader !== undefined) return 'header'
    if (httpPrefixHeaders !== undefined) return 'headers'
    return traits.httpPayload ? 'payload' : 'body'
  }
  return {
    shape: () => shapeOf(schema),
    place: place(),
    wire: String(httpQuery ?? httpHeader ?? httpPrefixHeaders ?? xmlName ?? name),
    flattened: traits.xmlFlattened !== undefined,
  }
}

/** The model of an SDK client, from its module. */
export function sdkModel(client: object): Model {
  return memo((name: string) => {
    const found = (client as Record<string, unknown>)[`${name}$`]
    if (!Array.isArray(found) || found[0] !== 9) return undefined
    const [input, output] = [shapeOf(found[4] as Schema), shapeOf(found[5] as Schema)]
    return { name, input, output, inputRoot: undefined, namespace: undefined }
  })
}
