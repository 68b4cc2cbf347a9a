import { writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { messageOf } from '../../cli/errors.ts'
import { type Content, contentOf, type Unzstd } from './content.ts'
import { Malformed } from './json-bytes.ts'
import { RecordReader } from './records.ts'

/** A log file. */
export interface LogFile {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** A file that cannot be read to its end, or is no log file. */
export type BadFile = { readonly key: string; readonly reason: string }

/** The records of log files, a line of JSON each, in one file. */
export interface Spool {
  readonly path: string
  readonly records: number
  /** In the order of the lines. */
  readonly files: readonly { readonly key: string; readonly records: number }[]
  readonly bad: readonly BadFile[]
}

export interface SpoolSettings {
  /** Where the records go. */
  readonly path: string
  /** Members of a record that are kept. */
  readonly members: readonly string[]
  /** Keys of files that are known to be bad already. */
  readonly bad: readonly BadFile[]
  /** Whether the first bad file ends it. */
  readonly failFast: boolean
  readonly unzstd: Unzstd
  readonly signal: AbortSignal
  onFile(): void
}

/** Files that are read and unpacked, on other threads, while earlier ones are searched for records. */
const AHEAD = 4

/** Gathers the records of log files, all of a file or none. Files are taken in their order, so that the lines are always the same. */
export async function spool(files: readonly LogFile[], settings: SpoolSettings): Promise<Spool> {
  const known = new Set(settings.bad.map(({ key }) => key))
  const writer = new Writer(await open(settings.path, 'w'), new RecordReader(settings.members))
  const bad = [...settings.bad]
  try {
    for await (const { file, content } of opened(
      files.filter(({ key }) => !known.has(key)),
      settings.unzstd,
    )) {
      settings.signal.throwIfAborted()
      const reason = await writer.append(file.key, content)
      settings.onFile()
      if (reason !== undefined) bad.push({ key: file.key, reason })
      if (reason !== undefined && settings.failFast) break
    }
  } finally {
    await writer.close()
  }
  const { files: read } = writer
  return { path: settings.path, records: read.reduce((sum, { records }) => sum + records, 0), files: read, bad }
}

interface Opened {
  readonly file: LogFile
  readonly content: Promise<Content>
}

/** Opens files ahead of their turn. */
async function* opened(files: readonly LogFile[], unzstd: Unzstd): AsyncGenerator<Opened> {
  const queue: Opened[] = []
  const start = (file: LogFile | undefined) => {
    if (file === undefined) return
    const content = contentOf(file.path, file.size, unzstd)
    // Until its turn comes nobody listens.
    content.catch(() => {})
    queue.push({ file, content })
  }
  for (const file of files.slice(0, AHEAD)) start(file)
  try {
    for (let next = AHEAD; ; next++) {
      const first = queue.shift()
      if (first === undefined) return
      start(files[next])
      yield first
    }
  } finally {
    await Promise.allSettled(queue.map(({ content }) => content))
  }
}

class Writer {
  readonly files: { key: string; records: number }[] = []
  private readonly handle: FileHandle
  private readonly reader: RecordReader
  private end = 0

  constructor(handle: FileHandle, reader: RecordReader) {
    this.handle = handle
    this.reader = reader
  }

  /** Adds the records of a file. Returns what is wrong with it, if something is; then nothing of it is left. */
  async append(key: string, content: Promise<Content>): Promise<string | undefined> {
    const { reader } = this
    const before = reader.records
    let end = this.end
    try {
      for await (const chunk of await content) end += this.write(reader.push(chunk), end)
      if (!reader.end()) return 'it ends in the middle of a record'
    } catch (error) {
      reader.end()
      if (error instanceof Malformed) return messageOf(error)
      throw error
    }
    this.end = end
    this.files.push({ key, records: reader.records - before })
    return undefined
  }

  private write(bytes: Buffer, position: number): number {
    for (let done = 0; done < bytes.length; ) {
      // The system only takes a copy here; waiting for a thread would cost more.
      done += writeSync(this.handle.fd, bytes, done, bytes.length - done, position + done)
    }
    return bytes.length
  }

  async close(): Promise<void> {
    await this.handle.truncate(this.end)
    await this.handle.close()
  }
}
