import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { messageOf } from '../../cli/errors.ts'
import type { TextFormat } from '../../sources/text.ts'
import { contentOf, type LogFile, type Unpack } from './content.ts'
import { BLANK, KIND, Malformed, OPEN } from './json.ts'
import { RecordReader } from './reader.ts'
import { TextReader } from './text.ts'

/** What to keep of the records, and how lines of text are to be read where the source has such. */
export interface Wanted {
  /** Paths of members. */
  readonly members: readonly string[]
  readonly text?: TextFormat | undefined
}

/** A file with the records of some log files, a line of JSON each. */
export interface Part {
  readonly path: string
  /** In the order of the lines. */
  readonly files: readonly { readonly key: string; readonly records: number }[]
}

/** A part ends with the log file that makes it larger than this, so that it can be loaded while the next one is written. */
const PART = 16 << 20

/** Writes the records of log files into parts: all records of a file or none. */
export class PartWriter {
  private readonly prefix: string
  private readonly json: RecordReader
  private readonly text: TextReader | undefined
  private readonly onPart: (part: Part) => void
  private parts = 0
  private file: PartFile
  private files: { key: string; records: number }[] = []

  /** @param prefix of the paths of parts */
  constructor(prefix: string, { members, text }: Wanted, onPart: (part: Part) => void) {
    this.prefix = prefix
    this.json = new RecordReader(members)
    this.text = text && new TextReader(text, members)
    this.onPart = onPart
    this.file = this.next()
  }

  /** Adds the records of a file. When the file is bad, nothing of it is kept, and the reason is returned. */
  async append(log: LogFile, unpack: Unpack): Promise<string | undefined> {
    const { json, text, file } = this
    const { length } = file
    const before = json.records + (text?.records ?? 0)
    let reader: RecordReader | TextReader | undefined
    try {
      for await (const chunk of await contentOf(log, unpack)) {
        reader ??= text === undefined || isJson(chunk) ? json : text
        file.append(reader.push(chunk))
      }
      if (reader instanceof TextReader) file.append(reader.last())
      if (reader?.end() === false) throw new Malformed('it ends in the middle of a record')
    } catch (error) {
      reader?.end()
      if (!(error instanceof Malformed)) throw error
      file.cut(length)
      return messageOf(error)
    }
    this.files.push({ key: log.key, records: json.records + (text?.records ?? 0) - before })
    if (file.length > PART) this.turn()
    return undefined
  }

  /** Hands over the last part. */
  close(): void {
    this.file.close()
    this.onPart({ path: this.file.path, files: this.files })
  }

  private turn(): void {
    this.close()
    this.file = this.next()
    this.files = []
  }

  private next(): PartFile {
    return new PartFile(`${this.prefix}-${this.parts++}.ndjson`)
  }
}

/** Whether the bytes begin as JSON does; no line of text begins with a bracket. */
function isJson(bytes: Buffer): boolean {
  const first = bytes.find((byte) => KIND[byte] !== BLANK)
  return first !== undefined && KIND[first] === OPEN
}

/** Bytes that are buffered, so that many small writes become one. */
const HELD = 1 << 20

/** A file that grows at its end and can be cut back. */
export class PartFile {
  readonly path: string
  private readonly fd: number
  private readonly held = Buffer.allocUnsafe(HELD)
  private heldBytes = 0
  /** Bytes before the buffered ones. */
  private written = 0

  constructor(path: string) {
    this.path = path
    this.fd = openSync(path, 'w')
  }

  /** Bytes. */
  get length(): number {
    return this.written + this.heldBytes
  }

  append(bytes: Buffer): void {
    if (this.heldBytes + bytes.length > HELD) this.flush()
    if (bytes.length > HELD) this.write(bytes)
    else this.heldBytes += bytes.copy(this.held, this.heldBytes)
  }

  /** Removes everything after the first `length` bytes. */
  cut(length: number): void {
    this.heldBytes = Math.max(0, length - this.written)
    this.written = Math.min(this.written, length)
  }

  close(): void {
    this.flush()
    // Bytes that were cut may have been written.
    ftruncateSync(this.fd, this.written)
    closeSync(this.fd)
  }

  private flush(): void {
    this.write(this.held.subarray(0, this.heldBytes))
    this.heldBytes = 0
  }

  private write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      const more = writeSync(this.fd, bytes, done, bytes.length - done, this.written)
      this.written += more
      done += more
    }
  }
}
