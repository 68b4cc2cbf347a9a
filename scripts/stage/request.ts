import { resolve } from 'node:path'
import pMap from 'p-map'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import type { Request } from '../lib/runs/request.ts'
import { windowOf } from '../lib/runs/window.ts'
import { openLogsOutsideRuns } from '../lib/runs/workspace.ts'
import { discover, tablesIn } from '../lib/sources/discover.ts'
import { knownIds, sourceOf } from '../lib/sources/registry.ts'
import { settlingOf } from '../lib/sources/source.ts'
import type { AwsSettings, Logs } from '../lib/stores/open.ts'
import { placesIn } from '../lib/stores/uri.ts'
import { surveyKeysFile } from './keys/file.ts'
import type { Scope } from './keys/key-source.ts'

/** The options that say which data is wanted. */
export interface TaskOptions {
  readonly source: string | undefined
  readonly logs: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly last?: string | undefined
  readonly account: readonly string[]
  readonly region: readonly string[]
  readonly keys: 'list' | 'digest' | 'inventory' | 'metadata'
  readonly inventory?: string | undefined
  readonly keysFile?: string | undefined
}

export interface Task {
  readonly request: Request
  readonly scope: Scope
  readonly logs: Logs
  readonly aws: AwsSettings
  /** Path of `--keys-file`. */
  readonly keysFile?: string
}

/** Turns the options into a request and opens the logs. @throws UsageError for what is missing or contradictory */
export async function taskOf(options: TaskOptions, now: Date, aws: AwsSettings): Promise<Task> {
  if (options.source === undefined)
    throw new UsageError('no source', `add --source ${knownIds().join(' or --source ')}`)
  if (options.logs === undefined) throw noLogs()
  const source = sourceOf(options.source)
  const window = windowOf(options, now, settlingOf(source))
  const logs = await openLogsOutsideRuns(await placeOf(options.source, options.logs, aws), aws)
  const keys = await keysOf(options)
  const [accounts, regions] = [unique(options.account), unique(options.region)]
  return {
    logs,
    aws,
    ...(keys.file && { keysFile: keys.file }),
    scope: { source, window, accounts, regions },
    request: {
      source: options.source,
      logs: logs.uri,
      from: window.from.toISOString(),
      to: window.to.toISOString(),
      accounts,
      regions,
      ...keys.request,
    },
  }
}

export const noLogs = (): UsageError =>
  new UsageError('no logs', 'add --logs FOLDER or --logs s3://bucket; npx zx scripts/simulate.mjs makes some to try')

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort()

/** How the keys are found, as far as it selects data: a file of keys counts by its content. */
async function keysOf(options: TaskOptions): Promise<{ request: Pick<Request, 'keys' | 'keysFrom'>; file?: string }> {
  if (options.keysFile !== undefined) {
    if (options.keys !== 'list') throw new UsageError(`--keys-file and --keys ${options.keys} exclude each other`)
    const path = resolve(options.keysFile)
    const { keys, hash } = await surveyKeysFile(path)
    if (keys === 0) throw new UsageError(`--keys-file ${path} has no keys`)
    return { request: { keys: 'file', keysFrom: `${path}#${hash}` }, file: path }
  }
  if ((options.keys === 'inventory') !== (options.inventory !== undefined))
    throw new UsageError(
      '--keys inventory and --inventory URI go together',
      'name the manifest.json of an S3 Inventory report',
    )
  return { request: { keys: options.keys, ...(options.inventory !== undefined && { keysFrom: options.inventory }) } }
}

/**
 * Where a source is delivered: the place that is named, or of several the one that has its folders; that takes some LIST requests.
 * @throws UserError when none of them has, or more than one
 */
async function placeOf(source: string, uris: string, aws: AwsSettings): Promise<string> {
  const places = placesIn(uris)
  const [only = uris] = places
  if (places.length === 1) return only
  const looked = await pMap(places, (uri) => look(source, uri, aws), { concurrency: 4 })
  aws.signal?.throwIfAborted()
  const [found, ...more] = looked.flatMap(({ uri, has }) => (has === true ? [uri] : []))
  // A bucket that may not be read is of no matter to a source that lies elsewhere.
  if (found === undefined) for (const { has } of looked) if (typeof has !== 'boolean') throw has
  if (found === undefined)
    throw new UserError(`${places.join(' and ')} have no ${source} logs`, {
      hint: 'npx zx scripts/inventory.mjs --logs URI tells what lies in one of them',
    })
  if (more.length > 0)
    throw new UsageError(`${[found, ...more].join(' and ')} have ${source} logs`, 'name one of them with --logs')
  return found
}

/** Whether it has the source; or why that cannot be seen. */
async function look(source: string, uri: string, aws: AwsSettings): Promise<{ uri: string; has: boolean | UserError }> {
  try {
    const { store, base } = await openLogsOutsideRuns(uri, aws)
    const search = { base, concurrency: 8, ...(aws.signal && { signal: aws.signal }) }
    const { branches, roots } = await discover(store, sourceOf(source), search)
    return { uri, has: branches.length > 0 || (await tablesIn(store, sourceOf(source), roots, base)).length > 0 }
  } catch (error) {
    if (error instanceof UserError) return { uri, has: error }
    throw error
  }
}
