import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip, gzipSync } from 'node:zlib'
import { DRAFT, pathOf } from '../lib/stores/folder-names.ts'

const compress = promisify(gzip)

/** Larger files are compressed and written by other threads, this many at once; for smaller ones that takes longer than the work itself. */
const IN_FLIGHT = 8
const LARGE = 100_000
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
  private readonly folders = new Set<string>()
  private readonly pending = new Set<Promise<void>>()
  private failure: unknown

  constructor(folder: string, options: { keepExisting: boolean }) {
    this.folder = folder
    this.keepExisting = options.keepExisting
  }

  /** Returns when there is room for another object; a failure shows at a later call or in `end`. */
  async put(key: string, content: Buffer): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    const path = pathOf(this.folder, key)
    this.objects += 1
    this.plainBytes += content.length
    if (this.keepExisting && existsSync(path)) this.bytes += statSync(path).size
    else if (content.length < LARGE) this.writeSmall(path, content)
    else await this.writeLarge(path, content)
  }

  async end(): Promise<void> {
    await Promise.all(this.pending)
    if (this.failure !== undefined) throw this.failure
  }

  private writeSmall(path: string, content: Buffer): void {
    const stored = isCompressed(path) ? signed(gzipSync(content, { level: LEVEL })) : content
    const draft = this.draftOf(path)
    writeFileSync(draft, stored)
    renameSync(draft, path)
    this.count(stored)
  }

  private async writeLarge(path: string, content: Buffer): Promise<void> {
    const write = async () => {
      const stored = isCompressed(path) ? signed(await compress(content, { level: LEVEL })) : content
      const draft = this.draftOf(path)
      await writeFile(draft, stored)
      await rename(draft, path)
      this.count(stored)
    }
    const work: Promise<void> = write()
      .catch((error: unknown) => {
        this.failure ??= error
      })
      .finally(() => this.pending.delete(work))
    this.pending.add(work)
    if (this.pending.size >= IN_FLIGHT) await Promise.race(this.pending)
  }

  private count(stored: Buffer): void {
    this.bytes += stored.length
    this.written += 1
  }

  /** A name of its own in the object's folder, which is made where it is missing; a later writer replaces what is left of it. */
  private draftOf(path: string): string {
    const folder = dirname(path)
    if (!this.folders.has(folder)) mkdirSync(folder, { recursive: true })
    this.folders.add(folder)
    return join(folder, `${DRAFT}${createHash('sha256').update(basename(path)).digest('hex').slice(0, 16)}`)
  }
}

const isCompressed = (path: string): boolean => path.endsWith('.gz')

/** Says of no system that it wrote this: the same bytes on all. */
function signed(stored: Buffer): Buffer {
  stored[SYSTEM_BYTE] = 255
  return stored
}
