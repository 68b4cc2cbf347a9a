import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import * as v from 'valibot'
import { messageOf, UsageError, UserError } from '../lib/cli/errors.ts'
import { fitted, json, whole } from '../lib/cli/shapes.ts'
import { paths } from '../lib/runs/paths.ts'
import { folderStore } from '../lib/stores/folder.ts'
import { DRAFT } from '../lib/stores/folder-names.ts'
import { linesOf } from '../lib/stores/lines.ts'
import type { Store } from '../lib/stores/store.ts'
import { type Settings, settingsText } from './settings.ts'

/** Files that simulate writes beside the logs. By the first one it recognizes its own folders. */
const MARKER = 'simulation.json'
export const LABELS = 'labels.csv'
/** Every key that was or will be written, one per line: only these are ever removed. */
const KEYS = 'simulation-keys.txt'

/** Raised whenever the same settings give other bytes than before. */
const FORMAT = 1

const totalsSchema = v.object({
  /** As stored. */
  objects: whole,
  bytes: whole,
  /** Before compression. */
  plainBytes: whole,
  events: whole,
  duplicates: whole,
  attacks: whole,
})

export type Totals = v.InferOutput<typeof totalsSchema>

const markerSchema = v.object({
  format: v.number(),
  settings: json,
  state: v.picklist(['writing', 'done']),
  totals: v.exactOptional(totalsSchema),
})

type Marker = v.InferOutput<typeof markerSchema>

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
      hint: 'name another folder; --overwrite writes into this one, beside the files that it has',
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

/** What a simulation leaves that was killed right after its start. */
const isOfBeginning = (name: string): boolean => name === paths.lock || name.startsWith(DRAFT)

/**
 * Records what will be written. A `fresh` simulation first removes what an earlier one wrote: files that exist once the new settings are
 * recorded count as written with them. Foreign files stay.
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

/** Writes the labels and records that everything is done. */
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
    return fitted(markerSchema, JSON.parse(text))
  } catch (error) {
    throw new UserError(`${store.uriOf(MARKER)} is damaged: ${messageOf(error)}`, {
      hint: 'add --overwrite to simulate again',
    })
  }
}

async function writeMarker(store: Store, settings: Settings, how: Pick<Marker, 'state' | 'totals'>): Promise<void> {
  const marker: Marker = { format: FORMAT, settings: JSON.parse(settingsText(settings)), ...how }
  await store.write(MARKER, `${JSON.stringify(marker, null, 2)}\n`)
}
