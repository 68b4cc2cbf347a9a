import pMap from 'p-map'
import { exitCodeOf } from '../cli/errors.ts'
import { type FlatKeys, flatKeys, isFlat } from './flat.ts'
import { type Branch, type Layout, rootParser } from './layout.ts'
import type { Source } from './source.ts'
import { expressionOfTemplate, isFree, piecesOf, type Variables, variablesOf } from './template.ts'

/** What discovery needs of a store, see `Store.prefixes`. */
export interface Lister {
  prefixes(options: { prefix: string; pass?: (key: string) => string | undefined }): Promise<string[]>
}

export interface DiscoverOptions {
  /** Only what lies below this prefix; '' or with a trailing slash. It may stand above, at or below `AWSLogs/`. */
  readonly base: string
  readonly concurrency: number
  readonly signal?: AbortSignal
  /** Empty means all. */
  readonly accounts?: readonly string[]
  readonly regions?: readonly string[]
}

/** How deep below `base` a prefix before `AWSLogs/` is looked for, and how many folders of one level are opened for that. */
const ROOT_DEPTH = 3
const ROOT_BREADTH = 100

export interface Discovery {
  readonly branches: readonly Branch[]
  /** Prefixes before the layouts: before `AWSLogs/`, or before the years of Firehose. */
  readonly roots: readonly string[]
  /** Which folders were not searched for a root, and why: a warning each. */
  readonly skipped: readonly string[]
}

/** Finds the branches of a source by descending its layouts with a delimiter: no object is listed. */
export async function discover(lister: Lister, source: Source, options: DiscoverOptions): Promise<Discovery> {
  const flat = flatKeys(source)
  const tree = treeOf(lister, options, flat)
  const { roots, skipped } = await findRoots(tree, source, options)
  const found = await pMap(roots, ({ root, layout }) => descend(tree, layout, root, options), {
    concurrency: 4,
    ...(options.signal && { signal: options.signal }),
  })
  const beside = flat
    .branches()
    .filter(({ layout, variables }) => source.layouts.includes(layout) && areInScope(variables, options))
  const all = [...roots.map(({ root }) => root), ...beside.map(({ path }) => path)]
  return { branches: [...found.flat(), ...beside], roots: [...new Set(all)], skipped }
}

/** Children of a folder; on the way down to `base` there is only one, and it costs no request. */
type Tree = (path: string) => Promise<string[]>

function treeOf(lister: Lister, { base }: DiscoverOptions, flat: FlatKeys): Tree {
  const known = new Map<string, Promise<string[]>>()
  return (path) => {
    if (base !== path && base.startsWith(path))
      return Promise.resolve([base.slice(0, base.indexOf('/', path.length) + 1)])
    const children = known.get(path) ?? lister.prefixes({ prefix: path, pass: flat.pass })
    known.set(path, children)
    return children
  }
}

/** The folder with which a layout begins, with its slash; undefined where any name could be that folder, or it has none. */
function beginningOf({ path, timed }: Layout): RegExp | undefined {
  const [folder, rest] = (path + timed).split(/(?<=\/)(.*)/s)
  if (folder === undefined || rest === undefined) return undefined
  return piecesOf(folder).some((piece) => 'text' in piece || !isFree(piece.name))
    ? new RegExp(`^${expressionOfTemplate(folder)}$`)
    : undefined
}

async function findRoots(tree: Tree, source: Source, options: DiscoverOptions) {
  const { base, concurrency } = options
  const roots: { root: string; layout: Layout }[] = []
  const skipped: string[] = []
  // Keys of flat layouts are met on the way.
  const inFolders = source.layouts.filter((layout) => !isFlat(layout))
  const isChosen = source.layouts.some(({ below }) => below !== undefined)
  // Folders below which no root is: those of AWS, and years, months, … of something else.
  const inside = isChosen ? /^(?:AWSLogs|(?:[a-z]+=)?\d{1,4})\/$/ : /^(?:AWSLogs|\d+)\/$/
  const isInside = (name: string): boolean => inside.test(name)
  const beginnings = inFolders.map((layout) => ({ layout, pattern: beginningOf(layout) }))
  // Where any folder could be the first one, only the place that was named tells.
  roots.push(...beginnings.flatMap(({ layout, pattern }) => (pattern === undefined ? [{ root: base, layout }] : [])))
  const search = async (path: string, depth: number): Promise<void> => {
    const children = await tree(path).catch((error: unknown) => {
      // What was named must be readable; what only lies there, such as lost+found, may be somebody else's.
      if (exitCodeOf(error) !== 4 || path.length <= base.length) throw error
      skipped.push(`no right to look for logs in ${JSON.stringify(path)}: what lies there is left out`)
      return []
    })
    const names = children.map((child) => child.slice(path.length))
    if (names.includes('AWSLogs/'))
      await pMap(await chosenRoots(tree, source, path, options), (root) => search(root, 0), { concurrency })
    const isBeginning = (name: string) => beginnings.some(({ pattern }) => pattern?.test(name))
    for (const { layout, pattern } of beginnings)
      if (names.some((name) => pattern?.test(name))) roots.push({ root: path, layout })
    const others = children.filter((_, i) => !isInside(names[i] ?? '') && !isBeginning(names[i] ?? ''))
    // On the way to `base` no depth is used up.
    const nextDepth = base.length > path.length ? depth : depth + 1
    if (nextDepth > ROOT_DEPTH) return
    const unknown = others.filter((child) => !(isChosen && NAMED.test(child.slice(path.length))))
    if (unknown.length > ROOT_BREADTH)
      skipped.push(`too many folders below ${JSON.stringify(path)} to look for logs in each: name a longer --logs`)
    const searched = unknown.length > ROOT_BREADTH ? others.filter((child) => !unknown.includes(child)) : others
    await pMap(searched, (child) => search(child, nextDepth), { concurrency })
  }
  await search('', 0)
  roots.sort((a, b) => (a.root < b.root ? -1 : a.root > b.root ? 1 : 0))
  return { roots, skipped }
}

