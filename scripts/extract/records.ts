import { isUtf8 } from 'node:buffer'
import {
  BLANK,
  CLOSE,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  closers,
  DEEPEST,
  KIND,
  Malformed,
  NEWLINE,
  OPEN,
  OPEN_LIST,
  OPEN_OBJECT,
  SCALAR,
  SPACE,
  STRING,
  skipBlanks,
  skipString,
  skipValue,
} from './json-bytes.ts'

/** A larger record is none, and must not be gathered in memory. AWS cuts CloudTrail events at 256 KB. */
const LARGEST = 8 << 20
const ENVELOPE = Buffer.from('Records')
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** What may come next: a document; the first record of a list, a comma or its end, a record; more members of an envelope. */
type State = 'document' | 'first' | 'next' | 'element' | 'tail'

/**
 * Finds the records in a log file and keeps those members of each that are asked for, verbatim, as a line of JSON. A file is any
 * sequence of `{"Records":[…]}`, lists of records, and records, with or without line breaks. It is strict in all that could lose
 * records: nesting, strings, ends. The values that are kept get parsed later.
 */
export class RecordReader {
  /** Records in all files so far. */
  records = 0
  /** Names of the members to keep, by their length. */
  private readonly names: Buffer[][] = []
  private state: State = 'document'
  private inEnvelope = false
  private isStart = true
  /** The beginning of a record, left over by the last push. */
  private rest: Buffer = Buffer.alloc(0)
  private bytes: Buffer = Buffer.alloc(0)
  private lines: Buffer = Buffer.alloc(0)
  private length = 0
  /** Start and end of what is kept of the record at hand, one after the other. */
  private ranges: number[] = []
  /** Where the record at hand begins, and the first line break from there on. */
  private start = 0
  private lineBreak = -1

  constructor(members: readonly string[]) {
    for (const name of [...members, 'Records']) {
      const bytes = Buffer.from(name)
      this.names[bytes.length] = [...(this.names[bytes.length] ?? []), bytes]
    }
  }

  /**
   * Takes the next bytes of a file. Returns the lines of the records that end in them, valid until the next call.
   * @throws Malformed
   */
  push(chunk: Buffer): Buffer {
    this.bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    // The shortest record, of two bytes, becomes a line of three.
    const most = Math.ceil(this.bytes.length * 1.5)
    if (this.lines.length < most) this.lines = Buffer.allocUnsafe(most)
    this.length = 0
    this.lineBreak = -1
    this.rest = this.bytes.subarray(this.take())
    if (this.rest.length > LARGEST) throw new Malformed('a record is too large')
    return wellFormed(this.lines.subarray(0, this.length))
  }

  /** The file is over, or given up. Returns whether it ended where a file may end. */
  end(): boolean {
    const isWhole = this.state === 'document' && this.rest.length === 0
    this.rest = Buffer.alloc(0)
    this.close(0)
    this.isStart = true
    return isWhole
  }

  /** Reads whole records; returns how many bytes they took. */
  private take(): number {
    const { bytes } = this
    let at = 0
    if (this.isStart) {
      if (bytes.length < BYTE_ORDER_MARK.length) return 0
      if (isAt(bytes, 0, BYTE_ORDER_MARK)) at = BYTE_ORDER_MARK.length
      this.isStart = false
    }
    for (;;) {
      at = skipBlanks(bytes, at, bytes.length)
      if (at === bytes.length) return at
      const next = this.state === 'tail' ? this.object(at) : this.between(at)
      if (next === -1) return at
      at = next
    }
  }

  private between(at: number): number {
    const { state } = this
    const byte = this.bytes[at]
    if (byte === OPEN_OBJECT) return this.object(at + 1)
    if (byte === COMMA && state === 'next') this.state = 'element'
    else if (byte === OPEN_LIST && state === 'document') this.state = 'first'
    else if (byte === CLOSE_LIST && (state === 'first' || state === 'next'))
      this.state = this.inEnvelope ? 'tail' : 'document'
    else throw new Malformed('not a sequence of JSON objects')
    return at + 1
  }

  private close(at: number): number {
    this.state = 'document'
    this.inEnvelope = false
    return at
  }

