import { FILES, sourceIds } from '../sources/registry.ts'
import { type AwsSettings, type Logs, openLogs } from '../stores/open.ts'
import type { Store } from '../stores/store.ts'
import { LATEST } from './paths.ts'

/** A folder that is named as runIdOf names a run. */
const RUN = /(?:^|\/)[a-z]+(?:-\d{8}T\d{4}(?:\d{2})?Z){2}-[0-9a-f]{6}\//

/** The note of a workspace that says which run of a source is the latest. */
const NOTE = new RegExp(`(?:^|/)${LATEST}(?:${[...sourceIds, FILES].join('|')})\\.json$`)

/** Whether a key belongs to runs, or is the beginning of such keys: prestage wrote what lies there. */
export const isOfRun = (key: string): boolean => RUN.test(key) || NOTE.test(key)

/**
 * Opens logs without the copies that runs have of them: a workspace may lie among the logs, and an event must not count once more for
 * every run that has staged it. Who names a place within a run means it.
 */
export async function openLogsOutsideRuns(uri: string, aws: AwsSettings = {}): Promise<Logs> {
  const logs = await openLogs(uri, aws)
  return { ...logs, store: outsideRuns(logs.store, logs.base) }
}

/** The same store, with listings from the base on without runs. Below a branch of logs there are none: such listings stay as they are. */
function outsideRuns(store: Store, base: string): Store {
  const isSeen = (key: string) => !isOfRun(key.slice(base.length))
  async function* seen(options: Parameters<Store['list']>[0]) {
    for await (const object of store.list(options)) if (isSeen(object.key)) yield object
  }
  const sifted: Pick<Store, 'list' | 'prefixes'> = {
    list: (options = {}) => ((options.prefix ?? '') === base ? seen(options) : store.list(options)),
    prefixes: async (options) => (await store.prefixes(options)).filter(isSeen),
  }
  return Object.assign(Object.create(store) as Store, sifted)
}
