import type { Dirent, Stats } from 'node:fs'
import { lstat, readdir, realpath, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../lib/cli/errors.ts'
import { type EndpointRecord, endpointOf, stateOf, stopEndpoint } from '../../lib/runs/endpoint.ts'
import { withLock } from '../../lib/runs/lock.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Removal } from '../../lib/runs/results.ts'
import type { Run } from '../../lib/runs/run.ts'
import { pagesAbout } from '../leftovers.ts'

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

/** Something in a run's folder that may go. */
export interface Remnant {
  readonly name: string
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** Bytes of files that have another name elsewhere, such as the logs they were linked from: removing them frees nothing. */
  readonly linkedBytes: number
}

/** What goes by default: copies that can be made again, and drafts. */
const REPLACEABLE = [paths.staged, paths.tmp]

/** The lock is ours while we work; and while the ledger stands, an interrupted removal can be started again. */
const LAST: readonly string[] = [paths.ledger, paths.lock]

/** What lies in the run's folder to remove: the replaceable things, or all but the lock. */
async function remnantsOf(run: Run, everything: boolean): Promise<Remnant[]> {
  const folder = await ownFolder(run)
  const names = everything
    ? [...(await readdir(folder)).filter((name) => !LAST.includes(name)).sort(), paths.ledger]
    : REPLACEABLE.map((key) => key.replace(/\/$/, ''))
  const found = await Promise.all(names.map((name) => measure(name, join(folder, name))))
  const pages = everything ? await pagesIn(run) : []
  return [...pages, ...found].filter((remnant) => remnant !== undefined)
}

/** First, since the ledger goes last. */
async function pagesIn(run: Run): Promise<(Remnant | undefined)[]> {
  const { root, pages } = await pagesAbout(run)
  return Promise.all(pages.map(({ key }) => measure(key, join(root.uri, key))))
}

/**
 * The folder as it is called, when it is a real folder at its place in the workspace.
 * @throws UserError when it is a link to somewhere else
 */
async function ownFolder(run: Run): Promise<string> {
  const folder = run.path('')
  const runs = await realpath(dirname(folder))
  if ((await realpath(folder)) === join(runs, run.id)) return folder
  throw new UserError(`${folder} is a link to another place`, {
    hint: 'only a run folder that lies in its workspace is cleaned; remove the link or what it points to by hand',
  })
}

async function measure(name: string, path: string): Promise<Remnant | undefined> {
  let [files, bytes, linkedBytes] = [0, 0, 0]
  const top = await statOf(path)
  if (top === undefined) return undefined
  for await (const stats of statsBelow(path, top)) {
    files += 1
    bytes += stats.size
    if (stats.nlink > 1) linkedBytes += stats.size
  }
  return { name, path, files, bytes, linkedBytes }
}

/** What lies at a path and below, without following links. */
async function* statsBelow(path: string, stats: Stats): AsyncGenerator<Stats> {
  if (!stats.isDirectory()) {
    yield stats
    return
  }
  const entries: Dirent[] = await readdir(path, { withFileTypes: true })
  for (const { name } of entries) {
    const below = await statOf(join(path, name))
    if (below !== undefined) yield* statsBelow(join(path, name), below)
  }
}

const statOf = (path: string): Promise<Stats | undefined> =>
  lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

/** Removes it; a link goes itself, never what it points to. */
const remove = ({ path }: Remnant): Promise<void> => rm(path, { recursive: true, force: true })
