import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { messageOf } from '../../cli/errors.ts'
import type { Content } from './content.ts'
import { Malformed } from './json-bytes.ts'
import { RecordReader } from './records.ts'

/** The records of some log files, a line of JSON each, in one file. */
export interface Part {
  readonly path: string
  /** In the order of the lines. */
  readonly files: readonly { readonly key: string; readonly records: number }[]
}

/** Bytes after which a part ends with the log file at hand: enough for its lines to be loaded while the next is written. */
const PART = 16 << 20

/** Writes the records of log files into parts, all of a file or none. */
export class PartWriter {
  private readonly prefix: string
  private readonly reader: RecordReader
  private readonly onPart: (part: Part) => void
  private part: { readonly fd: number; readonly path: string; readonly files: { key: string; records: number }[] }
  private parts = 0
  private end = 0

  /** @param prefix of the paths of parts */
  constructor(prefix: string, members: readonly string[], onPart: (part: Part) => void) {
    this.prefix = prefix
    this.reader = new RecordReader(members)
    this.onPart = onPart
    this.part = this.open()
  }

  /** Adds the records of a file. Returns what is wrong with it, if something is; then nothing of it is left. */
  async append(key: string, content: () => Promise<Content>): Promise<string | undefined> {
    const { reader } = this
    const before = reader.records
    let end = this.end
    try {
      for await (const chunk of await content()) end += this.write(reader.push(chunk), end)
      if (!reader.end()) return 'it ends in the middle of a record'
    } catch (error) {
      reader.end()
      if (error instanceof Malformed) return messageOf(error)
      throw error
    }
    this.end = end
    this.part.files.push({ key, records: reader.records - before })
    if (end > PART) this.turn()
    return undefined
  }

  /** Hands over the last part. */
  close(): void {
    const { fd, path, files } = this.part
    ftruncateSync(fd, this.end)
    closeSync(fd)
    this.onPart({ path, files })
  }

  private turn(): void {
    this.close()
    this.part = this.open()
  }

  private open() {
    const path = `${this.prefix}-${this.parts++}.ndjson`
    this.end = 0
    return { fd: openSync(path, 'w'), path, files: [] }
  }

  private write(bytes: Buffer, position: number): number {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.part.fd, bytes, done, bytes.length - done, position + done)
    return bytes.length
  }
}