  /**
   * Reads an object from behind its opening bracket on: a record, or the beginning of an envelope. In the tail of an envelope there
   * is nothing to keep. Returns where it ends, or the list of records begins.
   */
  private object(start: number): number {
    const { bytes, names } = this
    const end = bytes.length
    const isTail = this.state === 'tail'
    if (this.state === 'next') throw new Malformed('records without a comma')
    this.ranges.length = 0
    this.start = start
    let depth = 0
    let at = start
    while (at < end) {
      const byte = bytes[at++] as number
      const kind = KIND[byte]
      if (kind === SCALAR) continue
      if (kind === STRING) {
        const name = at
        at = skipString(bytes, at)
        if (at === -1) return -1
        if (depth > 0) continue
        const candidates = names[at - 1 - name]
        if (candidates === undefined || !includes(candidates, bytes, name)) continue
        const value = valueAfter(bytes, at, end)
        if (value === -1) return -1
        if (value === at) continue
        if (bytes[value] === OPEN_LIST && this.isEnvelope(name)) return this.open(value + 1)
        at = skipValue(bytes, value, end)
        if (at === -1) return -1
        if (!isTail) this.keep(name - 1, at)
      } else if (kind === OPEN) {
        depth += 1
        if (depth === DEEPEST) throw new Malformed('nested too deep')
        closers[depth] = byte + 2
      } else if (kind === CLOSE) {
        if (byte !== (depth === 0 ? CLOSE_OBJECT : closers[depth])) throw new Malformed('brackets that do not match')
        if (depth === 0) return isTail ? this.close(at) : this.finish(at)
        depth -= 1
      } else if (kind !== BLANK) throw new Malformed('not JSON')
    }
    return -1
  }

  private isEnvelope(name: number): boolean {
    return (this.state === 'document' || this.state === 'tail') && isAt(this.bytes, name, ENVELOPE)
  }

  private open(at: number): number {
    this.state = 'first'
    this.inEnvelope = true
    return at
  }

  private keep(start: number, end: number): void {
    const { ranges } = this
    // Neighbours are copied in one go.
    if (ranges.length > 0 && ranges[ranges.length - 1] === start - 1) ranges[ranges.length - 1] = end
    else ranges.push(start, end)
  }

  /** Writes the line of a record; returns `at`. */
  private finish(at: number): number {
    const { lines, ranges, bytes, length: start } = this
    let to = start
    for (let i = 0; i < ranges.length; i += 2) {
      lines[to++] = i === 0 ? OPEN_OBJECT : COMMA
      to += bytes.copy(lines, to, ranges[i], ranges[i + 1])
    }
    if (to === start) lines[to++] = OPEN_OBJECT
    lines[to++] = CLOSE_OBJECT
    if (this.hasLineBreak(at)) onOneLine(lines, start, to)
    lines[to++] = NEWLINE
    this.length = to
    this.records += 1
    if (this.state !== 'document') this.state = 'next'
    return at
  }

  private hasLineBreak(end: number): boolean {
    if (this.lineBreak < this.start) {
      const found = this.bytes.indexOf(NEWLINE, this.start)
      this.lineBreak = found === -1 ? this.bytes.length : found
    }
    return this.lineBreak < end
  }
}

const includes = (names: readonly Buffer[], bytes: Buffer, at: number): boolean => {
  for (const name of names) if (isAt(bytes, at, name)) return true
  return false
}

/** Where the value of a name begins that ends at `at`; `at` itself when it is no name, −1 when that cannot be told yet. */
function valueAfter(bytes: Buffer, at: number, end: number): number {
  const colon = skipBlanks(bytes, at, end)
  if (colon === end) return -1
  if (bytes[colon] !== COLON) return at
  const value = skipBlanks(bytes, colon + 1, end)
  return value === end ? -1 : value
}

function isAt(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false
  return true
}

function onOneLine(lines: Buffer, start: number, end: number): void {
  for (let at = start; at < end; at++) if (lines[at] === NEWLINE) lines[at] = SPACE
}

/** Halves of surrogate pairs, which no UTF-8 can hold, become replacement characters. */
function wellFormed(lines: Buffer): Buffer {
  if (!isUtf8(lines)) throw new Malformed('not UTF-8')
  return lines
}
