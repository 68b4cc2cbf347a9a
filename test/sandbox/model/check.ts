import { type Element, parseXml } from '../xml.ts'
import type { Member, Operation, Shape } from './shape.ts'

/** What is wrong with a value by its shape, as sentences that start with the path of the offending part. */
export function checkValue(shape: Shape, value: unknown, path = shape.name): string[] {
  if (shape.kind === 'structure') return checkStructure(shape, value, path)
  if (shape.kind === 'list') {
    if (!Array.isArray(value)) return [`${path} is not a list`]
    return [...range(shape, value.length, path), ...value.flatMap((v, i) => nested(shape, v, `${path}[${i}]`))]
  }
  if (shape.kind === 'map') {
    if (typeof value !== 'object' || value === null) return [`${path} is not a map`]
    const entries = Object.entries(value)
    return [...range(shape, entries.length, path), ...entries.flatMap(([k, v]) => nested(shape, v, `${path}.${k}`))]
  }
  return checkSimple(shape, value, path)
}

const nested = (shape: Shape, value: unknown, path: string): string[] =>
  shape.item ? checkValue(shape.item.shape(), value, path) : []

function checkStructure(shape: Shape, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is not a structure`]
  const given = Object.entries(value).filter(([, v]) => v !== undefined)
  const missing = shape.required.filter((name) => !given.some(([key]) => key === name))
  const problems = missing.map((name) => `${path}.${name} is required`)
  if (shape.union && given.length !== 1) problems.push(`${path} must have exactly one member`)
  for (const [key, part] of given) {
    const member = shape.members[key]
    if (member === undefined) problems.push(`${path}.${key} is not a member of ${shape.name}`)
    else problems.push(...checkValue(member.shape(), part, `${path}.${key}`))
  }
  return problems
}

function checkSimple(shape: Shape, value: unknown, path: string): string[] {
  switch (shape.kind) {
    case 'string': {
      if (typeof value !== 'string') return [`${path} is not a string: ${JSON.stringify(value)}`]
      const problems = range(shape, Array.from(value).length, path)
      if (shape.enum && !shape.enum.includes(value))
        problems.push(`${path} ${JSON.stringify(value)} is none of ${shape.enum.join(', ')}`)
      if (shape.pattern && !shape.pattern.test(value))
        problems.push(`${path} ${JSON.stringify(value)} does not match ${shape.pattern}`)
      return problems
    }
    case 'integer':
    case 'number':
      if (typeof value !== 'number' || Number.isNaN(value)) return [`${path} is not a number: ${JSON.stringify(value)}`]
      if (shape.kind === 'integer' && !Number.isInteger(value))
        return [`${path} is not an integer: ${JSON.stringify(value)}`]
      return range(shape, value, path)
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is not a boolean: ${JSON.stringify(value)}`]
    case 'timestamp':
      return Number.isNaN(timestamp(value)) ? [`${path} is not a time: ${JSON.stringify(value)}`] : []
    case 'blob':
      return typeof value === 'string' ? range(shape, Buffer.byteLength(value), path) : []
    default:
      return []
  }
}

const timestamp = (value: unknown): number =>
  typeof value === 'number' ? value : value instanceof Date ? value.getTime() : Date.parse(String(value))

function range({ min, max }: Shape, size: number, path: string): string[] {
  if (min !== undefined && size < min) return [`${path} is ${size}, less than ${min}`]
  if (max !== undefined && size > max) return [`${path} is ${size}, more than ${max}`]
  return []
}

