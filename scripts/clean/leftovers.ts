import { rmdir } from 'node:fs/promises'
import type { Leftover } from '../lib/aws/leftover.ts'
import { withLock } from '../lib/runs/lock.ts'
import { paths, REPORTS } from '../lib/runs/paths.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Removal } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { compactTime } from '../lib/runs/window.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'

/**
 * What a run has left, in the order in which it can be removed. First what still works for the run and writes into its folder; what
 * lies there is listed when the next group is asked for, so that nothing writes any more. Listing changes nothing.
 */
export type Leftovers = AsyncIterable<readonly Leftover[]>

/** What goes by default: copies that can be made again, and drafts. */
export const REPLACEABLE = [paths.staged, paths.tmp]

/** What goes last: while the ledger exists, an interrupted removal can be repeated, and the lock is held while clean works. */
export const LAST: readonly string[] = [paths.ledger, paths.lock]

/** Reports over several runs, one of which is this one: they name its entities. */
export async function combinedReports(run: Run, aws: AwsSettings = {}): Promise<Leftover[]> {
  const root = await openStore(run.workspace, aws)
  const { from, to } = windowOfRequest(run.request)
  const window = `-${compactTime(from)}-${compactTime(to)}-`
  const found: Leftover[] = []
  for await (const { key, size } of root.list({ prefix: REPORTS }))
    if (key.includes(window) && (await root.text(key))?.includes(run.id))
      found.push({ what: key, files: 1, bytes: size, remove: () => root.remove(key) })
  return found
}

/** Removes what can be made again, which the ledger records; or everything, the ledger itself included. */
export async function removeAll(
  run: Run,
  everything: boolean,
  work: () => Promise<Removal[]>,
): Promise<readonly Removal[]> {
  if (!everything) {
    const plan = { settings: {}, inputs: [], overwrite: true }
    return (await run.step('clean', plan, async () => ({ removed: await work() }))).removed
  }
  const removed = await withLock(run.store, { ...run.host, step: 'clean' }, work)
  // With the lock the last file is gone. If somebody has taken up the run again meanwhile, its folder stays.
  if (run.folder !== undefined) await rmdir(run.folder).catch(() => {})
  return removed
}

/** Removes one after the other. */
export async function removeEach(leftovers: Leftovers, signal: AbortSignal): Promise<Removal[]> {
  const removed: Removal[] = []
  for await (const group of leftovers)
    for (const { what, files, bytes, done, remove } of group) {
      signal.throwIfAborted()
      await remove(signal)
      removed.push({ what, files, bytes, ...(done !== undefined && { done }) })
    }
  return removed
}
