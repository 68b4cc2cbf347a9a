import { createHash } from 'node:crypto'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pathOf } from '../stores/folder-names.ts'

const compress = promisify(gzip)

/** Files that are compressed and written at once: as many as libuv has threads, and some that wait for one. */
const IN_FLIGHT = 8
/** The same everywhere: a fast level, since logs are simulated to be read. */
const LEVEL = 4
/** Where gzip says which system wrote it; 255 is "unknown". */
const SYSTEM_BYTE = 9

/** Writes objects below a folder, each complete or not at all. Objects whose key ends in `.gz` are compressed. */
export class Writer {
  objects = 0
  /** As stored. */
  bytes = 0
  /** Before compression. */
  plainBytes = 0
  /** Written now, not found. */
  written = 0
  private readonly folder: string
  private readonly keepExisting: boolean
  private readonly folders = new Map<string, Promise<unknown>>()
  private readonly pending = new Set<Promise<void>>()
  private failure: unknown

  constructor(folder: string, options: { keepExisting: boolean }) {
    this.folder = folder
    this.keepExisting = options.keepExisting
  }

  /** Returns when there is room for another object; a failure shows at a later call or in `end`. */
  async put(key: string, content: Buffer): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    const work: Promise<void> = this.store(pathOf(this.folder, key), content)
      .catch((error: unknown) => {
        this.failure ??= error
      })
      .finally(() => this.pending.delete(work))
    this.pending.add(work)
    if (this.pending.size >= IN_FLIGHT) await Promise.race(this.pending)
  }

  async end(): Promise<void> {
    await Promise.all(this.pending)
    if (this.failure !== undefined) throw this.failure
  }

  private async store(path: string, content: Buffer): Promise<void> {
    const size = (this.keepExisting ? await sizeOf(path) : undefined) ?? (await this.write(path, content))
    this.objects += 1
    this.bytes += size
    this.plainBytes += content.length
  }

  private async write(path: string, content: Buffer): Promise<number> {
    const stored = path.endsWith('.gz') ? await compress(content, { level: LEVEL }) : content
    if (stored !== content) stored[SYSTEM_BYTE] = 255
    await this.folderOf(path)
    const draft = join(
      dirname(path),
      `.draft-${createHash('sha256').update(basename(path)).digest('hex').slice(0, 16)}`,
    )
    await writeFile(draft, stored)
    await rename(draft, path)
    this.written += 1
    return stored.length
  }

  private folderOf(path: string): Promise<unknown> {
    const folder = dirname(path)
    const made = this.folders.get(folder) ?? mkdir(folder, { recursive: true })
    this.folders.set(folder, made)
    return made
  }
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
