import { pMapIterable } from 'p-map'
import { UsageError, UserError } from '../../../lib/cli/errors.ts'
import { count, plural } from '../../../lib/cli/format.ts'
import { PRICES } from '../../../lib/runs/cost.ts'
import type { FoundTable } from '../../../lib/sources/discover.ts'
import { paddedSpan } from '../../../lib/sources/layout.ts'
import { type IcebergTable, metadataKeyIn, readMetadata } from '../../../lib/stores/iceberg/metadata.ts'
import { narrows, type Scan, scanTable, tablePlace } from '../../../lib/stores/iceberg/scan.ts'
import { matched, type ObjectInfo, type Store } from '../../../lib/stores/store.ts'
import type { Failure } from '../../copy/copier.ts'
import type { KeySource, ListSettings, Scope } from '../key-source.ts'

interface Scanned extends FoundTable {
  readonly described: IcebergTable
  /** How its metadata was found. */
  readonly how: string
  readonly scan: Scan
}

/** The data files of tables that may hold events of the window, each looked at: the metadata may name what the lake's retention has removed. */
export async function tableKeys(
  store: Store,
  found: readonly FoundTable[],
  scope: Scope,
  settings: ListSettings,
): Promise<KeySource & { readonly scanned: readonly Scanned[] }> {
  const { base, concurrency, signal } = settings
  const scanned: Scanned[] = []
  for (const one of found) {
    signal.throwIfAborted()
    scanned.push(await scannedTable(store, one, scope, settings))
  }
  const lost: Failure[] = []
  const looks = { what: 'HEAD requests', count: 0, each: PRICES.getRequest }
  const look = async ({ key, size }: ObjectInfo): Promise<ObjectInfo | undefined> => {
    looks.count += 1
    const now = await store.head(key)
    if (now?.size === size) return now
    const reason =
      now === undefined
        ? 'named by the table’s metadata, but not there: removed by the lake’s retention, or not copied with the rest'
        : `${now.size} bytes, and ${size} by the table’s metadata`
    lost.push({ key, reason })
    return undefined
  }
  const files = scanned.flatMap(({ scan }) => scan.files).filter(({ key }) => key.startsWith(base))
  return {
    scanned,
    objects: (async function* () {
      for await (const object of pMapIterable(files, look, { concurrency })) if (object !== undefined) yield object
    })(),
    findings: {
      looked: scanned.map((one) => lookedAt(store, one)),
      warnings: [],
      lost,
      replaced: found.map(({ prefix }) => prefix),
      ...(store.localPath === undefined && { costs: [looks] }),
      nearest: async () => [],
    },
  }
}

async function scannedTable(
  store: Store,
  { table, prefix }: FoundTable,
  scope: Scope,
  { catalog }: ListSettings,
): Promise<Scanned> {
  const current = await catalog?.(table.folder)
  const isKnown = current !== undefined && 'key' in current
  const described = await readMetadata(store, isKnown ? current.key : await metadataKeyIn(store, prefix))
  const unknown = current === undefined || isKnown ? '' : `; the catalog does not tell: ${current.unknown}`
  const how = isKnown ? 'by the catalog' : `by the highest number${unknown}`
  for (const [column, wanted] of [
    ['accountid', scope.accounts],
    ['region', scope.regions],
  ] as const)
    if (wanted.length > 0 && !narrows(described, column))
      throw new UsageError(
        `the files of ${store.uriOf(prefix)} are not divided by ${column}, so that it cannot be narrowed`,
        `leave --${column === 'region' ? column : 'account'} out`,
      )
  const layout = scope.source.layouts.find(({ id }) => id === table.insteadOf)
  const { unit = 1, before = 0, after = 0 } = { ...layout?.padding, unit: 1 }
  const span = paddedSpan({ unit, before, after, lateHours: 0 }, scope.window)
  const place = tablePlace(store, prefix)
  const { accounts, regions } = scope
  const wanted = { from: span.first.getTime(), to: span.last.getTime(), accounts, regions }
  return { table, prefix, described, how, scan: await scanTable(place, described, wanted) }
}

function lookedAt(store: Store, { prefix, described: { snapshot }, how, scan }: Scanned): string {
  const state = snapshot === undefined ? 'no snapshot' : `snapshot ${snapshot.id} of ${snapshot.time.toISOString()}`
  return `Iceberg table ${store.uriOf(prefix)}: ${state}, ${count(scan.files.length)} of ${plural(scan.seen, 'file')}; metadata ${how}`
}

/**
 * Objects that were listed and those of tables, in key order. @throws UserError where both have the same kind of events, which would count twice
 */
export async function* withoutTwins(
  listed: AsyncIterable<ObjectInfo>,
  { objects, scanned }: { objects: AsyncIterable<ObjectInfo>; scanned: readonly Scanned[] },
): AsyncGenerator<ObjectInfo> {
  const full = scanned.filter(({ scan }) => scan.files.length > 0)
  for await (const { left, right } of matched(listed, objects)) {
    const twin = left && full.find(({ prefix }) => left.key.startsWith(prefix.replace(/[^/]+\/$/, '')))
    if (twin !== undefined && left !== undefined)
      throw new UserError(
        `the window is in version 1 and in version 2 of the lake, ${JSON.stringify(left.key)} and ${twin.prefix}: its events would count twice`,
        {
          hint: 'in S3 name the folder of one version with --logs, which ends in /1.0/ or /2.0/; on this machine take the other folder away',
        },
      )
    const object = left ?? right
    if (object !== undefined) yield object
  }
}
