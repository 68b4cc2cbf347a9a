import { messageOf } from '../../cli/errors.ts'
import type { Content } from './content.ts'
import { Malformed } from './json-bytes.ts'
import { PartFile } from './part-file.ts'
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
  private parts = 0
  private file: PartFile
  private files: { key: string; records: number }[] = []

  /** @param prefix of the paths of parts */
  constructor(prefix: string, members: readonly string[], onPart: (part: Part) => void) {
    this.prefix = prefix
    this.reader = new RecordReader(members)
    this.onPart = onPart
    this.file = this.next()
  }

  /** Adds the records of a file. Returns what is wrong with it, if something is; then nothing of it is left. */
  async append(key: string, content: () => Promise<Content>): Promise<string | undefined> {
    const { reader, file } = this
    const [records, length] = [reader.records, file.length]
    try {
      for await (const chunk of await content()) file.append(reader.push(chunk))
      if (!reader.end()) throw new Malformed('it ends in the middle of a record')
    } catch (error) {
      reader.end()
      if (!(error instanceof Malformed)) throw error
      file.cut(length)
      return messageOf(error)
    }
    this.files.push({ key, records: reader.records - records })
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
