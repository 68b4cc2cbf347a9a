import pMap from 'p-map'
import { UserError } from '../../../lib/cli/errors.ts'
import { plural } from '../../../lib/cli/format.ts'
import { PRICES } from '../../../lib/runs/cost.ts'
import { discover } from '../../../lib/sources/discover.ts'
import { type Branch, keyParser, keyRange, type Layout } from '../../../lib/sources/layout.ts'
import { compareKeys, type ObjectInfo, type Store } from '../../../lib/stores/store.ts'
import { concurrently } from '../../concurrency.ts'
import type { Findings, KeySource, ListSettings, Scope } from '../key-source.ts'
import { flat, readRange } from '../list.ts'
import { nearestOf } from '../nearest.ts'
import { type ChainedDigest, coverageOf, readDigest } from './chain.ts'

/**
 * Finds keys through the digests of log file validation. They name every delivered file with the event times that it holds, so the
 * selection is exact, and complete where their chain has no gap. What they do not index yet is listed.
 */
export async function digestKeys(store: Store, scope: Scope, settings: ListSettings): Promise<KeySource> {
  const { source } = scope
  const [layout] = source.layouts
  if (source.digest === undefined || layout === undefined)
    throw new UserError(`${source.id} has no digests`, { hint: 'leave --keys digest out' })
  const search = { ...settings, accounts: scope.accounts, regions: scope.regions }
  // A folder of logs stands for its digests, too.
  const beside = settings.base.replace('/CloudTrail/', '/CloudTrail-Digest/')
  const digested = await discover(store, { ...source, layouts: [source.digest] }, { ...search, base: beside })
  if (digested.branches.length === 0)
    throw new UserError(`${store.uriOf(settings.base)} has no digests of ${source.id}`, {
      hint: 'switch log file validation on in the trail for later, and leave --keys digest out now',
    })
  const plain = await discover(store, source, search)
  const branches = joined(digested.branches, plain.branches)
  const requests = {
    digests: { what: 'GET requests for digests', count: 0, each: PRICES.getRequest },
    looks: { what: 'HEAD requests', count: 0, each: PRICES.getRequest },
  }
  const findings: Findings = {
    costs: Object.values(requests),
    looked: [`${plural(digested.branches.length, 'branch', 'branches')} with digests`],
    warnings: [],
    lost: [],
    nearest: () => nearestOf(store, plain.branches, settings.base, scope.window),
  }
  const pages = concurrently(
    branches.map((branch) => () => readBranch({ store, scope, layout, findings, requests, settings }, branch)),
    { concurrency: Math.max(1, Math.floor(settings.concurrency / READS)) },
  )
  return { objects: flat(pages), findings }
}

/** Digests of one branch that are read at once. */
const READS = 4

interface Reading {
  readonly store: Store
  readonly scope: Scope
  readonly layout: Layout
  readonly findings: Findings
  /** As they are made. */
  readonly requests: Readonly<Record<'digests' | 'looks', { count: number }>>
  readonly settings: ListSettings
}

interface IndexedBranch {
  readonly logs: Branch
  readonly digests?: Branch
}

/** Branches of logs with their digests, in key order; a branch may lack either. */
function joined(digests: readonly Branch[], logs: readonly Branch[]): IndexedBranch[] {
  const byPath = new Map<string, IndexedBranch>(logs.map((branch) => [branch.path, { logs: branch }]))
  for (const branch of digests) {
    const path = branch.path.replace('/CloudTrail-Digest/', '/CloudTrail/')
    byPath.set(path, { logs: byPath.get(path)?.logs ?? { ...branch, path }, digests: branch })
  }
  return [...byPath.values()].sort((a, b) => compareKeys(a.logs.path, b.logs.path))
}

async function* readBranch(reading: Reading, branch: IndexedBranch): AsyncGenerator<ObjectInfo[]> {
  const { store, scope, layout, findings, settings } = reading
  const name = `${branch.logs.variables.account} ${branch.logs.variables.region}`
  const chained = branch.digests === undefined ? [] : await readDigests(reading, branch.digests)
  const coverage = coverageOf(chained, scope.window.from, digestHorizon(scope))
  findings.warnings.push(...coverage.faults.map((fault) => `digests of ${name}: ${fault}`))
  const named = await namedObjects(reading, chained)
  const { until } = coverage
  if (coverage.faults.length === 0 && until !== undefined && until >= digestHorizon(scope)) {
    yield [...named.values()].sort((a, b) => compareKeys(a.key, b.key))
    return
  }
  // Logs in a gap of the index are unknown: the padded range is listed as well.
  if (coverage.faults.length === 0)
    findings.warnings.push(
      `digests of ${name} end at ${until?.toISOString() ?? 'no time'}: the rest is found by listing`,
    )
  const range = {
    layouts: [layout],
    base: settings.base,
    ...keyRange(layout, branch.logs, scope.window),
  }
  for await (const page of readRange(store, scope, range, settings.signal))
    for (const object of page) named.set(object.key, { ...object, ...named.get(object.key) })
  yield [...named.values()].sort((a, b) => compareKeys(a.key, b.key))
}

/** Deliveries up to here matter. */
const digestHorizon = ({ source, window }: Scope): Date =>
  new Date(window.to.getTime() + (source.layouts[0]?.padding.after ?? 0) * 60_000)

async function readDigests({ store, scope, requests, settings }: Reading, branch: Branch): Promise<ChainedDigest[]> {
  const parse = keyParser(branch.layout)
  const range = { layouts: [branch.layout], base: branch.path, ...keyRange(branch.layout, branch, scope.window) }
  const keys: { key: string; trail: string }[] = []
  for await (const { key } of flat(readRange(store, scope, range, settings.signal)))
    keys.push({ key, trail: parse(key)?.variables.trail ?? '' })
  requests.digests.count += keys.length
  const read = async ({ key, trail }: { key: string; trail: string }): Promise<ChainedDigest> => ({
    key,
    trail,
    isBackfill: /_backfill\.json(?:\.gz)?$/.test(key),
    digest: await readDigest(store, key),
  })
  return pMap(keys, read, { concurrency: READS, signal: settings.signal })
}

/** The log files that hold events of the window, with their sizes. */
async function namedObjects(reading: Reading, chained: readonly ChainedDigest[]): Promise<Map<string, ObjectInfo>> {
  const { store, scope, layout, findings, requests, settings } = reading
  const { from, to } = scope.window
  const parse = keyParser(layout)
  const hashes = new Map<string, string>()
  for (const { key, digest } of chained)
    for (const file of digest.logFiles) {
      if (file.newestEventTime < from || file.oldestEventTime >= to) continue
      if (!file.s3Object.startsWith(settings.base)) continue
      if (parse(file.s3Object) === undefined)
        findings.warnings.push(`${JSON.stringify(key)} names what is no log file: ${JSON.stringify(file.s3Object)}`)
      else hashes.set(file.s3Object, file.hashValue)
    }
  requests.looks.count += hashes.size
  const found = new Map<string, ObjectInfo>()
  const look = async ([key, sha256]: [string, string]) => {
    const object = await store.head(key)
    if (object === undefined) findings.lost.push({ key, reason: 'named by a digest, but not in the logs' })
    else found.set(key, { ...object, sha256 })
  }
  await pMap(hashes, look, { concurrency: READS, signal: settings.signal })
  return found
}
