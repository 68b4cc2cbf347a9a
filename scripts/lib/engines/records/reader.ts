import { isUtf8 } from 'node:buffer'
import {
  BLANK,
  Brackets,
  CLOSE,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isAt,
  type Json,
  jsonOfBytes,
  KIND,
  Malformed,
  memberAt,
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
  type Wanted,
  wantedOf,
  withoutHalfCharacters,
} from './json.ts'

/** Anything larger is not a record and must not fill the memory. AWS cuts CloudTrail events at 256 KB. */
const LARGEST = 8 << 20
const ENVELOPE = 'Records'
const BYTE_ORDER_MARK = Buffer.from('\ufeff')
const NOTHING = Buffer.alloc(0)

/** What may come next: a document; the first record of a list; a comma or the list's end; a record; the rest of an envelope. */
type State = 'document' | 'first' | 'next' | 'element' | 'tail'

/**
 * Finds the records in a log file and keeps the requested members of each, verbatim, as a line of JSON. A file is any sequence of
 * `{"Records":[…]}`, lists of records, and records, with or without line breaks. The reader is strict about everything that could
 * lose records: brackets, strings, ends. Members that are kept are parsed later; the others are never parsed.
 */
export class RecordReader {
  /** Records in all files so far. */
  records = 0
  private readonly wanted: Wanted[][]
  private readonly envelope = Buffer.from(ENVELOPE)
  private readonly brackets = new Brackets()
  private state: State = 'document'
  private inEnvelope = false
  private isStart = true
  /** The start of a record whose end the last push did not have. */
  private rest: Buffer = NOTHING
  private json: Json = jsonOfBytes(NOTHING)
  private lines: Buffer = NOTHING
  private length = 0
  /** What is kept of the current record, in threes: the byte to write first or 0, the start, the end. */
  private readonly ranges: number[] = []
  /** Where the current record begins, and the first line break from there on. */
  private start = 0
  private lineBreak = -1

  /** @param members paths of the members to keep: `eventTime`, or `userIdentity.type` for a member of a member */
  constructor(members: readonly string[]) {
    this.wanted = wantedOf([...members, ENVELOPE])
  }

  /**
   * Takes the next bytes of a file. Returns the lines of the records that end in them, valid until the next call.
   * @throws Malformed
   */
  push(chunk: Buffer): Buffer {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    this.json = jsonOfBytes(bytes)
    // The shortest record, of two bytes, becomes a line of three.
    const most = Math.ceil(bytes.length * 1.5)
    if (this.lines.length < most) this.lines = Buffer.allocUnsafe(most)
    this.length = 0
    this.lineBreak = -1
    this.rest = bytes.subarray(this.take())
    if (this.rest.length > LARGEST) throw new Malformed('a record is too large')
    const lines = this.lines.subarray(0, this.length)
    if (!isUtf8(lines)) throw new Malformed('not UTF-8')
    return withoutHalfCharacters(lines)
  }

  /** Ends a file, or gives it up. Returns whether it ended where a file may end. */
  end(): boolean {
    const isWhole = this.state === 'document' && skipBlanks(this.rest, 0) === this.rest.length
    this.rest = NOTHING
    this.leave(0)
    this.isStart = true
    return isWhole
  }

  /** Reads complete records; returns how many bytes they take. */
  private take(): number {
    const { bytes } = this.json
    let at = 0
    if (this.isStart) {
      if (bytes.length < BYTE_ORDER_MARK.length && isAt(BYTE_ORDER_MARK, 0, bytes)) return 0
      if (isAt(bytes, 0, BYTE_ORDER_MARK)) at = BYTE_ORDER_MARK.length
      this.isStart = false
    }
    for (;;) {
      at = skipBlanks(bytes, at)
      if (at === bytes.length) return at
      const next = this.state === 'tail' ? this.object(at) : this.between(at)
      if (next === -1) return at
      at = next
    }
  }

  /** Reads what stands between records: commas, and brackets of lists. */
  private between(at: number): number {
    const { state } = this
    const byte = this.json.bytes[at]
    if (byte === OPEN_OBJECT && state !== 'next') return this.object(at + 1)
    if (byte === COMMA && state === 'next') this.state = 'element'
    else if (byte === OPEN_LIST && state === 'document') this.state = 'first'
    else if (byte === CLOSE_LIST && (state === 'first' || state === 'next'))
      this.state = this.inEnvelope ? 'tail' : 'document'
    else throw new Malformed('not a sequence of JSON objects')
    return at + 1
  }

