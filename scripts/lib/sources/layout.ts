import {
  expressionOfTemplate,
  isTimeField,
  renderTemplate,
  sortedPart,
  TIME_FIELDS,
  timeFields,
  type Variables,
  variablesOf,
} from './template.ts'
import { momentOf } from './zone.ts'

/**
 * The layout language: how AWS names the objects of a log source.
 *
 * `path` holds the folders that identify a branch (account, region, …), found by listing with a delimiter; `{org?}/` may be absent.
 * A folder may mix text and variables: `year={yyyy}/`, `aws-account-id={account}/`.
 * `timed` is what follows: from there on keys sort by time, so a window is one range of keys. A variable in `timed` that `path`
 * does not have (a Firehose stream) ends that order: the range is then as exact as the part before it. So do a folder that may be
 * absent, `{HH?}/` or `{hour?}/` of the form `hour=16`, and numbers without leading zeros, `{M}` and `{d}`.
 * `{Dyyyy}/{DMM}/{Ddd}`, and `{DHH?}/`, is the date of delivery, which the name does not repeat: see `Padding.tail`.
 * `tail` is the regular expression of the rest of the name.
 */
export interface Layout {
  readonly id: string
  readonly about: string
  readonly path: string
  readonly timed: string
  readonly tail: string
  readonly padding: Padding
  /**
   * Where whoever sets it up chooses the folders before `path`: those of AWS that come before them when no other prefix is given. They
   * hold the account.
   */
  readonly below?: readonly string[]
  /** Time zone of the times in its keys, of the IANA database; UTC where it is absent. */
  readonly zone?: string
}

/**
 * Which key times may hold events of a window: `floor(from − before, unit) ≤ T ≤ to + after`. All in minutes. In a zone where an hour
 * of autumn exists twice, T is the first one, so `before` needs an hour more.
 */
export interface Padding {
  readonly unit: number
  readonly before: number
  readonly after: number
  /** Days by which the date of a key's folder may be later than the time in its name. */
  readonly tail?: number
  /** Minutes after an event until it has normally been delivered, where that is not `after`. */
  readonly settles?: number
  /** Hours after the window's end when late files are due and staging again is worth it. */
  readonly lateHours: number
}

/** One account, region, … of a layout: below `path`, keys sort by time. */
export interface Branch {
  readonly layout: Layout
  readonly path: string
  readonly variables: Variables
}

/** A key taken apart. */
export interface ParsedKey {
  /** Everything before the layout: '' or a prefix with a trailing slash. */
  readonly root: string
  readonly variables: Variables
  readonly time: Date
}

const MINUTE = 60_000

/** A parser for full keys of a layout; keys that are not exactly of it give undefined. */
export function keyParser(layout: Layout): (key: string) => ParsedKey | undefined {
  const pattern = new RegExp(
    `^(?<root>(?:.*/)?)${expressionOfTemplate(layout.path + layout.timed)}${layout.tail}$`,
    's',
  )
  const known = rootParser(layout)
  return (key) => {
    const found = parsed(pattern.exec(key), layout.zone)
    return found && { ...found, variables: { ...known(found.root), ...found.variables } }
  }
}

/** A parser for what precedes a layout: the variables of the folders that it may lie below. */
export function rootParser({ below = [] }: Pick<Layout, 'below'>): (root: string) => Variables {
  const patterns = below.map((folders) => new RegExp(`^(?:.*/)?${expressionOfTemplate(folders)}`, 's'))
  return (root) => Object.assign({}, ...patterns.map((pattern) => pattern.exec(root)?.groups))
}

/** A parser that looks at the object's name alone, for logs that were copied out of their folders. */
export function nameParser(layout: Layout): (key: string) => ParsedKey | undefined {
  const name = layout.timed.slice(layout.timed.lastIndexOf('/') + 1)
  // A name without a time tells nothing.
  if (!name.includes('{yyyy}')) return () => undefined
  const pattern = new RegExp(`^(?<root>(?:.*/)?)${expressionOfTemplate(name)}${layout.tail}$`, 's')
  return (key) => parsed(pattern.exec(key), layout.zone)
}

function parsed(match: RegExpExecArray | null, zone: string | undefined): ParsedKey | undefined {
  if (match?.groups === undefined) return undefined
  const { root = '', ...groups } = match.groups
  const values = variablesOf(groups)
  if (values === undefined) return undefined
  const [yyyy = 0, MM, dd, M = 1, d = 1, HH = 0, mm = 0, ss = 0] = TIME_FIELDS.map((field) =>
    values[field] === undefined ? undefined : Number(values[field]),
  )
  const moment = momentOf(zone, Date.UTC(yyyy, (MM ?? M) - 1, dd ?? d, HH, mm, ss))
  if (moment === undefined || Number.isNaN(moment)) return undefined
  const time = new Date(moment)
  // 31 February and 00:75 are no times: Date would roll them over.
  const fields = timeFields(time, zone)
  if (TIME_FIELDS.some((field) => values[field] !== undefined && values[field] !== fields[field])) return undefined
  const named = Object.entries(values).filter(([name]) => !isTimeField(name))
  return { root, variables: Object.fromEntries(named), time }
}

/** Most of what the clocks of a zone are turned by in spring and autumn, so far apart key times may be out of order. */
const TURNED = 60

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
  const turned = layout.zone === undefined ? 0 : TURNED * MINUTE
  const rendered = (time: number): string =>
    branch.path + renderTemplate(sortedPart(layout.timed), branch.variables, new Date(time), layout.zone)
  return {
    startAfter: rendered(first.getTime() - turned),
    endBefore: rendered(last.getTime() + turned + (layout.padding.tail ?? 0) * 1440 * MINUTE) + LAST,
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
