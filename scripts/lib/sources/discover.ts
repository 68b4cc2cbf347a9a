import pMap from 'p-map'
import { exitCodeOf } from '../cli/errors.ts'
import { type Layout, matchesVariable, type Variables } from './layout.ts'
import type { Source } from './source.ts'

/** What discovery needs of a store. */
export interface Lister {
  prefixes(options: { prefix: string }): Promise<string[]>
}

/** One account, region, … of a layout: below `path`, keys sort by time. */
export interface Branch {
  readonly layout: Layout
  readonly path: string
  readonly variables: Variables
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
  /** Prefixes before `AWSLogs/` or before the years of Firehose. */
  readonly roots: readonly string[]
  /** Which folders were not searched for a root, and why: a warning each. */
  readonly skipped: readonly string[]
}

/** Finds the branches of a source by descending its layouts with a delimiter: no object is listed. */
export async function discover(lister: Lister, source: Source, options: DiscoverOptions): Promise<Discovery> {
  const tree = treeOf(lister, options)
  const { roots, skipped } = await findRoots(tree, source, options)
  const found = await pMap(roots, ({ root, layout }) => descend(tree, layout, root, options), {
    concurrency: 4,
    ...(options.signal && { signal: options.signal }),
  })
  return { branches: found.flat(), roots: [...new Set(roots.map(({ root }) => root))], skipped }
}

/** Children of a folder; on the way down to `base` there is only one, and it costs no request. */
type Tree = (path: string) => Promise<string[]>

function treeOf(lister: Lister, { base }: DiscoverOptions): Tree {
  const known = new Map<string, Promise<string[]>>()
  return (path) => {
    if (base !== path && base.startsWith(path))
      return Promise.resolve([base.slice(0, base.indexOf('/', path.length) + 1)])
    const children = known.get(path) ?? lister.prefixes({ prefix: path })
    known.set(path, children)
    return children
  }
}

const AWS_LOGS = 'AWSLogs/'

async function findRoots(tree: Tree, source: Source, options: DiscoverOptions) {
  const roots: { root: string; layout: Layout }[] = []
  const skipped: string[] = []
  const inAwsLogs = source.layouts.filter((layout) => layout.path.startsWith(AWS_LOGS))
  const byYear = source.layouts.filter((layout) => layout.path === '')
  const search = async (path: string, depth: number): Promise<void> => {
    const children = await tree(path).catch((error: unknown) => {
      // What was named must be readable; what only lies there, such as lost+found, may be somebody else's.
      if (exitCodeOf(error) !== 4 || path.length <= options.base.length) throw error
      skipped.push(`no right to look for logs in ${JSON.stringify(path)}: what lies there is left out`)
      return []
    })
    const names = children.map((child) => child.slice(path.length))
    if (names.includes(AWS_LOGS)) roots.push(...inAwsLogs.map((layout) => ({ root: path, layout })))
    if (names.some((name) => /^\d{4}\/$/.test(name))) roots.push(...byYear.map((layout) => ({ root: path, layout })))
    const others = children.filter((_, i) => names[i] !== AWS_LOGS && !/^\d+\/$/.test(names[i] ?? ''))
    // On the way to `base` no depth is used up.
    const nextDepth = options.base.length > path.length ? depth : depth + 1
    if (nextDepth > ROOT_DEPTH) return
    if (others.length > ROOT_BREADTH)
      skipped.push(`too many folders below ${JSON.stringify(path)} to look for logs in each: name a longer --logs`)
    else await pMap(others, (child) => search(child, nextDepth), { concurrency: options.concurrency })
  }
  await search('', 0)
  roots.sort((a, b) => (a.root < b.root ? -1 : a.root > b.root ? 1 : 0))
  return { roots, skipped }
}

async function descend(tree: Tree, layout: Layout, root: string, options: DiscoverOptions): Promise<Branch[]> {
  let front: Branch[] = [{ layout, path: root, variables: {} }]
  for (const segment of layout.path.split('/').filter(Boolean)) {
    const variable = /^\{(\w+)(\??)\}$/.exec(segment)
    if (variable === null) {
      front = front
        .map((branch) => ({ ...branch, path: `${branch.path}${segment}/` }))
        .filter(({ path }) => path.startsWith(options.base) || options.base.startsWith(path))
      continue
    }
    const [, name = '', optional] = variable
    const next = await pMap(front, (branch) => expand(tree, branch, { name, isOptional: optional === '?' }, options), {
      concurrency: options.concurrency,
      ...(options.signal && { signal: options.signal }),
    })
    front = next.flat()
  }
  return front
}

async function expand(
  tree: Tree,
  branch: Branch,
  { name, isOptional }: { name: string; isOptional: boolean },
  options: DiscoverOptions,
): Promise<Branch[]> {
  const children = await tree(branch.path)
  const found = children
    .map((path) => ({ path, value: path.slice(branch.path.length, -1) }))
    .filter(({ value }) => matchesVariable(name, value) && inScope(name, value, options))
    .map(({ path, value }) => ({ ...branch, path, variables: { ...branch.variables, [name]: value } }))
  return isOptional ? [branch, ...found] : found
}

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
