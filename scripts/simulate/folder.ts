import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { UsageError, UserError } from '../cli/errors.ts'
import { pathOf } from '../stores/folder-names.ts'
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
  const marker = await readMarker(folder)
  if (marker === undefined) {
    if (names.length === 0) return { state: 'write', keepExisting: false }
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
  if (marker.state === 'done' && marker.totals !== undefined && (await isWhole(folder, marker.totals)))
    return { state: 'done', totals: marker.totals }
  return { state: 'write', keepExisting: true }
}

/** Notes what will be written, and removes what an earlier simulation wrote and this one does not. Foreign files stay. */
export async function begin(folder: string, settings: Settings, keys: Iterable<string>, fresh: boolean): Promise<void> {
  await mkdir(folder, { recursive: true })
  const old: string[] = []
  if (fresh) for await (const key of keysIn(folder)) old.push(key)
  const list = await open(join(folder, `${KEYS}.new`), 'w')
  const stream = list.createWriteStream()
  const current = new Set<string>()
  for (const key of keys) {
    if (old.length > 0) current.add(key)
    if (!stream.write(`${JSON.stringify(key)}\n`)) await once(stream, 'drain')
  }
  await new Promise<void>((resolve, reject) => stream.on('error', reject).end(resolve))
  await rm(join(folder, LABELS), { force: true })
  await writeMarker(folder, { format: FORMAT, settings: JSON.parse(settingsText(settings)), state: 'writing' })
  for (const key of old) if (!current.has(key)) await rm(pathOf(folder, key), { force: true })
  await rename(join(folder, `${KEYS}.new`), join(folder, KEYS))
}

export async function finish(folder: string, settings: Settings, labels: string, totals: Totals): Promise<void> {
  await writeFile(join(folder, `${LABELS}.new`), labels)
  await rename(join(folder, `${LABELS}.new`), join(folder, LABELS))
  await writeMarker(folder, { format: FORMAT, settings: JSON.parse(settingsText(settings)), state: 'done', totals })
}

/** Whether all that was written is still there. */
async function isWhole(folder: string, totals: Totals): Promise<boolean> {
  let [objects, bytes] = [0, 0]
  for await (const key of keysIn(folder)) {
    const found = await stat(pathOf(folder, key)).catch(() => undefined)
    if (found === undefined) return false
    objects += 1
    bytes += found.size
  }
  const labels = await stat(join(folder, LABELS)).catch(() => undefined)
  return objects === totals.objects && bytes === totals.bytes && labels !== undefined
}

async function* keysIn(folder: string): AsyncGenerator<string> {
  const path = join(folder, KEYS)
  if ((await stat(path).catch(() => undefined)) === undefined) return
  for await (const line of createInterface({ input: createReadStream(path) })) if (line !== '') yield JSON.parse(line)
}

async function readMarker(folder: string): Promise<Marker | undefined> {
  const text = await readFile(join(folder, MARKER), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const marker: unknown = JSON.parse(text)
    if (typeof marker === 'object' && marker !== null && 'settings' in marker) return marker as Marker
  } catch {
    // Reported below.
  }
  throw new UserError(`${join(folder, MARKER)} is damaged`, { hint: '--overwrite simulates anew' })
}

async function writeMarker(folder: string, marker: Marker): Promise<void> {
  const draft = join(folder, `${MARKER}.new`)
  await writeFile(draft, `${JSON.stringify(marker, null, 2)}\n`)
  await rename(draft, join(folder, MARKER))
}
