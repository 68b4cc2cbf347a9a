import { type Branch, keyParser, type Layout, type ParsedKey } from './layout.ts'
import { knownSources } from './registry.ts'
import type { Source } from './source.ts'
import { renderTemplate } from './template.ts'

/** Whether the keys of several branches lie in one folder: only the keys tell which branches there are. */
export const isFlat = ({ path, timed }: Layout): boolean =>
  path === '' && !timed.includes('/') && /\{[^}]*\}.*\{yyyy\}/.test(timed)

/** What precedes the time in the keys of a flat branch. */
export const flatPrefix = ({ layout, path, variables }: Branch): string =>
  path + renderTemplate(layout.timed.slice(0, layout.timed.indexOf('{yyyy}')), variables, new Date(0))

/** Sorts after every key that begins with the text before it. */
const LAST = '\u{10ffff}'

/** A parser for the keys of one flat branch: others may have the same beginning. */
export function flatParser(branch: Branch): (key: string) => ParsedKey | undefined {
  const parse = keyParser(branch.layout)
  const prefix = flatPrefix(branch)
  return (key) => {
    const parsed = parse(key)
    if (parsed === undefined) return undefined
    return flatPrefix({ ...branch, path: parsed.root, variables: parsed.variables }) === prefix ? parsed : undefined
  }
}

/** The keys of flat layouts that listings with a delimiter meet. */
export interface FlatKeys {
  /** Takes note of a key, and returns up to where the keys of its branch and year reach. */
  readonly pass: (key: string) => string | undefined
  /** The branches that keys were met of. */
  branches(): Branch[]
}

/** For a source, and for all that are known: whatever is looked for, a folder of many flat keys is not to be read. */
export function flatKeys(source: Pick<Source, 'layouts'>): FlatKeys {
  const layouts = new Set([source, ...knownSources()].flatMap((one) => one.layouts).filter(isFlat))
  const parsers = [...layouts].map((layout) => ({ layout, parse: keyParser(layout) }))
  const found = new Map<string, Branch>()
  const pass = (key: string): string | undefined => {
    for (const { layout, parse } of parsers) {
      const parsed = parse(key)
      if (parsed === undefined) continue
      const branch = { layout, path: parsed.root, variables: parsed.variables }
      const prefix = flatPrefix(branch)
      found.set(`${layout.id} ${prefix}`, branch)
      return prefix + yearOf(layout, parsed.time) + LAST
    }
    return undefined
  }
  return { pass, branches: () => [...found.values()] }
}

/** The year as keys have it, with what follows it: a folder of that name is something else. */
const yearOf = ({ timed }: Layout, time: Date): string =>
  renderTemplate(/\{yyyy\}[^{]*/.exec(timed)?.[0] ?? '', {}, time)
