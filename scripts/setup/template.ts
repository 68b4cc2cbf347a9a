import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'

type Json = null | boolean | number | string | Json[] | Members
type Members = { [name: string]: Json }

const TEMPLATE = new URL('../../cfn/prestage.yaml', import.meta.url)

/** The template of this version. */
export const shippedTemplate = (): Promise<string> => readFile(TEMPLATE, 'utf8')

/**
 * Names of the resources and outputs that two templates make differently under these parameters, in order. Comments, descriptions and
 * parts whose condition does not hold make nothing: to CloudFormation they are no change either.
 */
export function differences(a: string, b: string, parameters: Readonly<Record<string, string>>): string[] {
  if (plain(a) === plain(b)) return []
  const [before, after] = [madeBy(a, parameters), madeBy(b, parameters)]
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => !isDeepStrictEqual(before.get(name), after.get(name))).sort()
}

const plain = (text: string): string => text.replace(/\r\n?/g, '\n').trimEnd()

/** Long form of a function: `!Ref a` is `{ Ref: a }`, `!GetAtt a.b` is `{ 'Fn::GetAtt': ['a', 'b'] }`. */
function longForm(name: string, value: Json): Json {
  if (name === 'Ref' || name === 'Condition') return { [name]: value }
  return { [`Fn::${name}`]: name === 'GetAtt' && typeof value === 'string' ? value.split('.') : value }
}

const FUNCTIONS = ['Ref', 'Condition', 'GetAtt', 'Sub', 'If', 'Join', 'Equals', 'Not', 'And', 'Or', 'FindInMap']

const customTags = FUNCTIONS.flatMap((name) => [
  { tag: `!${name}`, resolve: (text: string) => longForm(name, text) },
  {
    tag: `!${name}`,
    collection: 'seq' as const,
    resolve: (items: { toJSON(): unknown }) => longForm(name, items.toJSON() as Json),
  },
])

type Section = Record<string, Members>

interface Template {
  readonly Parameters?: Section
  readonly Conditions?: Members
  readonly Mappings?: Record<string, Section>
  readonly Resources: Section
  readonly Outputs?: Section
}

/** Resources and outputs by name, as far as parameters and conditions decide them. */
function madeBy(text: string, given: Readonly<Record<string, string>>): Map<string, Json | undefined> {
  const template = parse(text, { customTags, logLevel: 'error' }) as Template
  const { Parameters = {}, Resources, Outputs = {} } = template
  const parameters = Object.fromEntries(
    Object.entries(Parameters).map(([name, { Default = '' }]) => [name, given[name] ?? String(Default)]),
  )
  const resolved = resolver(template, parameters)
  const made = ({ Condition, Description: _, ...rest }: Members): Json | undefined =>
    Condition === undefined || resolved({ Condition }) === true ? resolved(rest) : undefined
  return new Map(Object.entries({ ...Outputs, ...Resources }).map(([name, part]) => [name, made(part)]))
}

/** Texts that follow each other are one, however they were cut. */
function joined(separator: string, items: readonly Json[]): Json {
  const parts: Json[] = []
  for (const item of items) {
    const last = parts.at(-1)
    if (typeof last === 'string' && typeof item === 'string') parts[parts.length - 1] = `${last}${separator}${item}`
    else parts.push(item)
  }
  const [only = ''] = parts
  return parts.length > 1 || typeof only !== 'string' ? { 'Fn::Join': [separator, parts] } : only
}

/** Of what is known only in an account the functions stay as they are; undefined is AWS::NoValue. */
function resolver({ Conditions = {}, Mappings = {} }: Template, parameters: Readonly<Record<string, string>>) {
  const holds = (condition: Json | undefined): boolean => resolved(condition ?? null) === true
  const each = (argument: Json): Json[] => resolved(argument) as Json[]
  const functions: Readonly<Record<string, (argument: Json) => Json | undefined>> = {
    Ref: (name) => (name === 'AWS::NoValue' ? undefined : (parameters[String(name)] ?? { Ref: name })),
    Condition: (name) => holds(Conditions[String(name)]),
    'Fn::If': (argument) => {
      const [condition = '', yes = null, no = null] = argument as Json[]
      return resolved(holds(Conditions[String(condition)]) ? yes : no)
    },
    'Fn::Equals': (argument) => {
      const [a = null, b = null] = each(argument)
      return isDeepStrictEqual(a, b)
    },
    'Fn::Not': (argument) => each(argument)[0] !== true,
    'Fn::And': (argument) => each(argument).every((one) => one === true),
    'Fn::Or': (argument) => each(argument).some((one) => one === true),
    'Fn::Join': (argument) => {
      const [separator = '', items = null] = each(argument)
      // A list among the parameters is a text already.
      return Array.isArray(items) ? joined(String(separator), items) : items
    },
    'Fn::FindInMap': (argument) => {
      const [map = '', first = '', second = ''] = each(argument).map(String)
      return Mappings[map]?.[first]?.[second] ?? { 'Fn::FindInMap': argument }
    },
  }
  function resolved(node: Json): Json | undefined {
    if (Array.isArray(node)) return node.map(resolved).filter((item) => item !== undefined)
    if (typeof node !== 'object' || node === null) return node
    const [[name = '', argument = null] = [], ...more] = Object.entries(node)
    if (more.length === 0 && Object.hasOwn(functions, name)) return functions[name]?.(argument)
    const members = Object.entries(node).map(([key, value]) => [key, resolved(value)] as const)
    return Object.fromEntries(members.filter((member): member is [string, Json] => member[1] !== undefined))
  }
  return resolved
}
