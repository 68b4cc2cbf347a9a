import type { Lister } from '../lib/sources/discover.ts'

/** Years, months, days as AWS writes them; names outside of these ranges are something else. */
const LEVELS = [/^\d{4}$/, /^(?:0[1-9]|1[0-2])$/, /^(?:0[1-9]|[12]\d|3[01])$/] as const

/** First and last day below a path, found by descending years, months and days. `2026-03-02`. */
export async function daysOf(lister: Lister, path: string): Promise<{ first: string; last: string } | undefined> {
  const first = await edgeDay(lister, path, 0, (children) => children)
  const last = first && (await edgeDay(lister, path, 0, (children) => children.toReversed()))
  return first === undefined || last === undefined ? undefined : { first, last }
}

type Order = (children: string[]) => string[]

/** Falls back to the neighbour where a year or month turns out to have no day in it. */
async function edgeDay(lister: Lister, path: string, level: number, order: Order): Promise<string | undefined> {
  const names = (await lister.prefixes({ prefix: path }))
    .map((child) => child.slice(path.length, -1))
    .filter((name) => LEVELS[level]?.test(name))
  for (const name of order(names)) {
    const rest = level === 2 ? '' : await edgeDay(lister, `${path}${name}/`, level + 1, order)
    if (rest !== undefined) return rest === '' ? name : `${name}-${rest}`
  }
  return undefined
}

/** Asks for every prefix once, and sees only what lies below the base or on the way to it. */
export function remembering(lister: Lister, base: string): Lister {
  const known = new Map<string, Promise<string[]>>()
  const ask = async (prefix: string) =>
    (await lister.prefixes({ prefix })).filter((child) => child.startsWith(base) || base.startsWith(child))
  return {
    prefixes: ({ prefix }) => {
      const found = known.get(prefix) ?? ask(prefix)
      known.set(prefix, found)
      return found
    },
  }
}
