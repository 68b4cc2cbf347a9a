import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip, gzipSync } from 'node:zlib'
import { DRAFT, pathOf } from '../lib/stores/folder-names.ts'
import { ParquetMaker } from './parquet.ts'

const compress = promisify(gzip)

/** Larger files are compressed by other threads, this many at once; for smaller ones that takes longer than the work itself. */
const IN_FLIGHT = 8
const LARGE = 100_000
/** A fast level: simulated logs are made to be read. */
const LEVEL = 4
/** Position of the byte in which gzip names the operating system; 255 is "unknown". */
const SYSTEM_BYTE = 9

/** Writes objects below a folder, each complete or not at all. Objects whose key ends in `.gz` are compressed, those with columns become Parquet. */
export class Writer {
  objects = 0
  /** As stored. */
  bytes = 0
  /** Before compression. */
  plainBytes = 0
  /** Objects that did not exist before. */
  written = 0
  private readonly folder: string
  private readonly keepExisting: boolean
  private readonly folders = new Set<string>()
  private readonly pending = new Set<Promise<void>>()
  private readonly parquet = new ParquetMaker()
  private failure: unknown

  constructor(folder: string, options: { keepExisting: boolean }) {
    this.folder = folder
    this.keepExisting = options.keepExisting
  }

  /** Resolves when there is room for another object; a failure is thrown by a later call, or by `end`. */
  async put(key: string, content: Buffer, columns?: Readonly<Record<string, string>>): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    const path = pathOf(this.folder, key)
    this.objects += 1
    this.plainBytes += content.length
    if (this.keepExisting && existsSync(path)) this.bytes += statSync(path).size
    else if (columns !== undefined) this.store(path, await this.parquet.of(content, columns))
    else if (!path.endsWith('.gz')) this.store(path, content)
    else if (content.length < LARGE) this.store(path, signed(gzipSync(content, { level: LEVEL })))
    else await this.compress(path, content)
  }

  async end(): Promise<void> {
    await Promise.all(this.pending)
    await this.parquet.close()
    if (this.failure !== undefined) throw this.failure
  }

  private async compress(path: string, content: Buffer): Promise<void> {
    const work: Promise<void> = compress(content, { level: LEVEL })
      .then((stored) => this.store(path, signed(stored)))
      .catch((error: unknown) => {
        this.failure ??= error
      })
      .finally(() => this.pending.delete(work))
    this.pending.add(work)
    if (this.pending.size >= IN_FLIGHT) await Promise.race(this.pending)
  }

  private store(path: string, stored: Buffer): void {
    const draft = this.draftOf(path)
    writeFileSync(draft, stored)
    renameSync(draft, path)
    this.bytes += stored.length
    this.written += 1
  }

  /** A draft in the object's folder, which is created if it is missing. A later writer replaces a draft that was left behind. */
  private draftOf(path: string): string {
    const folder = dirname(path)
    if (!this.folders.has(folder)) mkdirSync(folder, { recursive: true })
    this.folders.add(folder)
    return join(folder, `${DRAFT}${createHash('sha256').update(basename(path)).digest('hex').slice(0, 16)}`)
  }
}

/** Names no operating system, so that the bytes are the same on all. */
function signed(stored: Buffer): Buffer {
  stored[SYSTEM_BYTE] = 255
  return stored
}
