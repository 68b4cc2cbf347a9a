import pMap from 'p-map'
import { UserError } from '../lib/cli/errors.ts'
import {
  type DiscoverOptions,
  discover,
  distinctValues,
  type FoundTable,
  type Lister,
  tablesIn,
} from '../lib/sources/discover.ts'
import { knownSources } from '../lib/sources/registry.ts'
import type { Source } from '../lib/sources/source.ts'
import { matchesVariable } from '../lib/sources/template.ts'
import { metadataKeyIn, readMetadata } from '../lib/stores/iceberg/metadata.ts'
import { tableDays, tablePlace } from '../lib/stores/iceberg/scan.ts'
import type { Store } from '../lib/stores/store.ts'
import { type BranchDays, datedBranches } from './days.ts'

/** The logs of one source in one layout. Days are those of the keys, `2026-03-02`, UTC. */
export interface Found {
  readonly source: string
  readonly layout: string
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
  readonly first: string
  readonly last: string
  /** Whether digests index the logs. */
  readonly digests: boolean
  readonly branches: readonly BranchDays[]
}

export interface Survey {
  readonly found: readonly Found[]
  /** Prefixes before `AWSLogs/`. */
  readonly roots: readonly string[]
  /** Which folders were not searched, and why: a warning each. */
  readonly skipped: readonly string[]
}

/** Descends the layouts of these sources. Objects are listed only where folders alone are ambiguous. */
export async function survey(
  store: Store,
  lister: Lister,
  sources: readonly Source[],
  options: DiscoverOptions,
): Promise<Survey> {
  const found: Found[] = []
  const roots = new Set<string>()
  const skipped = new Set<string>()
  for (const source of sources) {
    const discovery = await discover(lister, source, options)
    for (const root of discovery.roots) roots.add(root)
    for (const warning of discovery.skipped) skipped.add(warning)
    const digests = source.digest && (await discover(lister, { ...source, layouts: [source.digest] }, options))
    for (const layout of source.layouts) {
      const own = discovery.branches.filter((branch) => branch.layout === layout)
      const branches = await datedBranches(store, lister, own, options)
      const [first] = branches.map((branch) => branch.first).sort()
      const last = branches
        .map((branch) => branch.last)
        .sort()
        .at(-1)
      if (first === undefined || last === undefined) continue
      found.push({
        source: source.id,
        layout: layout.id,
        accounts: distinctValues(branches, 'account'),
        regions: distinctValues(branches, 'region'),
        first,
        last,
        digests: (digests?.branches.length ?? 0) > 0,
        branches,
      })
    }
    for (const one of await tablesIn(lister, source, discovery.roots, options.base)) {
      const told = await tableFound(store, source, one)
      if (typeof told === 'string') skipped.add(told)
      else found.push(told)
    }
  }
  return { found, roots: [...roots], skipped: [...skipped] }
}

/** A table of Iceberg, whose metadata tells its days; or why it does not. */
async function tableFound(store: Store, source: Source, { table, prefix }: FoundTable): Promise<Found | string> {
  try {
    const described = await readMetadata(store, await metadataKeyIn(store, prefix))
    const days = await tableDays(tablePlace(store, prefix), described)
    if (days === undefined) return `${store.uriOf(prefix)} is an Iceberg table whose metadata tells no days`
    const [first, last] = days
    const branches = [{ path: prefix, variables: {}, first, last }]
    return { source: source.id, layout: table.id, accounts: [], regions: [], first, last, digests: false, branches }
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

/** Lists every prefix once, for all who take note of the same kinds of keys, and sees only what lies below the base or above it. */
export function remembering(lister: Lister, base: string): Lister {
  const known = new Map<string, Promise<{ children: string[]; passed: Map<string, string> }>>()
  const ask = async (prefix: string, pass: (key: string) => string | undefined = () => undefined) => {
    const passed = new Map<string, string>()
    const noting = (key: string) => {
      const end = pass(key)
      if (end !== undefined && !passed.has(end)) passed.set(end, key)
      return end
    }
    const children = await lister.prefixes({ prefix, pass: noting })
    return { children: children.filter((child) => child.startsWith(base) || base.startsWith(child)), passed }
  }
  return {
    prefixes: async ({ prefix, pass }) => {
      const found = known.get(prefix) ?? ask(prefix, pass)
      known.set(prefix, found)
      const { children, passed } = await found
      for (const key of passed.values()) pass?.(key)
      return children
    },
  }
}

/** Logs that no source reads. */
export interface Other {
  /** Name of the folder. */
  readonly name: string
  readonly about: string
  /** Accounts that have it; empty where the keys do not tell. */
  readonly accounts: readonly string[]
}

/** What AWS services call their folders below an account, besides those that sources read. */
const SERVICES: Readonly<Record<string, string>> = {
  'CloudTrail-Insight': 'CloudTrail Insights events',
  'CloudTrail-NetworkActivity': 'CloudTrail network activity events',
  'CloudTrail-Aggregated': 'CloudTrail aggregated events',
  'CloudTrail-Lake': 'saved CloudTrail Lake results',
  Config: 'AWS Config',
  'network-firewall': 'Network Firewall',
  globalaccelerator: 'Global Accelerator',
  GuardDuty: 'GuardDuty findings',
  CloudFront: 'CloudFront standard logs',
  redshift: 'Redshift audit logs',
}
/** Folders of services that sources read. */
const namesRead = (): ReadonlySet<string> =>
  new Set(
    knownSources()
      .flatMap(({ layouts, digest }) => [...layouts, ...(digest === undefined ? [] : [digest])])
      .flatMap(({ path }) => /\{account\}\/([^/{]+)\//.exec(path)?.[1] ?? []),
  )

/** What a key belongs to whose folder is known and not read. */
export function serviceOf(key: string): string | undefined {
  const name = /(?:^|\/)AWSLogs\/(?:o-[a-z0-9]+\/)?\d+\/([^/]+)\//.exec(key)?.[1] ?? ''
  return namesRead().has(name) || !Object.hasOwn(SERVICES, name) ? undefined : SERVICES[name]
}

/** Services whose logs lie beside those that sources read. */
export async function othersOf(lister: Lister, roots: readonly string[], options: DiscoverOptions): Promise<Other[]> {
  const { concurrency, accounts = [] } = options
  const below = async (path: string) =>
    (await lister.prefixes({ prefix: path })).map((child) => ({ path: child, name: child.slice(path.length, -1) }))
  const top = (await pMap(roots, (root) => below(`${root}AWSLogs/`), { concurrency })).flat()
  const organizations = top.filter(({ name }) => matchesVariable('org', name))
  const members = (await pMap(organizations, ({ path }) => below(path), { concurrency })).flat()
  const owners = [...top, ...members].filter(
    ({ name }) => matchesVariable('account', name) && (accounts.length === 0 || accounts.includes(name)),
  )
  const services = await pMap(
    owners,
    async ({ path, name }) => (await below(path)).map((service) => ({ account: name, name: service.name })),
    { concurrency },
  )
  return gathered(services.flat().filter(({ name }) => !namesRead().has(name)))
}

function gathered(services: readonly { account: string; name: string }[]): Other[] {
  const accounts = new Map<string, Set<string>>()
  for (const { account, name } of services) accounts.set(name, (accounts.get(name) ?? new Set()).add(account))
  return [...accounts]
    .map(([name, ids]) => ({ name, about: SERVICES[name] ?? 'unknown', accounts: [...ids].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