/** A text from a header, a query or an element, as the type of its shape; unchanged when it is not one. */
function typed(shape: Shape, text: string): unknown {
  if (shape.kind === 'integer' || shape.kind === 'number') return text.trim() === '' ? text : Number(text)
  if (shape.kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

/** An element as the value of a shape. What the shape does not know is kept under its own name, to be found as unknown. */
function fromXml(shape: Shape, element: Element): unknown {
  if (shape.kind === 'structure') return members(shape, element.children)
  if (shape.kind === 'list' && shape.item) return named(shape.item, element.children)
  if (shape.kind === 'map')
    return Object.fromEntries(element.children.map((e) => [e.children[0]?.text, e.children[1]?.text]))
  return element.children.length > 0 ? element : typed(shape, element.text)
}

const items = (item: Member, elements: readonly Element[]): unknown[] => elements.map((e) => fromXml(item.shape(), e))

const named = (item: Member, elements: readonly Element[]): unknown[] =>
  elements.map((e) => (e.name === item.wire ? fromXml(item.shape(), e) : { [e.name]: e }))

function members(shape: Shape, elements: readonly Element[]): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  const body = Object.entries(shape.members).filter(([, { place }]) => place === 'body')
  for (const name of new Set(elements.map((e) => e.name))) {
    const [key, member] = body.find(([, { wire }]) => wire === name) ?? []
    const same = elements.filter((e) => e.name === name)
    if (key === undefined || member === undefined) value[name] = same
    else if (member.flattened) value[key] = items(member.shape().item ?? member, same)
    else value[key] = same[0] && fromXml(member.shape(), same[0])
    if (member && !member.flattened && same.length > 1) value[`${name} (repeated)`] = same
  }
  return value
}

export interface Message {
  readonly query?: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string>>
  readonly uri?: Readonly<Record<string, string>>
  readonly body: string
  /** Members known to be there although they are not looked at, such as a streamed body. */
  readonly given?: Readonly<Record<string, unknown>>
}

/** Headers that belong to HTTP, to signing or to the SDK, not to an operation. */
const COMMON = {
  input:
    /^(?!x-amz-)|^x-amz-(date|content-sha256|security-token|user-agent|decoded-content-length|trailer|sdk-.*|checksum-(crc|sha).*)$/,
  output: /^(?!x-amz-)|^x-amz-(request-id|id-2|bucket-region)$/,
}

function outside(shape: Shape, common: RegExp, { query, headers, uri }: Message): [Record<string, unknown>, string[]] {
  const value: Record<string, unknown> = {}
  const known = new Set<string>()
  for (const [name, { place, wire, shape: of }] of Object.entries(shape.members)) {
    const key = place === 'header' ? wire.toLowerCase() : wire
    const text = place === 'query' ? query?.get(key) : place === 'header' ? headers[key] : undefined
    if (place === 'uri' && uri) value[name] = uri[wire] ?? uri[name]
    known.add(`${place} ${key}`)
    if (text !== undefined) value[name] = of().kind === 'list' ? text.split(',') : typed(of(), text)
  }
  const prefixes = Object.values(shape.members).filter(({ place }) => place === 'headers')
  const strange = [
    ...Object.keys(headers)
      .filter((h) => !common.test(h) && !known.has(`header ${h}`))
      .map((h) => `header ${h}`),
    ...[...(query?.keys() ?? [])].filter((q) => !known.has(`query ${q}`)).map((q) => `query parameter ${q}`),
  ].filter((what) => !prefixes.some(({ wire }) => what.startsWith(`header ${wire.toLowerCase()}`)))
  return [value, strange.map((what) => `${what} is unknown`)]
}

/** Check one side of an exchange with an XML body. `fixed` are query names of the operation's own address. */
export function checkXml(
  operation: Operation,
  side: 'input' | 'output',
  message: Message,
  fixed: string[] = [],
): string[] {
  const shape = operation[side]
  if (shape === undefined) return []
  const query = new Map([...(message.query ?? [])].filter(([name]) => !fixed.includes(name)))
  const [value, strange] = outside(shape, COMMON[side], { ...message, query })
  const payload = Object.entries(shape.members).find(([, { place }]) => place === 'payload')
  const inBody = payload !== undefined || Object.values(shape.members).some(({ place }) => place === 'body')
  if (message.body !== '' && payload?.[1].shape().kind !== 'blob') {
    if (!inBody) return [...strange, `a body where ${operation.name} has none`]
    try {
      const root = parseXml(message.body)
      strange.push(...(side === 'input' ? wrongRoot(operation, root) : []))
      if (payload) value[payload[0]] = fromXml(payload[1].shape(), root)
      else Object.assign(value, members(shape, root.children))
    } catch (error) {
      return [...strange, String(error)]
    }
  }
  return [...strange, ...checkValue(shape, { ...value, ...message.given })]
}

function wrongRoot({ inputRoot, namespace }: Operation, root: Element): string[] {
  const problems: string[] = []
  if (inputRoot !== undefined && root.name !== inputRoot) problems.push(`root is ${root.name}, not ${inputRoot}`)
  if (namespace !== undefined && root.attributes.xmlns !== namespace) problems.push(`namespace is not ${namespace}`)
  return problems
}
