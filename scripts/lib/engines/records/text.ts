import { isUtf8 } from 'node:buffer'
import type { TextFormat } from '../../sources/text.ts'
import { Malformed } from './json.ts'
import { JsonLines } from './lines.ts'

/** Anything longer is no line of a log and must not fill the memory. */
const LONGEST = 8 << 20
const BYTE_ORDER_MARK = Buffer.from('\ufeff')
const NOTHING = Buffer.alloc(0)
const [NEWLINE, CARRIAGE_RETURN] = [0x0a, 0x0d] as const

/**
 * Reads lines of fields, and writes the wanted ones of each as a line of JSON, all as strings. A line that has none becomes an empty
 * object. `-` stands for what is absent. What is not UTF-8 is replaced: a hostile user agent must not stop the reading.
 */
export class TextReader {
  /** Records in all files so far. */
  records = 0
  private readonly fieldsOf: FieldsOf
  private rest: Buffer = NOTHING
  private readonly lines = new JsonLines()
  private isStart = true

  /** @param members names of the fields to keep */
  constructor(format: TextFormat, members: readonly string[]) {
    const wanted = [...new Set(members.map((path) => path.split('.')[0] ?? path))]
    this.fieldsOf = 'pattern' in format ? matching(format.pattern, wanted) : separated(format, wanted)
  }

  /** Takes the next bytes of a file. Returns the records of the lines that end in them, valid until the next call. @throws Malformed */
  push(chunk: Buffer): Buffer {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    const end = bytes.lastIndexOf(NEWLINE) + 1
    this.rest = bytes.subarray(end)
    if (this.rest.length > LONGEST) throw new Malformed('a line is too long')
    return this.take(bytes, end)
  }

  /** The record of a last line without a line break. */
  last(): Buffer {
    const { rest } = this
    this.rest = NOTHING
    return rest.length === 0 ? NOTHING : this.take(Buffer.concat([rest, Buffer.of(NEWLINE)]), rest.length + 1)
  }

  /** Ends a file, or gives it up. Lines end where the file does. */
  end(): boolean {
    this.rest = NOTHING
    this.isStart = true
    this.fieldsOf.restart()
    return true
  }

  /** Reads the whole lines that the first `stop` bytes hold. */
  private take(bytes: Buffer, stop: number): Buffer {
    const { lines, fieldsOf } = this
    lines.restart()
    let at = 0
    if (this.isStart && stop > 0) {
      if (bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) at = BYTE_ORDER_MARK.length
      this.isStart = false
    }
    while (at < stop) {
      const newline = bytes.indexOf(NEWLINE, at)
      const end = newline > at && bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline
      if (fieldsOf.read(bytes, at, end, lines)) {
        lines.endLine()
        this.records += 1
      }
      at = newline + 1
    }
    const written = lines.written()
    return isUtf8(written) ? written : Buffer.from(written.toString('utf8'))
  }
}

/** How the fields of a line are found. */
interface FieldsOf {
  /** Writes the wanted fields of a line; false when it is no record. */
  read(bytes: Buffer, start: number, end: number, lines: JsonLines): boolean
  /** Forgets what a file says about its lines. */
  restart(): void
}

/** A member as it begins in JSON, after the bracket or comma. */
const jsonName = (name: string): Buffer => Buffer.from(`${JSON.stringify(name)}:`)

const GROUP = /\(\?<([A-Za-z]\w*)>/g

function matching(pattern: string, wanted: readonly string[]): FieldsOf {
  const names = [...pattern.matchAll(GROUP)].map(([, name = '']) => name).filter((name) => wanted.includes(name))
  const missing = wanted.find((name) => !names.includes(name))
  if (missing !== undefined) throw new Error(`the pattern has no group for ${missing}`)
  // What nobody wants need not be remembered.
  const line = new RegExp(`^(?:${pattern.replace(GROUP, (group, name) => (names.includes(name) ? group : '(?:'))})$`)
  const places = names.map((name, i) => ({ name: jsonName(name), group: i + 1 }))
  return {
    read(bytes, start, end, lines) {
      // Latin-1: one character a byte.
      const match = line.exec(bytes.toString('latin1', start, end))
      if (match !== null) for (const { name, group } of places) lines.putText(name, match[group])
      return true
    },
    restart() {},
  }
}

function separated(
  { separator, header, names: pattern, comment }: Exclude<TextFormat, { pattern: string }>,
  wanted: readonly string[],
): FieldsOf {
  const naming = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`)
  const blank = separator.charCodeAt(0)
  /** Which members the fields are, by their place; undefined for those that nobody wants. */
  let names: (Buffer | undefined)[] | undefined
  const isHeader = (bytes: Buffer, start: number, end: number) => {
    if (header !== '' && startsWith(bytes, start, end, header)) return true
    if (naming === undefined) return header === '' && names === undefined
    return isSmall(bytes[start]) && naming.test(bytes.toString('latin1', start, end))
  }
  const enter = (fields: string) => {
    names = fields
      .trim()
      .split(/[ \t]+/)
      .map((name) => (wanted.includes(name) ? jsonName(name) : undefined))
    while (names.length > 0 && names.at(-1) === undefined) names.pop()
  }
  return {
    read(bytes, start, end, lines) {
      if (isHeader(bytes, start, end)) {
        const fields = bytes.toString('latin1', start, end)
        enter(fields.startsWith(header) ? fields.slice(header.length) : fields)
        return false
      }
      if (comment !== undefined && startsWith(bytes, start, end, comment)) return false
      if (names === undefined) return true
      for (let i = 0, at = start; i < names.length && at <= end; i++) {
        let stop = at
        while (stop < end && bytes[stop] !== blank) stop += 1
        const name = names[i]
        if (name !== undefined) lines.put(name, bytes, at, stop)
        at = stop + 1
      }
      return true
    },
    restart() {
      names = undefined
    },
  }
}

/** Names of fields begin with a small letter of ASCII. */
const isSmall = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x61 && byte <= 0x7a

function startsWith(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}
