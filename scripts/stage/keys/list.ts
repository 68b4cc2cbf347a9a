import { UserError } from '../../lib/cli/errors.ts'
import { plural, quoted } from '../../lib/cli/format.ts'
import { discover, distinctValues, scopesThere, scopeText, tablesIn } from '../../lib/sources/discover.ts'
import { type Branch, keyParser, keyRange, type Layout, mayHold, paddedSpan } from '../../lib/sources/layout.ts'
import { sourceParser } from '../../lib/sources/source.ts'
import { batchesOf, compareKeys, type ObjectInfo, type Store } from '../../lib/stores/store.ts'
import { concurrently } from '../concurrency.ts'
import { tableKeys, withoutTwins } from './iceberg/keys.ts'
import type { KeySource, ListSettings, Scope } from './key-source.ts'
import { nearestOf } from './nearest.ts'

/**
 * Finds keys: descends the layout to its branches (account × region) with a delimiter, then lists in each branch the one range of keys
 * that may hold the window. Undefined when nothing below the base has a layout of the source.
 */
export async function listKeys(store: Store, scope: Scope, settings: ListSettings): Promise<KeySource | undefined> {
  const { source, accounts, regions } = scope
  const { base, concurrency, signal } = settings
  const discovery = await discover(store, source, { base, concurrency, signal, accounts, regions })
  const tables = await tablesIn(store, source, discovery.roots, base)
  if (discovery.branches.length === 0) {
    if (discovery.roots.length === 0) return undefined
    if (tables.length === 0) throw await absentScope(store, scope, settings)
  }
  const ranges = rangesOf(discovery.branches, scope, base)
  const pages = concurrently(
    ranges.map((range) => () => readRange(store, scope, range, signal)),
    { concurrency },
  )
  const ofTables = tables.length === 0 ? undefined : await tableKeys(store, tables, scope, settings)
  return {
    objects: ofTables === undefined ? flat(pages) : withoutTwins(flat(pages), ofTables),
    findings: {
      ...ofTables?.findings,
      looked: [...lookedAt(discovery.branches, scope), ...(ofTables?.findings.looked ?? [])],
      warnings: warningsOf(discovery.branches, discovery.skipped, scope),
      lost: ofTables?.findings.lost ?? [],
      nearest: () => nearestOf(store, discovery.branches, base, scope.window),
    },
  }
}

interface Range {
  /** Layouts that keys may have there. */
  readonly layouts: readonly Layout[]
  /** Prefix that the user named; may end below the branch. */
  readonly base: string
  readonly startAfter: string
  readonly endBefore: string
}

/** One range a folder: layouts that share it have their keys between each other's. */
function rangesOf(branches: readonly Branch[], { window }: Scope, base: string): Range[] {
  const byPath = new Map<string, Range>()
  for (const { layout, path, variables } of branches) {
    const { startAfter, endBefore } = keyRange(layout, { path, variables }, window)
    const other = byPath.get(path)
    byPath.set(path, {
      base,
      layouts: [...(other?.layouts ?? []), layout],
      startAfter: other !== undefined && compareKeys(other.startAfter, startAfter) < 0 ? other.startAfter : startAfter,
      endBefore: other !== undefined && compareKeys(other.endBefore, endBefore) > 0 ? other.endBefore : endBefore,
    })
  }
  return [...byPath.values()].sort((a, b) => compareKeys(a.startAfter, b.startAfter))
}

const PAGE = 1000

/** The objects of a range whose key time the window may need, page by page in key order. */
export async function* readRange(
  store: Store,
  scope: Scope,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo[]> {
  const { base, startAfter, endBefore } = range
  const prefix = narrower(commonPrefix(startAfter, endBefore), base)
  if (prefix === undefined) return
  yield* batchesOf(inRange(store.list({ prefix, startAfter }), scope, range, signal), PAGE)
}

async function* inRange(
  objects: AsyncIterable<ObjectInfo>,
  scope: Scope,
  { layouts, endBefore }: Range,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo> {
  const parse = sourceParser({ layouts }, keyParser)
  for await (const object of objects) {
    signal.throwIfAborted()
    if (compareKeys(object.key, endBefore) >= 0) return
    const parsed = parse(object.key)
    if (parsed !== undefined && mayHold(parsed.layout.padding, scope.window, parsed.time)) yield object
  }
}

/** The items of pages, one by one. */
export async function* flat<T>(pages: AsyncIterable<T[]>): AsyncGenerator<T> {
  for await (const page of pages) yield* page
}

/** With a prefix the server itself ends the listing. */
function commonPrefix(a: string, b: string): string {
  let end = 0
  while (end < a.length && a[end] === b[end]) end += 1
  return a.slice(0, end)
}

/** The longer of two prefixes; undefined when no key has both. */
function narrower(a: string, b: string): string | undefined {
  if (a.startsWith(b)) return a
  return b.startsWith(a) ? b : undefined
}

function lookedAt(branches: readonly Branch[], { window }: Scope): string[] {
  const layouts = [...new Set(branches.map(({ layout }) => layout))]
  return layouts.map((layout) => {
    const own = branches.filter((branch) => branch.layout === layout)
    const { first, last } = paddedSpan(layout.padding, window)
    const [accounts, regions] = [distinctValues(own, 'account'), distinctValues(own, 'region')]
    const places = [
      accounts.length && plural(accounts.length, 'account'),
      regions.length && plural(regions.length, 'region'),
    ]
    const span = `key times ${first.toISOString().slice(0, 16)}Z to ${last.toISOString().slice(0, 16)}Z`
    return `${layout.id}: ${[plural(own.length, 'branch', 'branches'), ...places.filter(Boolean)].join(', ')}; ${span}`
  })
}

function warningsOf(branches: readonly Branch[], skipped: readonly string[], scope: Scope): string[] {
  const { source, accounts, regions } = scope
  const { globalRegion } = source
  const warnings = [...skipped]
  const missing = [...absent('account', accounts, branches), ...absent('region', regions, branches)]
  if (missing.length > 0) warnings.push(`no ${source.id} logs of ${missing.join(', ')}`)
  if (globalRegion !== undefined && regions.length > 0 && !regions.includes(globalRegion))
    warnings.push(
      `events of global services (IAM, STS, CloudFront, Route 53) are logged in ${globalRegion}, which --region leaves out`,
    )
  if ((accounts.length > 0 || regions.length > 0) && branches.some(({ variables }) => variables.account === undefined))
    warnings.push('the keys of some logs carry neither account nor region: --account and --region do not narrow them')
  return warnings
}

const absent = (variable: string, wanted: readonly string[], branches: readonly Branch[]): string[] => {
  const found = new Set(distinctValues(branches, variable))
  return found.size === 0 ? [] : wanted.filter((value) => !found.has(value)).map((value) => `${variable} ${value}`)
}

/** An account, region or source that does not exist at all is a typing mistake, never an empty window. */
async function absentScope(
  store: Store,
  scope: Scope,
  { base, concurrency, signal }: ListSettings,
): Promise<UserError> {
  const { source, accounts, regions } = scope
  const { branches } = await discover(store, source, { base, concurrency, signal })
  const uri = store.uriOf(base).replace(/\/$/, '')
  if (branches.length === 0)
    return new UserError(`${uri} ${base.includes('AWSLogs/') ? 'has' : 'has AWSLogs/, but'} no ${source.id} logs`, {
      hint: `npx zx scripts/inventory.mjs --logs ${quoted(uri)}`,
    })
  return new UserError(`${uri} has ${source.id} logs, but none of ${scopeText(accounts, regions)}`, {
    hint: scopesThere(branches),
  })
}
