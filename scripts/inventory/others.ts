import pMap from 'p-map'
import type { DiscoverOptions, Lister } from '../lib/sources/discover.ts'
import { matchesVariable } from '../lib/sources/layout.ts'

/** Logs that lie there and that no source reads. */
export interface Other {
  /** Name of the folder. */
  readonly name: string
  readonly about: string
  /** Accounts that have it; none where the place does not tell. */
  readonly accounts: readonly string[]
}

/** What AWS services call their folders below an account, besides those that sources read. */
const SERVICES: Readonly<Record<string, string>> = {
  'CloudTrail-Insight': 'CloudTrail Insights events',
  'CloudTrail-NetworkActivity': 'CloudTrail network activity events',
  'CloudTrail-Aggregated': 'CloudTrail aggregated events',
  'CloudTrail-Lake': 'saved CloudTrail Lake results',
  Config: 'AWS Config',
  elasticloadbalancing: 'load balancers',
  vpcflowlogs: 'VPC Flow Logs',
  vpcdnsquerylogs: 'Route 53 Resolver queries',
  'network-firewall': 'Network Firewall',
  globalaccelerator: 'Global Accelerator',
  GuardDuty: 'GuardDuty findings',
  CloudFront: 'CloudFront standard logs',
  redshift: 'Redshift audit logs',
}
const READ = new Set(['CloudTrail', 'CloudTrail-Digest', 'WAFLogs'])

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
  return gathered(services.flat().filter(({ name }) => !READ.has(name)))
}

function gathered(services: readonly { account: string; name: string }[]): Other[] {
  const accounts = new Map<string, Set<string>>()
  for (const { account, name } of services) accounts.set(name, (accounts.get(name) ?? new Set()).add(account))
  return [...accounts]
    .map(([name, ids]) => ({ name, about: SERVICES[name] ?? 'unknown', accounts: [...ids].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
