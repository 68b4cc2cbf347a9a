import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import { paths } from '../lib/runs/paths.ts'
import { folderStore } from '../lib/stores/folder.ts'
import { DRAFT } from '../lib/stores/folder-names.ts'
import { linesOf } from '../lib/stores/lines.ts'
import type { Store } from '../lib/stores/store.ts'
import { type Settings, settingsText } from './settings.ts'

/** What simulate leaves beside the logs, and by which it knows its own folders again. */
export const MARKER = 'simulation.json'
export const LABELS = 'labels.csv'
/** Every key that was or will be written, one a line: only these are ever removed. */
const KEYS = 'simulation-keys.txt'

/** Grows whenever equal settings make other bytes than before. */
const FORMAT = 1

export interface Totals {
  readonly objects: number
  readonly bytes: number
  readonly [figure: string]: unknown
}

interface Marker {
  readonly format: number
  readonly settings: unknown
  readonly state: 'writing' | 'done'
  readonly totals?: Totals
}

/** What is to be done with a folder. */
export type Claim =
  | { readonly state: 'write'; readonly keepExisting: boolean }
  | { readonly state: 'done'; readonly totals: Totals }

/**
 * Looks at a folder before anything is written. A folder of somebody else is left alone; one that was simulated with the same
 * settings is completed, with other settings only with `overwrite`.
 */
export async function claim(folder: string, settings: Settings, overwrite: boolean): Promise<Claim> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error.code === 'ENOTDIR' ? new UsageError(`--logs ${folder} is a file, not a folder`) : error
  })
  if (overwrite) return { state: 'write', keepExisting: false }
  const store = folderStore(folder)
  const marker = await readMarker(store)
  if (marker === undefined) {
    if (names.every(isOfBeginning)) return { state: 'write', keepExisting: false }
    throw new UserError(`--logs ${folder} is not empty and was not made by simulate`, {
      hint: 'name another folder; --overwrite writes into it all the same, beside what is there',
      exitCode: 2,
    })
  }
  if (marker.format !== FORMAT || JSON.stringify(marker.settings) !== settingsText(settings))
    throw new UsageError(
      `--logs ${folder} was simulated with other settings: ${JSON.stringify(marker.settings)}`,
      '--overwrite replaces it; or name another folder',
    )
  if (marker.state === 'done' && marker.totals !== undefined && (await isWhole(store, marker.totals)))
    return { state: 'done', totals: marker.totals }
  return { state: 'write', keepExisting: true }
}

/** What a simulation that was killed at once leaves of itself. */
const isOfBeginning = (name: string): boolean => name === paths.lock || name.startsWith(DRAFT)

/**
 * Notes what will be written; before that, a `fresh` simulation removes what an earlier one wrote. In this order, since whatever lies
 * there under the new settings is taken for written under them. Foreign files stay.
 */
export async function begin(folder: string, settings: Settings, keys: Iterable<string>, fresh: boolean): Promise<void> {
  const store = folderStore(folder)
  if (fresh) for await (const key of keysIn(store)) await store.remove(key)
  await store.remove(LABELS)
  await writeMarker(store, settings, { state: 'writing' })
  await store.write(KEYS, Readable.from(linesFor(keys)))
}

function* linesFor(keys: Iterable<string>): Generator<string> {
  for (const key of keys) yield `${JSON.stringify(key)}\n`
}

/** Writes the labels and notes that all is done. */
export async function finish(folder: string, settings: Settings, labels: string, totals: Totals): Promise<void> {
  const store = folderStore(folder)
  await store.write(LABELS, labels)
  await writeMarker(store, settings, { state: 'done', totals })
}

/** Whether all that was written is still there. */
async function isWhole(store: Store, totals: Totals): Promise<boolean> {
  let [objects, bytes] = [0, 0]
  for await (const key of keysIn(store)) {
    const found = await store.head(key)
    if (found === undefined) return false
    objects += 1
    bytes += found.size
  }
  return objects === totals.objects && bytes === totals.bytes && (await store.head(LABELS)) !== undefined
}

async function* keysIn(store: Store): AsyncGenerator<string> {
  if ((await store.head(KEYS)) === undefined) return
  for await (const line of linesOf(await store.read(KEYS))) yield JSON.parse(line)
}

async function readMarker(store: Store): Promise<Marker | undefined> {
  const text = await store.text(MARKER)
  if (text === undefined) return undefined
  try {
    const marker: unknown = JSON.parse(text)
    if (typeof marker === 'object' && marker !== null && 'settings' in marker) return marker as Marker
  } catch {
    // Reported below.
  }
  throw new UserError(`${store.uriOf(MARKER)} is damaged`, { hint: '--overwrite simulates anew' })
}

async function writeMarker(store: Store, settings: Settings, how: Pick<Marker, 'state' | 'totals'>): Promise<void> {
  const marker: Marker = { format: FORMAT, settings: JSON.parse(settingsText(settings)), ...how }
  await store.write(MARKER, `${JSON.stringify(marker, null, 2)}\n`)
}
