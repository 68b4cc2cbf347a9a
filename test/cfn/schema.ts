import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec'
import type { Json, Template } from '../sandbox/cloudformation/template.ts'

const db = loadAwsServiceSpecSync()
const definitionOf = (id: string) => db.get('typeDefinition', id)

type Properties = ReturnType<typeof definitionOf>['properties']
type PropertyType = Properties[string]['type']

/** What the resources of a template have that CloudFormation does not know, or lack what it requires. */
export function schemaFaults({ Resources }: Template): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const [found] = db.lookup('resource', 'cloudFormationType', 'equals', Type)
    if (found === undefined) return [`${id}: there is no resource type ${Type}`]
    const faults = membersFaults(id, found.properties, Properties)
    const { tagInformation } = found
    if (tagInformation?.tagPropertyName !== undefined && !isTagged(Properties[tagInformation.tagPropertyName]))
      faults.push(`${id} has no tag prestage:stack`)
    return faults
  })
}

const isTagged = (tags: Json | undefined): boolean => JSON.stringify(tags ?? null).includes('"prestage:stack"')

function membersFaults(path: string, properties: Properties, value: Readonly<Record<string, Json>>): string[] {
  const missing = Object.entries(properties).filter(([name, { required }]) => required && !Object.hasOwn(value, name))
  return [
    ...missing.map(([name]) => `${path}.${name} is required`),
    ...Object.entries(value).flatMap(([name, part]) => {
      const property = properties[name]
      return property === undefined
        ? [`${path} has no property ${name}`]
        : faults(`${path}.${name}`, property.type, part)
    }),
  ]
}

/** Values that are known only in an account are not looked into; both sides of an `Fn::If` are. */
function faults(path: string, type: PropertyType, value: Json): string[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const [[name = '', argument = null] = []] = Object.entries(value)
    if (name === 'Fn::If') return (argument as Json[]).slice(1).flatMap((side) => faults(path, type, side))
    if (name === 'Ref' || name.startsWith('Fn::')) return []
  }
  switch (type.type) {
    case 'string':
      return typeof value === 'string' || typeof value === 'number'
        ? oneOf(path, type.allowedValues, value)
        : [`${path} is no text`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is neither true nor false`]
    case 'integer':
    case 'number':
      return typeof value === 'number' ? [] : [`${path} is no number`]
    case 'array':
      if (!Array.isArray(value)) return [`${path} is no list`]
      return value.flatMap((item, i) => faults(`${path}[${i}]`, type.element, item))
    case 'ref':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no structure`]
      return membersFaults(path, definitionOf(type.reference.$ref).properties, value)
    case 'union': {
      const each = type.types.map((one) => faults(path, one, value))
      return each.some((found) => found.length === 0) ? [] : (each.at(-1) ?? [])
    }
    default:
      return []
  }
}

const oneOf = (path: string, allowed: readonly string[] | undefined, value: string | number): string[] =>
  allowed === undefined || allowed.includes(String(value)) ? [] : [`${path} ${value} is none of ${allowed.join(', ')}`]
