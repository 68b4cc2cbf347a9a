import pMap from 'p-map'
import type { DiscoverOptions, Lister } from '../lib/sources/discover.ts'
import { flatParser, flatPrefix, isFlat } from '../lib/sources/flat.ts'
import { type Branch, keyParser, type Layout } from '../lib/sources/layout.ts'
import { expressionOfTemplate, isTimeField, type Piece, piecesOf, renderTemplate } from '../lib/sources/template.ts'
import type { Store } from '../lib/stores/store.ts'

/** One account, region, web ACL, … of a source. */
export interface BranchDays {
  /** Prefix below which its logs lie. */
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
  readonly first: string
  readonly last: string
}

/** Branches with the days of their keys; those that have none, or only what belongs to something else, are left out. */
export async function datedBranches(
  store: Store,
  lister: Lister,
  branches: readonly Branch[],
  { concurrency, signal }: DiscoverOptions,
): Promise<BranchDays[]> {
  const dated = async (branch: Branch): Promise<BranchDays[]> => {
    const { path, variables } = branch
    const folders = dayFolders(branch.layout)
    const edges = await (isFlat(branch.layout)
      ? flatEdges(store, branch)
      : folders === undefined
        ? listedEdges(store, branch)
        : edgesOf(lister, path, folders))
    if (edges === undefined || !(await isOfLayout(store, branch, edges))) return []
    const [first, last] = edges.days
    return [{ path, variables, first, last }]
  }
  return (await pMap(branches, dated, { concurrency, ...(signal && { signal }) })).flat()
}

/** Objects to read before a folder of days counts as something else. */
const LOOKS = 100

/** Folders below a service's name are its own; others may belong to anything: the names of objects decide. */
async function isOfLayout(store: Store, { layout }: Branch, { folder }: Edges): Promise<boolean> {
  if (folder === undefined || layout.path.startsWith('AWSLogs/')) return true
  const parse = keyParser(layout)
  let looks = 0
  for await (const { key } of store.list({ prefix: folder })) {
    if (parse(key) !== undefined) return true
    if (++looks === LOOKS) return false
  }
  return false
}

/** First and last day, `2026-03-02`, and the folder of the last one, unless the objects themselves have told. */
interface Edges {
  readonly days: readonly [first: string, last: string]
  readonly folder?: string
}

/** The folders below a branch that have its days, in whatever form; undefined where no folder tells. */
function dayFolders({ timed }: Layout): readonly RegExp[] | undefined {
  const folders = timed.split('/').slice(0, -1)
  const dated = folders.slice(0, folders.findIndex((folder) => /\{(?:D?dd|d)\}/.test(folder)) + 1)
  const isOfTime = (piece: Piece): boolean => 'text' in piece || (isTimeField(piece.name) && !piece.isOptional)
  if (dated.length === 0 || !dated.every((folder) => piecesOf(folder).every(isOfTime))) return undefined
  return dated.map((folder) => new RegExp(`^${expressionOfTemplate(folder)}$`))
}

/** The days below a path as its folders tell. */
async function edgesOf(lister: Lister, path: string, folders: readonly RegExp[]): Promise<Edges | undefined> {
  const first = await edgeOf(lister, { path }, folders, (children) => children)
  const last = first && (await edgeOf(lister, { path }, folders, (children) => children.toReversed()))
  return first && last && { days: [first.day, last.day], folder: last.folder }
}

type Order = <T>(children: T[]) => T[]

/** Falls back to the neighbor where a year or month turns out to have no day in it. */
async function edgeOf(
  lister: Lister,
  { path, fields = {} }: { path: string; fields?: Readonly<Record<string, string>> },
  [pattern, ...deeper]: readonly RegExp[],
  order: Order,
): Promise<{ day: string; folder: string } | undefined> {
  const day = pattern === undefined ? dayOf(fields) : undefined
  if (pattern === undefined) return day === undefined ? undefined : { day, folder: path }
  const children = (await lister.prefixes({ prefix: path })).flatMap((child) => {
    const match = pattern.exec(child.slice(path.length, -1))
    // A date of delivery, `Dyyyy`, is one, too.
    const found = Object.entries(match?.groups ?? {}).map(([name, value]) => [name.replace(/^D/, ''), value])
    return match === null ? [] : [{ child, fields: { ...fields, ...Object.fromEntries(found) } }]
  })
  // `10` comes after `9` where months have no zeros in front.
  children.sort((a, b) => (rankOf(a.fields) < rankOf(b.fields) ? -1 : 1))
  for (const { child, fields } of order(children)) {
    const found = await edgeOf(lister, { path: child, fields }, deeper, order)
    if (found !== undefined) return found
  }
  return undefined
}

const rankOf = (fields: Readonly<Record<string, string>>): string =>
  Object.values(fields)
    .map((value) => value.padStart(4, '0'))
    .join()

/** `2026-03-02`; undefined for what is no day. */
function dayOf({ yyyy = '', M, MM = M ?? '', d, dd = d ?? '' }: Readonly<Record<string, string>>): string | undefined {
  const day = `${yyyy}-${MM.padStart(2, '0')}-${dd.padStart(2, '0')}`
  const time = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day) ? day : undefined
}

/** Objects to read where folders do not tell the days. */
const MOST_LISTED = 10_000

/** The days of the first objects below a branch, by their names. */
async function listedEdges(store: Store, { layout, path }: Branch): Promise<Edges | undefined> {
  const parse = keyParser(layout)
  const times: number[] = []
  let looks = 0
  for await (const { key } of store.list({ prefix: path })) {
    const time = parse(key)?.time.getTime()
    if (time !== undefined) times.push(time)
    if (++looks === MOST_LISTED) break
  }
  if (times.length === 0) return undefined
  const [first = '', last = ''] = [Math.min(...times), Math.max(...times)].map((time) =>
    new Date(time).toISOString().slice(0, 10),
  )
  return { days: [first, last] }
}

/** From the largest to the smallest part of a date, with what follows each in a flat key. */
const STEPS = [/^.*?\{yyyy\}[^{]*/, /^.*?\{MM\}[^{]*/, /^.*?\{dd\}[^{]*/]

/** The days of the first and last key of a flat branch: the last is found year by year, month by month, day by day. */
async function flatEdges(store: Store, branch: Branch): Promise<Edges | undefined> {
  const { layout, path, variables } = branch
  const parse = flatParser(branch)
  const prefix = flatPrefix(branch)
  const firstAfter = async (startAfter: string): Promise<Date | undefined> => {
    let looks = 0
    for await (const { key } of store.list({ prefix, startAfter })) {
      const time = parse(key)?.time
      if (time !== undefined) return time
      if (++looks === LOOKS) return undefined
    }
    return undefined
  }
  const first = await firstAfter(prefix)
  let last = first
  for (const step of STEPS)
    for (let next = last; next !== undefined; ) {
      last = next
      const template = step.exec(layout.timed)?.[0] ?? ''
      next = await firstAfter(`${path}${renderTemplate(template, variables, last)}\u{10ffff}`)
    }
  return first && last && { days: [first.toISOString().slice(0, 10), last.toISOString().slice(0, 10)] }
}
