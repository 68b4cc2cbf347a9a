import { CLOSE_OBJECT, COMMA, NEWLINE, OPEN_OBJECT } from './json.ts'

const [QUOTE, BACKSLASH, HYPHEN] = [0x22, 0x5c, 0x2d] as const
const NEEDS_ESCAPE = /["\\\p{Cc}]/u
/** JSON writes a byte as six characters at most. */
const LONGEST_ESCAPE = 6

/** Lines of JSON objects whose members are strings, in bytes. */
export class JsonLines {
  private bytes = Buffer.allocUnsafe(1 << 16)
  private length = 0
  /** Where the line begins that is being written. */
  private start = 0

  /** Forgets what was written. */
  restart(): void {
    this.length = 0
    this.start = 0
  }

  /** What was written, valid until the next line. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Writes a member of the line: some bytes, unless they are none or a hyphen, which stands for what is absent. */
  put(name: Buffer, from: Buffer, at: number, end: number): void {
    if (at === end || (end - at === 1 && from[at] === HYPHEN)) return
    let to = this.begin(name, end - at)
    const { bytes } = this
    for (let i = at; i < end; i++) {
      const byte = from[i] as number
      if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) {
        to += bytes.write(JSON.stringify(from.toString('latin1', i, end)).slice(1, -1), to, 'latin1')
        break
      }
      bytes[to++] = byte
    }
    bytes[to++] = QUOTE
    this.length = to
  }

  /** The same of a text in Latin-1, one character a byte; undefined stands for what is absent, too. */
  putText(name: Buffer, text: string | undefined): void {
    if (text === undefined || text === '' || text === '-') return
    const to = this.begin(name, text.length)
    const { bytes } = this
    const json = NEEDS_ESCAPE.test(text) ? JSON.stringify(text).slice(1, -1) : text
    this.length = to + bytes.write(json, to, 'latin1')
    bytes[this.length++] = QUOTE
  }

  endLine(): void {
    this.reserve(3)
    const { bytes } = this
    if (this.length === this.start) bytes[this.length++] = OPEN_OBJECT
    bytes[this.length++] = CLOSE_OBJECT
    bytes[this.length++] = NEWLINE
    this.start = this.length
  }

  /** Writes what comes before a value of so many bytes. Returns where the value goes. */
  private begin(name: Buffer, size: number): number {
    this.reserve(LONGEST_ESCAPE * size + name.length + 3)
    const { bytes } = this
    let to = this.length
    bytes[to++] = this.length === this.start ? OPEN_OBJECT : COMMA
    for (let i = 0; i < name.length; i++) bytes[to++] = name[i] as number
    bytes[to++] = QUOTE
    return to
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.length + more))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}
