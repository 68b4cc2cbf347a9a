import { UsageError, UserError } from '../../lib/cli/errors.ts'
import { count, quoted } from '../../lib/cli/format.ts'
import { type CostItem, PRICES } from '../../lib/runs/cost.ts'
import { bulkUri, paths } from '../../lib/runs/paths.ts'
import { runIdOf } from '../../lib/runs/request.ts'
import { describeWindow, EmptyWindow } from '../../lib/runs/window.ts'
import { isOfRun } from '../../lib/runs/workspace.ts'
import type { Task } from '../request.ts'
import { digestKeys } from './digest/digest.ts'
import { keysOfFile } from './file.ts'
import { inventoryKeys } from './inventory/inventory.ts'
import type { KeySource, ListSettings } from './key-source.ts'
import { listKeys } from './list.ts'
import { looseKeys } from './loose.ts'

export interface FindSettings {
  readonly concurrency: number
  readonly signal: AbortSignal
  readonly workspace: string
  readonly workgroup: string
  /** Minutes. */
  readonly queryTimeout: number
  warn(text: string): void
  onState(text: string): void
}

/** Finds the keys of a task as was asked for; by the objects' names where logs were copied out of their folders. */
export async function findKeys(task: Task, settings: FindSettings): Promise<KeySource> {
  const { logs, scope, request } = task
  const { store, base } = logs
  const search = { ...settings, base }
  if (task.keysFile !== undefined) return keysOfFile(store, task.keysFile, search)
  if (request.keys === 'digest') return digestKeys(store, scope, search)
  if (request.keys === 'inventory')
    return withoutRuns(
      await inventoryKeys(request.keysFrom ?? '', scope, {
        ...task.aws,
        base,
        signal: settings.signal,
        etags: store.localPath === undefined,
      }),
      base,
    )
  if (request.keys === 'metadata') return withoutRuns(await keysOfMetadata(task, settings), base)
  const byLayout = await listKeys(store, scope, { ...search, ...catalogOf(task, settings) })
  if (byLayout !== undefined) return byLayout
  if (store.localPath !== undefined) return looseKeys(store, scope, base, settings.signal)
  throw new UserError(`${logs.uri} has no ${scope.source.id} logs: no folder below it has one of their layouts`, {
    hint: `npx zx scripts/inventory.mjs --logs ${quoted(logs.uri)}`,
  })
}

/** Reports also name what runs have staged in the same bucket. Listings leave it out by themselves. */
function withoutRuns({ objects, findings }: KeySource, base: string): KeySource {
  async function* outside() {
    for await (const object of objects) if (!isOfRun(object.key.slice(base.length))) yield object
  }
  return { objects: outside(), findings }
}

const NEVER = new Date(0)

/** How the catalog of a bucket is asked about its tables; a folder has none. */
function catalogOf({ logs, aws }: Task, settings: FindSettings): Pick<ListSettings, 'catalog'> {
  if (logs.store.localPath !== undefined) return {}
  const place = { ...aws, ...settings, bucket: logs.bucket }
  return {
    catalog: async (folder) => {
      const { currentMetadata } = await import('./iceberg/catalog.ts')
      return currentMetadata(place, folder)
    },
  }
}

/** Metadata tables are read through Athena. */
async function keysOfMetadata({ logs, scope, request, aws }: Task, settings: FindSettings): Promise<KeySource> {
  if (logs.store.localPath !== undefined)
    throw new UsageError(`--keys metadata reads the tables of a bucket, and ${logs.uri} is a folder`)
  const { workspace } = settings
  const { athenaRows, isInventoryComplete, metadataKeys } = await import('./metadata.ts')
  const isComplete = await isInventoryComplete(logs.bucket, aws, settings.warn)
  const costs: CostItem[] = []
  const place = {
    ...aws,
    // These are about the bucket of the logs, which is not read here.
    expectedBucketOwner: undefined,
    requesterPays: undefined,
    ...settings,
    bucket: logs.bucket,
    // The run may not be there yet.
    scratch: workspace.startsWith('s3://') ? bulkUri(workspace, runIdOf(request), `${paths.tmp}keys/`) : undefined,
    onScanned: (count: number) => costs.push({ what: 'bytes scanned by Athena', count, each: PRICES.athenaByte }),
  }
  const table = { bucket: logs.bucket, table: 'inventory' } as const
  const { objects, findings } = metadataKeys(table, scope, logs.base, { query: (sql) => athenaRows(sql, place), costs })
  return { objects, findings: { ...findings, ...(!isComplete && { asOf: NEVER }) } }
}

/** Keys that an error names. */
const SHOWN = 5

/** The failure of a window that no key lies in: what was looked at, and what lies nearest. */
export async function emptyWindow(task: Task, { findings }: KeySource): Promise<UserError> {
  const { source, window } = task.scope
  const { lost } = findings
  if (lost.length > 0) {
    const named = lost.slice(0, SHOWN).map(({ key, reason }) => `\n    ${JSON.stringify(key)}: ${reason}`)
    const more = lost.length > named.length ? `\n    and ${count(lost.length - named.length)} more` : ''
    return new EmptyWindow(
      `none of the ${source.id} logs that are named can be staged from ${task.logs.uri}${named.join('')}${more}`,
      { hint: `see what is there: npx zx scripts/inventory.mjs --logs ${quoted(task.logs.uri)}` },
    )
  }
  const nearest = await findings.nearest()
  const lines = [...findings.looked, ...(nearest.length > 0 ? nearest : ['there is nothing near it either'])]
  return new EmptyWindow(
    `no ${source.id} logs of ${describeWindow(window)} under ${task.logs.uri}${lines.map((line) => `\n    ${line}`).join('')}`,
    { hint: `name another window, or see what there is: npx zx scripts/inventory.mjs --logs ${quoted(task.logs.uri)}` },
  )
}
