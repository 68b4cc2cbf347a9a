import { rmdir } from 'node:fs/promises'
import { type EndpointRecord, endpointOf, stateOf, stopEndpoint } from '../../lib/runs/endpoint.ts'
import { withLock } from '../../lib/runs/lock.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Removal } from '../../lib/runs/results.ts'
import type { Run } from '../../lib/runs/run.ts'
import { type Remnant, remnantsOf, remove } from './remnants.ts'

/** What a run has left. */
export interface Leftovers {
  /** An endpoint that is running, or one that is only noted. */
  readonly endpoint?: EndpointRecord & { readonly running: boolean }
  readonly remnants: readonly Remnant[]
}

/** Looks, changes nothing. */
export async function leftoversOf(run: Run, everything: boolean): Promise<Leftovers> {
  const record = await endpointOf(run)
  const state = record === undefined ? 'gone' : await stateOf(record)
  const running = state === 'ours' || state === 'silent'
  return {
    ...(record !== undefined && { endpoint: { ...record, running } }),
    remnants: await remnantsOf(run, everything),
  }
}

export const isNothing = ({ endpoint, remnants }: Leftovers): boolean => endpoint === undefined && remnants.length === 0

/** Stops the endpoint and removes what can be made again; the ledger notes it, and keeps what was done before. */
export async function removeReplaceable(run: Run, signal: AbortSignal): Promise<readonly Removal[]> {
  const step = { settings: {}, inputs: [], overwrite: true }
  const { removed } = await run.step('clean', step, async () => ({ removed: await carryOut(run, false, signal) }))
  return removed
}

/** Removes the run's whole folder, with the ledger itself: nothing is noted. */
export async function removeEverything(run: Run, signal: AbortSignal): Promise<readonly Removal[]> {
  const removed = await withLock(run.store, { ...run.host, step: 'clean' }, () => carryOut(run, true, signal))
  // With the lock the last file is gone. Somebody may have taken the run up again meanwhile: then it stays.
  await rmdir(run.path('')).catch(() => {})
  return removed
}

async function carryOut(run: Run, everything: boolean, signal: AbortSignal): Promise<readonly Removal[]> {
  const removed: Removal[] = []
  const { endpoint, remnants } = await leftoversOf(run, everything)
  if (endpoint !== undefined) {
    const how = await stopEndpoint(endpoint, run.host)
    await run.store.remove(paths.endpoint)
    if (how === 'stopped') removed.push({ what: `endpoint ${endpoint.url}`, files: 0, bytes: 0 })
  }
  for (const remnant of remnants) {
    signal.throwIfAborted()
    await remove(remnant)
    removed.push({ what: remnant.name, files: remnant.files, bytes: remnant.bytes - remnant.linkedBytes })
  }
  return removed
}
