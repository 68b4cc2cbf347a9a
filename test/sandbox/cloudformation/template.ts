import { parse } from 'yaml'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type Members = { [name: string]: Json }

export interface Resource {
  readonly Type: string
  readonly Properties?: Members
  readonly Condition?: string
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly DependsOn?: string | string[]
}

export interface Parameter {
  readonly Type: string
  readonly Default?: string | number
  readonly AllowedValues?: readonly (string | number)[]
  readonly AllowedPattern?: string
  readonly ConstraintDescription?: string
  readonly MinValue?: number
  readonly MaxValue?: number
  readonly Description?: string
}

export interface Template {
  readonly Description?: string
  readonly Parameters?: Readonly<Record<string, Parameter>>
  readonly Conditions?: Members
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Members>>>>
  readonly Resources: Readonly<Record<string, Resource>>
  readonly Outputs?: Readonly<Record<string, { readonly Value: Json; readonly Condition?: string }>>
}

const SHORT = [
  'Ref',
  'Condition',
  'Sub',
  'GetAtt',
  'If',
  'Join',
  'Equals',
  'Not',
  'And',
  'Or',
  'FindInMap',
  'Select',
  'Split',
]

const longName = (name: string): string => (name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`)

const longForm = (name: string, value: unknown) => ({
  [longName(name)]: name === 'GetAtt' && typeof value === 'string' ? value.split('.') : value,
})

const customTags = SHORT.flatMap((name) => [
  { tag: `!${name}`, resolve: (text: string) => longForm(name, text) },
  {
    tag: `!${name}`,
    collection: 'seq' as const,
    resolve: (items: { toJSON(): unknown }) => longForm(name, items.toJSON()),
  },
])

const templates = new Map<string, Template>()

/** A template with its short forms (`!Ref`) written out. @throws Error when it is no YAML */
export function parseTemplate(text: string): Template {
  // Parsing takes a tenth of a second, and most sandboxes are given the same text.
  const parsed = templates.get(text) ?? (parse(text, { customTags, logLevel: 'error' }) as Template)
  templates.set(text, parsed)
  return structuredClone(parsed)
}

/** Values for the parts of a template that only an account knows. */
export interface Values {
  readonly parameters: Readonly<Record<string, string>>
  /** `AWS::Region` and its like. */
  readonly pseudo: Readonly<Record<string, string>>
  /** The value of `Ref` for a resource. */
  ref(id: string): string | undefined
  att(id: string, name: string): string | undefined
}

const NONE = Symbol('AWS::NoValue')

/** Resolves intrinsic functions; members that come to AWS::NoValue are left out. */
export class Resolver {
  readonly #template: Template
  readonly #values: Values

  constructor(template: Template, values: Values) {
    this.#template = template
    this.#values = values
  }

  /** Whether the condition of a resource or an output holds. */
  holds(condition: string | undefined): boolean {
    if (condition === undefined) return true
    const found = this.#template.Conditions?.[condition]
    if (found === undefined) throw new Error(`unresolved condition ${condition}`)
    return this.value(found) === true
  }

  value(node: Json): Json {
    const resolved = this.#resolve(node)
    return resolved === NONE ? null : resolved
  }

  #resolve(node: Json): Json | typeof NONE {
    if (Array.isArray(node)) return node.map((item) => this.#resolve(item)).filter((item) => item !== NONE)
    if (typeof node !== 'object' || node === null) return node
    const [[name = '', argument = null] = []] = Object.entries(node)
    if (Object.keys(node).length === 1 && Object.hasOwn(this.#functions, name))
      return this.#functions[name]?.(argument) ?? null
    const members = Object.entries(node).map(([key, value]) => [key, this.#resolve(value)] as const)
    return Object.fromEntries(members.filter((member): member is [string, Json] => member[1] !== NONE))
  }

  readonly #functions: Readonly<Record<string, (argument: Json) => Json | typeof NONE>> = {
    Ref: (name) => this.#ref(String(name)),
    Condition: (name) => this.holds(String(name)),
    'Fn::GetAtt': (path) => {
      const [id = '', ...rest] = path as string[]
      return this.#att(id, rest.join('.'))
    },
    'Fn::Sub': (argument) => {
      const [text, own] = Array.isArray(argument)
        ? [String(argument[0]), argument[1] as Members]
        : [String(argument), {}]
      return text.replace(/\$\{([^!}]+)\}/g, (_, name: string) => {
        if (Object.hasOwn(own, name)) return String(this.value(own[name] ?? ''))
        const [id = '', ...rest] = name.split('.')
        return String(rest.length === 0 ? this.#ref(id) : this.#att(id, rest.join('.')))
      })
    },
    'Fn::Join': (argument) => {
      const [separator, items] = argument as [string, Json]
      return (this.value(items) as Json[]).join(separator)
    },
    'Fn::If': (argument) => {
      const [condition, yes = null, no = null] = argument as [string, Json, Json]
      return this.#resolve(this.holds(condition) ? yes : no)
    },
    'Fn::Equals': (argument) => {
      const [a, b] = this.value(argument) as [Json, Json]
      return String(a) === String(b)
    },
    'Fn::Not': (argument) => (this.value(argument) as Json[])[0] !== true,
    'Fn::And': (argument) => (this.value(argument) as Json[]).every((item) => item === true),
    'Fn::Or': (argument) => (this.value(argument) as Json[]).some((item) => item === true),
    'Fn::FindInMap': (argument) => {
      const [map = '', first = '', second = ''] = this.value(argument) as string[]
      const found = this.#template.Mappings?.[map]?.[first]?.[second]
      if (found === undefined) throw new Error(`nothing in mapping ${map}.${first}.${second}`)
      return found
    },
  }

  #ref(name: string): Json | typeof NONE {
    if (name === 'AWS::NoValue') return NONE
    const parameter = this.#template.Parameters?.[name]
    if (parameter !== undefined) {
      const given = this.#values.parameters[name] ?? String(parameter.Default ?? '')
      return parameter.Type === 'CommaDelimitedList' ? given.split(',').map((item) => item.trim()) : given
    }
    const found = this.#values.pseudo[name] ?? this.#values.ref(name)
    if (found === undefined) throw new Error(`Unresolved resource dependencies [${name}]`)
    return found
  }

  #att(id: string, name: string): string {
    const found = this.#values.att(id, name)
    if (found === undefined) throw new Error(`${id} has no attribute ${name}`)
    return found
  }
}
