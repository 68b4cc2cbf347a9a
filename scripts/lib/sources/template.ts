import { offsetAt } from './zone.ts'

// Templates of keys: `AWSLogs/{org?}/{account}/` is text with variables in braces, and what ends in ? may be absent with its slash.

export type Variables = Readonly<Record<string, string>>

const PATTERNS: Variables = {
  org: 'o-[a-z0-9]+',
  account: '\\d{10,12}',
  region: '[a-z0-9-]+',
  acl: '[^/]+',
  vpc: 'vpc-[0-9a-z]+',
  balancer: '[^_/]+',
  flow: 'fl-[0-9a-f]+',
  bucket: '[a-z0-9.-]+',
  stem: '[^/]*?',
  distribution: '[A-Z0-9]+',
  node: '[0-9a-fA-F.:]+',
  stream: '[^/]+?',
  version: '\\d+',
  trail: '[\\w.-]+?',
  home: '[a-z0-9-]+',
  yyyy: '\\d{4}',
  MM: '\\d{2}',
  dd: '\\d{2}',
  M: '[1-9]\\d?',
  d: '[1-9]\\d?',
  HH: '\\d{2}',
  mm: '\\d{2}',
  ss: '\\d{2}',
  hour: 'hour=\\d{2}',
  Dyyyy: '\\d{4}',
  DMM: '\\d{2}',
  Ddd: '\\d{2}',
  DHH: '\\d{2}',
  Dhour: 'hour=\\d{2}',
}
export const TIME_FIELDS = ['yyyy', 'MM', 'dd', 'M', 'd', 'HH', 'mm', 'ss', 'hour'] as const
/** The date of delivery, and its hour. */
const DATE_FIELDS = ['Dyyyy', 'DMM', 'Ddd', 'DHH', 'Dhour'] as const
/** Any other variable is part of a name. */
const ANYTHING = '[^/]+?'

/** Whether a variable is part of the time. */
export const isTimeField = (name: string): boolean =>
  ([...TIME_FIELDS, ...DATE_FIELDS] as readonly string[]).includes(name)

/** Whether a variable can have any value, so that a folder's name does not tell whether it is one. */
export const isFree = (name: string): boolean => (PATTERNS[name] ?? ANYTHING).startsWith('[^/]')

/** Whether a name can be the value of a variable. */
export const matchesVariable = (variable: string, name: string): boolean =>
  new RegExp(`^(?:${PATTERNS[variable] ?? ANYTHING})$`).test(name)

/** A part of a template: text that stands there, or a variable. */
export type Piece =
  | { readonly text: string }
  | { readonly name: string; readonly isOptional: boolean; readonly slash: '' | '/' }

/** Takes a template apart. */
export const piecesOf = (template: string): Piece[] =>
  template
    .split(/(\{\w+\??\}\/?)/)
    .filter((piece) => piece !== '')
    .map((piece) => {
      const match = /^\{(\w+)(\??)\}(\/?)$/.exec(piece)
      if (match === null) return { text: piece }
      const [, name = '', optional, slash] = match
      return { name, isOptional: optional === '?', slash: slash === '/' ? '/' : '' }
    })

/** The regular expression of a piece. @param seen the variables before it, which have their value already */
export function expressionOf(piece: Piece, seen: ReadonlySet<string>): string {
  if ('text' in piece) return piece.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const { name, isOptional, slash } = piece
  if (seen.has(name)) return `\\k<${name}>${slash}`
  const pattern = PATTERNS[name] ?? ANYTHING
  // A reference to a group that is absent matches nothing at all, so such values are compared afterwards.
  return isOptional ? `(?:(?<${OPTIONAL}${name}>${pattern})${slash})?` : `(?<${name}>${pattern})${slash}`
}

/** Begins the groups of what may be absent. */
const OPTIONAL = 'optional_'

/** The regular expression of a whole template, with a named group for each variable. */
export function expressionOfTemplate(template: string): string {
  const seen = new Set<string>()
  return piecesOf(template)
    .map((piece) => {
      const pattern = expressionOf(piece, seen)
      if ('name' in piece && !piece.isOptional) seen.add(piece.name)
      return pattern
    })
    .join('')
}

/** Values by the names of their variables, from the groups of `expressionOfTemplate`; undefined when a value that may be absent contradicts its repetition. */
export function variablesOf(groups: Readonly<Record<string, string | undefined>>): Variables | undefined {
  const values: Record<string, string> = {}
  for (const [group, value] of Object.entries(groups)) {
    if (value === undefined) continue
    const name = group.startsWith(OPTIONAL) ? group.slice(OPTIONAL.length) : group
    if (values[name] !== undefined && values[name] !== value) return undefined
    values[name] = value
  }
  return values
}

/** The fields of a time, as the clocks of a zone show it. */
export const timeFields = (time: Date, zone: string | undefined): Variables => {
  const iso = new Date(time.getTime() + offsetAt(zone, time.getTime())).toISOString()
  const [yyyy, MM, dd] = [iso.slice(0, 4), iso.slice(5, 7), iso.slice(8, 10)]
  const [HH, hour] = [iso.slice(11, 13), `hour=${iso.slice(11, 13)}`]
  return {
    ...{ Dyyyy: yyyy, DMM: MM, Ddd: dd, DHH: HH, Dhour: hour },
    ...{ yyyy, MM, dd, M: String(Number(MM)), d: String(Number(dd)) },
    ...{ HH, mm: iso.slice(14, 16), ss: iso.slice(17, 19), hour },
  }
}

/** Renders a template with these variables and time; stops before the first variable that has no value. */
export function renderTemplate(template: string, variables: Variables, time: Date, zone?: string): string {
  const values: Variables = { ...variables, ...timeFields(time, zone) }
  let text = ''
  for (const piece of piecesOf(template)) {
    if ('text' in piece) text += piece.text
    else {
      const value = values[piece.name]
      if (value !== undefined) text += value + piece.slash
      else if (!piece.isOptional) return text
    }
  }
  return text
}

/** From the largest to the smallest. */
const ORDER = ['yyyy', 'MM', 'dd', 'HH', 'mm', 'ss']

/** The start of a template up to which the order of keys is that of their times. */
export function sortedPart(template: string): string {
  let sorted = ''
  let next = 0
  for (const piece of piecesOf(template)) {
    if ('text' in piece) sorted += piece.text
    else {
      const place = ORDER.indexOf(piece.name.replace(/^D/, ''))
      if (isTimeField(piece.name) && (piece.isOptional || place === -1 || place > next)) return sorted
      if (place === next) next += 1
      sorted += `{${piece.name}${piece.isOptional ? '?' : ''}}${piece.slash}`
    }
  }
  return sorted
}
