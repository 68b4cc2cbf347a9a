import { isUtf8 } from 'node:buffer'
import type { TextFormat } from '../../sources/text.ts'
import { Malformed } from './json.ts'

/** Anything longer is no line of a log and must not fill the memory. */
const LONGEST = 8 << 20
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf'
const NOTHING = Buffer.alloc(0)
const NEEDS_ESCAPE = /["\\\p{Cc}]/u

/** A member of a line, as it begins in JSON, and its text; undefined where it is absent. Text is Latin-1: one character a byte. */
type Put = (name: string, value: string | undefined) => void

/**
 * Reads lines of fields, and writes the wanted ones of each as a line of JSON, all as strings. A line that has none becomes an empty
 * object. `-` stands for what is absent. What is not UTF-8 is replaced: a hostile user agent must not stop the reading.
 */
export class TextReader {
  /** Records in all files so far. */
  records = 0
  private readonly fieldsOf: FieldsOf
  private rest: Buffer = NOTHING
  private lines: Buffer = NOTHING
  private length = 0
  private isStart = true
  private json = ''

  /** @param members names of the fields to keep */
  constructor(format: TextFormat, members: readonly string[]) {
    const wanted = [...new Set(members.map((path) => path.split('.')[0] ?? path))]
    this.fieldsOf = 'pattern' in format ? matching(format.pattern, wanted) : separated(format, wanted)
  }

  /** Takes the next bytes of a file. Returns the records of the lines that end in them, valid until the next call. @throws Malformed */
  push(chunk: Buffer): Buffer {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    const end = bytes.lastIndexOf(0x0a) + 1
    this.rest = bytes.subarray(end)
    if (this.rest.length > LONGEST) throw new Malformed('a line is too long')
    return this.take(bytes.toString('latin1', 0, end))
  }

  /** The record of a last line without a line break. */
  last(): Buffer {
    const text = this.rest.toString('latin1')
    this.rest = NOTHING
    return this.take(text === '' ? text : `${text}\n`)
  }

  /** Ends a file, or gives it up. Lines end where the file does. */
  end(): boolean {
    this.rest = NOTHING
    this.isStart = true
    this.fieldsOf.restart()
    return true
  }

  private take(text: string): Buffer {
    this.length = 0
    let at = 0
    if (this.isStart && text !== '') {
      if (text.startsWith(BYTE_ORDER_MARK)) at = BYTE_ORDER_MARK.length
      this.isStart = false
    }
    while (at < text.length) {
      const end = text.indexOf('\n', at)
      this.line(text.slice(at, text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end))
      at = end + 1
    }
    const lines = this.lines.subarray(0, this.length)
    return isUtf8(lines) ? lines : Buffer.from(lines.toString('utf8'))
  }

  private line(line: string): void {
    this.json = ''
    if (!this.fieldsOf.read(line, this.put)) return
    const json = this.json === '' ? '{}\n' : `${this.json}}\n`
    if (this.length + json.length > this.lines.length) {
      const more = Buffer.allocUnsafe(Math.max(1 << 16, 2 * (this.length + json.length)))
      this.lines.copy(more, 0, 0, this.length)
      this.lines = more
    }
    this.length += this.lines.write(json, this.length, 'latin1')
    this.records += 1
  }

  private readonly put: Put = (name, value) => {
    if (value === undefined || value === '-' || value === '') return
    this.json += `${this.json === '' ? '{' : ','}${name}${NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`}`
  }
}

const CARRIAGE_RETURN = 0x0d

/** How the fields of a line are found. */
interface FieldsOf {
  /** Hands over the wanted fields of a line; false when it is no record. */
  read(line: string, put: Put): boolean
  /** Forgets what a file says about its lines. */
  restart(): void
}

const jsonName = (name: string): string => `${JSON.stringify(name)}:`

const GROUP = /\(\?<([A-Za-z]\w*)>/g

function matching(pattern: string, wanted: readonly string[]): FieldsOf {
  const names = [...pattern.matchAll(GROUP)].map(([, name = '']) => name).filter((name) => wanted.includes(name))
  const missing = wanted.find((name) => !names.includes(name))
  if (missing !== undefined) throw new Error(`the pattern has no group for ${missing}`)
  // What nobody wants need not be remembered.
  const line = new RegExp(`^(?:${pattern.replace(GROUP, (group, name) => (names.includes(name) ? group : '(?:'))})$`)
  const places = names.map((name, i) => ({ name: jsonName(name), group: i + 1 }))
  return {
    read(text, put) {
      const match = line.exec(text)
      if (match !== null) for (const { name, group } of places) put(name, match[group])
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
  /** Which members the fields are, by their place; undefined for those that nobody wants. */
  let names: (string | undefined)[] | undefined
  const isHeader = (line: string) =>
    naming?.test(line) ?? (header === '' ? names === undefined : line.startsWith(header))
  const enter = (fields: string) => {
    names = fields
      .trim()
      .split(/ +/)
      .map((name) => (wanted.includes(name) ? jsonName(name) : undefined))
    while (names.length > 0 && names.at(-1) === undefined) names.pop()
  }
  return {
    read(line, put) {
      if (isHeader(line)) {
        enter(line.slice(header.length))
        return false
      }
      if (comment !== undefined && line.startsWith(comment)) return false
      for (let i = 0, at = 0; names !== undefined && i < names.length && at <= line.length; i++) {
        const end = line.indexOf(separator, at)
        const name = names[i]
        if (name !== undefined) put(name, end === -1 ? line.slice(at) : line.slice(at, end))
        at = end === -1 ? line.length + 1 : end + 1
      }
      return true
    },
    restart() {
      names = undefined
    },
  }
}