/** Folders of distributions and accounts, which are opened however many there are. */
const NAMED = /^(?:[\w-]+=)?(?:E[A-Z0-9]{9,}|\d{12})\/$/

/** The folders of AWS below which somebody has chosen folders of a source, in an `AWSLogs/` at this path. */
async function chosenRoots(tree: Tree, { layouts }: Source, path: string, options: DiscoverOptions): Promise<string[]> {
  const templates = [...new Set(layouts.flatMap(({ below = [] }) => below))]
  const found = await Promise.all(
    templates.map((template) => descend(tree, { ...(layouts[0] as Layout), path: template }, path, options)),
  )
  return found.flat().map((branch) => branch.path)
}

async function descend(tree: Tree, layout: Layout, root: string, options: DiscoverOptions): Promise<Branch[]> {
  const { base, concurrency, signal } = options
  let front: Branch[] = [{ layout, path: root, variables: rootParser(layout)(root) }]
  for (const folder of layout.path.split('/').filter(Boolean)) {
    if (!folder.includes('{')) {
      front = front
        .map((branch) => ({ ...branch, path: `${branch.path}${folder}/` }))
        .filter(({ path }) => path.startsWith(base) || base.startsWith(path))
      continue
    }
    const next = await pMap(front, (branch) => expand(tree, branch, folder, options), {
      concurrency,
      ...(signal && { signal }),
    })
    front = next.flat()
  }
  return front
}

/** The folders below a branch that are this one: `{region}`, `{org?}`, `account={account}`. */
async function expand(tree: Tree, branch: Branch, folder: string, options: DiscoverOptions): Promise<Branch[]> {
  const pattern = new RegExp(`^${expressionOfTemplate(folder)}$`)
  const found = (await tree(branch.path)).flatMap((path): Branch[] => {
    const match = pattern.exec(path.slice(branch.path.length, -1))
    const values = match === null ? undefined : variablesOf(match.groups ?? {})
    if (values === undefined || !areInScope(values, options)) return []
    const isSame = Object.entries(values).every(([name, value]) => (branch.variables[name] ?? value) === value)
    return isSame ? [{ ...branch, path, variables: { ...branch.variables, ...values } }] : []
  })
  return /^\{\w+\?\}$/.test(folder) ? [branch, ...found] : found
}

const areInScope = (values: Variables, options: DiscoverOptions): boolean =>
  Object.entries(values).every(([name, value]) => inScope(name, value, options))

function inScope(name: string, value: string, { accounts = [], regions = [] }: DiscoverOptions): boolean {
  if (name === 'account') return accounts.length === 0 || accounts.includes(value)
  if (name === 'region') return regions.length === 0 || regions.includes(value)
  return true
}

interface Placed {
  readonly variables: Variables
}

/** What branches have of a variable, each value once. */
export const distinctValues = (branches: readonly Placed[], variable: string): string[] => [
  ...new Set(branches.map(({ variables }) => variables[variable]).filter((value) => value !== undefined)),
]

/** What was asked for, in words: `account 111122223333 in region eu-west-1`. */
export const scopeText = (accounts: readonly string[], regions: readonly string[]): string =>
  [accounts.length > 0 && `account ${accounts.join(', ')}`, regions.length > 0 && `region ${regions.join(', ')}`]
    .filter(Boolean)
    .join(' in ')

/** Which accounts and regions there are, for who asked for others. */
export const scopesThere = (branches: readonly Placed[]): string =>
  `accounts there: ${some(distinctValues(branches, 'account'))}; regions: ${some(distinctValues(branches, 'region'))}`

const SHOWN = 8

const some = (values: readonly string[]): string =>
  values.length <= SHOWN ? values.join(', ') : `${values.slice(0, SHOWN).join(', ')} and ${values.length - SHOWN} more`

/** A table of a source, and the prefix where it lies. */
export interface FoundTable {
  readonly table: NonNullable<Source['tables']>[number]
  readonly prefix: string
}

/** The tables of a source that are there. @param roots prefixes before its layouts */
export async function tablesIn(
  lister: Lister,
  { tables = [] }: Source,
  roots: readonly string[],
  base: string,
): Promise<FoundTable[]> {
  const found: FoundTable[] = []
  for (const root of roots)
    for (const table of tables) {
      const prefix = `${root}${table.folder}`
      if (!prefix.startsWith(base) && !base.startsWith(prefix)) continue
      const parent = prefix.slice(0, prefix.slice(0, -1).lastIndexOf('/') + 1)
      if ((await lister.prefixes({ prefix: parent })).includes(prefix)) found.push({ table, prefix })
    }
  return found
}
