/**
 * The layout language: how AWS names the objects of a log source.
 *
 * `path` holds the folders that identify a branch (account, region, …), found by listing with a delimiter; `{org?}/` may be absent.
 * `timed` is what follows: from there on keys sort by time, so a window is one range of keys. A variable in `timed` that `path`
 * does not have (a Firehose stream) ends that order: the range is then as exact as the part before it.
 * `tail` is the regular expression of the rest of the name.
 */
export interface Layout {
  readonly id: string
  readonly about: string
  readonly path: string
  readonly timed: string
  readonly tail: string
  readonly padding: Padding
}

/** Which key times may hold events of a window: `floor(from − before, unit) ≤ T ≤ to + after`. All in minutes. */
export interface Padding {
  readonly unit: number
  readonly before: number
  readonly after: number
  /** Hours after the window's end when late files are due and staging again is worth it. */
  readonly lateHours: number
}

export type Variables = Readonly<Record<string, string>>

/** A key taken apart. */
export interface ParsedKey {
  /** Everything before the layout: '' or a prefix with a trailing slash. */
  readonly root: string
  readonly variables: Variables
  readonly time: Date
}

const MINUTE = 60_000

const PATTERNS: Variables = {
  org: 'o-[a-z0-9]+',
  account: '\\d{10,12}',
  region: '[a-z0-9-]+',
  acl: '[^/]+',
  stream: '[^/]+?',
  version: '\\d+',
  trail: '[\\w.-]+?',
  home: '[a-z0-9-]+',
  yyyy: '\\d{4}',
  MM: '\\d{2}',
  dd: '\\d{2}',
  HH: '\\d{2}',
  mm: '\\d{2}',
  ss: '\\d{2}',
}
const TIME_FIELDS = ['yyyy', 'MM', 'dd', 'HH', 'mm', 'ss'] as const

/** Whether a name can be the value of a variable. */
export const matchesVariable = (variable: string, name: string): boolean =>
  new RegExp(`^(?:${PATTERNS[variable] ?? '[^/]+'})$`).test(name)

/** A parser for full keys of a layout; keys that are not exactly of it give undefined. */
export function keyParser(layout: Layout): (key: string) => ParsedKey | undefined {
  const pattern = new RegExp(`^(?<root>(?:.*/)?)${expression(layout.path + layout.timed)}${layout.tail}$`, 's')
  return (key) => parsed(pattern.exec(key))
}

/** A parser that looks at the object's name alone, for logs that were copied out of their folders. */
export function nameParser(layout: Layout): (key: string) => ParsedKey | undefined {
  const name = layout.timed.slice(layout.timed.lastIndexOf('/') + 1)
  const pattern = new RegExp(`^(?<root>(?:.*/)?)${expression(name)}${layout.tail}$`, 's')
  return (key) => parsed(pattern.exec(key))
}

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
  const group = `(?<${name}>${PATTERNS[name]})${slash}`
  return isOptional ? `(?:${group})?` : group
}

function expression(template: string): string {
  const seen = new Set<string>()
  return piecesOf(template)
    .map((piece) => {
      const pattern = expressionOf(piece, seen)
      if ('name' in piece) seen.add(piece.name)
      return pattern
    })
    .join('')
}

function parsed(match: RegExpExecArray | null): ParsedKey | undefined {
  const groups = match?.groups
  if (groups === undefined) return undefined
  const { root = '', ...rest } = groups
  const [yyyy = 0, MM = 1, dd = 1, HH = 0, mm = 0, ss = 0] = TIME_FIELDS.map((field) =>
    rest[field] === undefined ? undefined : Number(rest[field]),
  )
  const time = new Date(Date.UTC(yyyy, MM - 1, dd, HH, mm, ss))
  // 31 February and 00:75 are no times: Date would roll them over.
  if (Number.isNaN(time.getTime())) return undefined
  const fields = timeFields(time)
  if (TIME_FIELDS.some((field) => rest[field] !== undefined && rest[field] !== fields[field])) return undefined
  const named = Object.entries(rest).filter(([name, value]) => value !== undefined && !isTimeField(name))
  return { root, variables: Object.fromEntries(named), time }
}

const isTimeField = (name: string): boolean => (TIME_FIELDS as readonly string[]).includes(name)

const timeFields = (time: Date): Variables => {
  const iso = time.toISOString()
  return {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
  }
}

/** Renders a template with these variables and time; stops before the first variable that has no value. */
export function renderTemplate(template: string, variables: Variables, time: Date): string {
  const values: Variables = { ...variables, ...timeFields(time) }
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

/** First and last key time that may hold events of `[from, to)`, both inclusive. */
export function paddedSpan(padding: Padding, window: { from: Date; to: Date }): { first: Date; last: Date } {
  const unit = padding.unit * MINUTE
  return {
    first: new Date(Math.floor((window.from.getTime() - padding.before * MINUTE) / unit) * unit),
    last: new Date(window.to.getTime() + padding.after * MINUTE),
  }
}

/** Sorts after every key that begins with the text before it. */
const LAST = '\u{10ffff}'

/** The range of keys below a branch that may hold events of the window; both ends exclusive, as `startAfter` is. */
export function keyRange(
  layout: Layout,
  branch: { path: string; variables: Variables },
  window: { from: Date; to: Date },
): { startAfter: string; endBefore: string } {
  const { first, last } = paddedSpan(layout.padding, window)
  return {
    startAfter: branch.path + renderTemplate(layout.timed, branch.variables, first),
    endBefore: branch.path + renderTemplate(layout.timed, branch.variables, last) + LAST,
  }
}

/** The events that a key of this time is read for: those of `[from, to)`. The inverse of `paddedSpan`. */
export function eventSpan(padding: Padding, time: Date): { from: Date; to: Date } {
  const unit = padding.unit * MINUTE
  return {
    from: new Date(time.getTime() - padding.after * MINUTE),
    to: new Date((Math.floor(time.getTime() / unit) + 1) * unit + padding.before * MINUTE),
  }
}

/** Whether a key of this time may hold events of the window. */
export function mayHold(padding: Padding, window: { from: Date; to: Date }, time: Date): boolean {
  const { first, last } = paddedSpan(padding, window)
  return time >= first && time <= last
}