  /**
   * Reads an object from after its opening bracket: a record, or the start or tail of an envelope. Returns where the object ends or
   * its list of records begins; −1 when these bytes do not reach that far.
   */
  private object(start: number): number {
    const { json, wanted, brackets } = this
    const { bytes } = json
    brackets.restart(OPEN_OBJECT)
    this.ranges.length = 0
    this.start = start
    let at = start
    while (at < bytes.length) {
      const byte = bytes[at++] as number
      const kind = KIND[byte]
      if (kind === SCALAR) continue
      if (kind === STRING) {
        const name = at
        at = skipString(json, at)
        if (at === -1) return -1
        const member = brackets.depth === 1 ? memberAt(bytes, name, wanted[at - 1 - name]) : undefined
        if (member === undefined) continue
        const value = valueAfter(bytes, at)
        if (value === -1) return -1
        if (value === at) continue
        if (bytes[value] === OPEN_LIST && this.isEnvelope(name)) return this.enter(value + 1)
        at = this.member(member, this.ranges.length === 0 ? OPEN_OBJECT : COMMA, name - 1, value)
        if (at === -1) return -1
      } else if (kind === OPEN) brackets.open(byte)
      else if (kind === CLOSE) {
        brackets.close(byte)
        if (brackets.depth === 0) return this.state === 'tail' ? this.leave(at) : this.finish(at)
      } else if (kind !== BLANK) throw new Malformed('not JSON')
    }
    return -1
  }

  private isEnvelope(name: number): boolean {
    return (this.state === 'document' || this.state === 'tail') && isAt(this.json.bytes, name, this.envelope)
  }

  private enter(at: number): number {
    this.state = 'first'
    this.inEnvelope = true
    return at
  }

  private leave(at: number): number {
    this.state = 'document'
    this.inEnvelope = false
    return at
  }

  /**
   * Keeps a member that begins at `start`, after the byte `before`; of an object, only the wanted members. Returns where the member
   * ends; −1 when these bytes do not reach that far.
   */
  private member({ members }: Wanted, before: number, start: number, value: number): number {
    const { json, brackets } = this
    if (members !== undefined && json.bytes[value] === OPEN_OBJECT) {
      this.keep(before, start, value + 1)
      return this.inner(members, value + 1)
    }
    const end = skipValue(json, value, brackets)
    if (end !== -1) this.keep(before, start, end)
    return end
  }

  /** Keeps the wanted members of an object, from after its opening bracket. Returns the same as `member`. */
  private inner(wanted: Wanted[][], start: number): number {
    const { json, brackets } = this
    const { bytes } = json
    let before = 0
    for (let at = start; ; ) {
      at = skipBlanks(bytes, at)
      if (at === bytes.length) return -1
      const byte = bytes[at] as number
      if (byte === COMMA) at += 1
      else if (byte === CLOSE_OBJECT) {
        this.keep(0, at, at + 1)
        return at + 1
      } else {
        if (KIND[byte] !== STRING) throw new Malformed('not JSON')
        const end = skipString(json, at + 1)
        const value = end === -1 ? -1 : valueAfter(bytes, end)
        if (value === -1) return -1
        if (value === end) throw new Malformed('not JSON')
        const member = memberAt(bytes, at + 1, wanted[end - 2 - at])
        at = member === undefined ? skipValue(json, value, brackets) : this.member(member, before, at, value)
        if (at === -1) return -1
        if (member !== undefined) before = COMMA
      }
    }
  }

  private keep(before: number, start: number, end: number): void {
    const { ranges } = this
    const last = ranges.length - 1
    // Adjacent members are copied in one go, with the comma between them.
    if (last > 0 && ranges[last] === (before === 0 ? start : start - 1)) ranges[last] = end
    else ranges.push(before, start, end)
  }

  /** Writes the line of a record. Returns `at`. */
  private finish(at: number): number {
    const { json, lines, ranges, length: start } = this
    let to = start
    for (let i = 0; i < ranges.length; i += 3) {
      const before = ranges[i] as number
      if (before !== 0) lines[to++] = before
      to += json.bytes.copy(lines, to, ranges[i + 1], ranges[i + 2])
    }
    if (to === start) lines[to++] = OPEN_OBJECT
    lines[to++] = CLOSE_OBJECT
    if (this.hasLineBreak(at)) for (let i = start; i < to; i++) if (lines[i] === NEWLINE) lines[i] = SPACE
    lines[to++] = NEWLINE
    this.length = to
    this.records += 1
    if (this.state !== 'document') this.state = 'next'
    return at
  }

  private hasLineBreak(end: number): boolean {
    if (this.lineBreak < this.start) {
      const found = this.json.text.indexOf('\n', this.start)
      this.lineBreak = found === -1 ? this.json.text.length : found
    }
    return this.lineBreak < end
  }
}

/** Where the value begins whose name ends at `at`; `at` itself when no colon follows; −1 when these bytes do not tell. */
function valueAfter(bytes: Buffer, at: number): number {
  const colon = skipBlanks(bytes, at)
  if (colon === bytes.length) return -1
  if (bytes[colon] !== COLON) return at
  const value = skipBlanks(bytes, colon + 1)
  return value === bytes.length ? -1 : value
}
