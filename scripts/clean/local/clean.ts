import type { Stats } from 'node:fs'
import { lstat, readdir, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Leftover } from '../../lib/aws/leftover.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { bytes, plural } from '../../lib/cli/format.ts'
import { endpointOf, stateOf, stopEndpoint } from '../../lib/runs/endpoint.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { combinedReports, LAST, type Leftovers, REPLACEABLE } from '../leftovers.ts'

/** What a run on this machine has left. */
export async function* localLeftovers(run: Run, everything: boolean): Leftovers {
  const folder = await ownFolder(run)
  yield await endpointLeftovers(run)
  if (everything) yield await combinedReports(run)
  const names = everything
    ? [...(await readdir(folder)).filter((name) => !LAST.includes(name)).sort(), paths.ledger]
    : REPLACEABLE.map((key) => key.replace(/\/$/, ''))
  const found = await Promise.all(names.map((name) => leftoverAt(join(folder, name), name)))
  yield found.filter((leftover) => leftover !== undefined)
}

/** The endpoint that is noted, running or not. */
async function endpointLeftovers(run: Run): Promise<Leftover[]> {
  const record = await endpointOf(run)
  if (record === undefined) return []
  const remove = async () => {
    await stopEndpoint(record, run.host)
    await run.store.remove(paths.endpoint)
  }
  const state = await stateOf(record)
  return state === 'ours' || state === 'silent'
    ? [{ what: `endpoint ${record.url}`, files: 0, bytes: 0, note: 'running', done: 'stopped', remove }]
    : [{ what: 'note of the endpoint', files: 0, bytes: 0, note: `${record.url} no longer runs`, remove }]
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

/** A link goes itself, never what it points to. Files that have another name elsewhere, such as linked logs, free nothing. */
async function leftoverAt(path: string, what: string): Promise<Leftover | undefined> {
  let [files, size, linked] = [0, 0, 0]
  const top = await statOf(path)
  if (top === undefined) return undefined
  for await (const stats of statsBelow(path, top)) {
    files += 1
    size += stats.size
    if (stats.nlink > 1) linked += stats.size
  }
  const note = `${plural(files, 'file')}, ${bytes(size)}; ${bytes(linked)} of it are links to logs that stay`
  const remove = () => rm(path, { recursive: true, force: true })
  return { what, files, bytes: size - linked, ...(linked > 0 && { note }), remove }
}

/** What lies at a path and below, without following links. */
async function* statsBelow(path: string, stats: Stats): AsyncGenerator<Stats> {
  if (!stats.isDirectory()) {
    yield stats
    return
  }
  for (const name of await readdir(path)) {
    const below = await statOf(join(path, name))
    if (below !== undefined) yield* statsBelow(join(path, name), below)
  }
}

const statOf = (path: string): Promise<Stats | undefined> =>
  lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
