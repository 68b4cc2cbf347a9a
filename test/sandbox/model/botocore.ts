import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Member, type Model, memo, type Shape } from './shape.ts'

// Cut from botocore's service models; outside the project, so absent for most people.
const FOLDER = fileURLToPath(new URL('../../../../shared/aws-models/', import.meta.url))

type Reference = {
  shape: string
  location?: string
  locationName?: string
  flattened?: boolean
  xmlNamespace?: { uri: string }
}
type RawShape = {
  type: string
  members?: Record<string, Reference>
  required?: string[]
  member?: Reference
  value?: Reference
  enum?: string[]
  pattern?: string
  min?: number
  max?: number
  union?: boolean
  flattened?: boolean
  payload?: string
}
type RawModel = {
  operations: Record<string, { input?: Reference; output?: Reference }>
  shapes: Record<string, RawShape>
}

const KINDS: Record<string, Shape['kind']> = {
  structure: 'structure',
  list: 'list',
  map: 'map',
  string: 'string',
  integer: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  timestamp: 'timestamp',
  blob: 'blob',
}

const PLACES: Record<string, Member['place']> = {
  uri: 'uri',
  querystring: 'query',
  header: 'header',
  headers: 'headers',
  statusCode: 'status',
}

/** A pattern of a model as a RegExp for the whole value: models write Java's dialect, mostly without anchors. */
export function patternOf(source: string): RegExp {
  const text = source
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\\p\{Alnum\}/g, 'A-Za-z0-9')
    .replace(/\\p\{Print\}/g, '\\x20-\\x7E')
    .replace(/\\_/g, '_')
  // A class outside brackets stands for one character.
  const whole = `^(?:${text.replace(/(?<!\[[^\]]*)A-Za-z0-9(?![^[]*\])/g, '[A-Za-z0-9]')})$`
  try {
    return new RegExp(whole, 'su')
  } catch {
    return new RegExp(whole, 's')
  }
}

export const haveModels = existsSync(FOLDER)

/** The model of a service, or one that knows no operation where there is no such file. */
export function botocoreModel(service: string): Model {
  const file = `${FOLDER}${service}.json`
  if (!existsSync(file)) return () => undefined
  const raw = JSON.parse(readFileSync(file, 'utf8')) as RawModel

  const shape = memo((name: string): Shape => {
    const found = raw.shapes[name]
    if (found === undefined) throw new Error(`${service}: no shape ${name}`)
    const { type, members = {}, required = [], pattern, payload } = found
    const item = found.member ?? found.value
    return {
      name,
      kind: KINDS[type] ?? 'any',
      members: Object.fromEntries(Object.entries(members).map(([key, ref]) => [key, member(key, ref, payload)])),
      required,
      ...(item && { item: member('member', item) }),
      ...(found.enum && { enum: found.enum }),
      ...(pattern !== undefined && { pattern: patternOf(pattern) }),
      ...(found.min !== undefined && { min: found.min }),
      ...(found.max !== undefined && { max: found.max }),
      ...(found.union && { union: true }),
    }
  })

  const member = (name: string, ref: Reference, payload?: string): Member => ({
    shape: () => shape(ref.shape),
    place: payload === name ? 'payload' : (PLACES[ref.location ?? ''] ?? 'body'),
    wire: ref.locationName ?? name,
    flattened: ref.flattened ?? raw.shapes[ref.shape]?.flattened ?? false,
  })

  return memo((name: string) => {
    const found = raw.operations[name]
    return (
      found && {
        name,
        input: found.input && shape(found.input.shape),
        output: found.output && shape(found.output.shape),
        inputRoot: found.input?.locationName,
        namespace: found.input?.xmlNamespace?.uri,
      }
    )
  })
}
