/** The bytes of a log file are not log records; the message says why. */
export class Malformed extends Error {}

export const [COMMA, COLON, NEWLINE, SPACE] = [0x2c, 0x3a, 0x0a, 0x20] as const
export const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d] as const
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** AWS's records nest about twenty levels deep. */
const DEEPEST = 512

/** What a byte outside a string is; 0 stands for none of these. */
export const [SCALAR, BLANK, STRING, OPEN, CLOSE] = [1, 2, 3, 4, 5] as const
export const KIND = new Uint8Array(256)
const classify = (characters: string, kind: number) => {
  for (const c of characters) KIND[c.charCodeAt(0)] = kind
}
classify('0123456789+-.eEtrufalsn,:', SCALAR)
classify(' \t\r\n', BLANK)
classify('{[', OPEN)
classify('}]', CLOSE)
classify('"', STRING)

/** The open brackets, each as the bracket that closes it. */
export class Brackets {
  depth = 0
  private readonly closers = new Uint8Array(DEEPEST)

  /** Forgets the brackets of an unfinished object and opens this one. */
  restart(bracket: number): void {
    this.depth = 0
    this.open(bracket)
  }

  open(bracket: number): void {
    if (this.depth === DEEPEST) throw new Malformed('nested too deep')
    // In ASCII both closing brackets come two after their opening ones.
    this.closers[this.depth++] = bracket + 2
  }

  close(bracket: number): void {
    if (this.closers[--this.depth] !== bracket) throw new Malformed('brackets that do not match')
  }
}

/** Bytes, and the same as a Latin-1 string: V8 searches a string in half the time that Node takes to search a buffer. */
export interface Json {
  readonly bytes: Buffer
  readonly text: string
}

export const jsonOfBytes = (bytes: Buffer): Json => ({ bytes, text: bytes.toString('latin1') })

/** Position of the next byte that is not white space, or the end. */
export function skipBlanks(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && KIND[bytes[at] as number] === BLANK) at += 1
  return at
}

/** Position after the string whose content begins at `start`; −1 when it does not end. */
export function skipString({ bytes, text }: Json, start: number): number {
  let at = text.indexOf('"', start)
  while (at !== -1 && bytes[at - 1] === BACKSLASH && isEscaped(bytes, at, start)) at = text.indexOf('"', at + 1)
  return at === -1 ? -1 : at + 1
}

/** Whether an odd number of backslashes precedes it. */
function isEscaped(bytes: Buffer, at: number, start: number): boolean {
  let first = at
  while (first > start && bytes[first - 1] === BACKSLASH) first -= 1
  return (at - first) % 2 === 1
}

/** Position after the value that begins at `start`; −1 when it does not end. @throws Malformed */
export function skipValue(json: Json, start: number, brackets: Brackets): number {
  const { bytes } = json
  const first = bytes[start] as number
  if (first === QUOTE) return skipString(json, start + 1)
  if (KIND[first] !== OPEN) return skipScalar(bytes, start)
  const outside = brackets.depth
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at++] as number
    const kind = KIND[byte]
    if (kind === SCALAR || kind === BLANK) continue
    if (kind === STRING) {
      at = skipString(json, at)
      if (at === -1) return -1
    } else if (kind === OPEN) brackets.open(byte)
    else if (kind === CLOSE) {
      brackets.close(byte)
      if (brackets.depth === outside) return at
    } else throw new Malformed('not JSON')
  }
  return -1
}

function skipScalar(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (KIND[byte] === SCALAR && byte !== COMMA && byte !== COLON) continue
    if (at === start || KIND[byte] === 0) throw new Malformed('not JSON')
    return at
  }
  return -1
}

/** Whether these bytes come next. */
export function isAt(bytes: Buffer, start: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false
  return true
}

/** A member to keep. */
export interface Wanted {
  readonly name: Buffer
  /** The members to keep when it is an object, by the length of their names; undefined for all of them. */
  readonly members: Wanted[][] | undefined
}

/** The members that paths name, by the length of their names. */
export function wantedOf(paths: readonly string[]): Wanted[][] {
  const byLength: Wanted[][] = []
  for (const name of new Set(paths.map((path) => path.split('.')[0] as string))) {
    const isWhole = paths.includes(name)
    const inner = paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1))
    const wanted: Wanted = { name: Buffer.from(name), members: isWhole ? undefined : wantedOf(inner) }
    const { length } = wanted.name
    byLength[length] = [...(byLength[length] ?? []), wanted]
  }
  return byLength
}

/** The candidate whose name begins here. All candidates have names of the right length. */
export function memberAt(bytes: Buffer, at: number, candidates: readonly Wanted[] | undefined): Wanted | undefined {
  if (candidates !== undefined)
    for (const candidate of candidates) if (isAt(bytes, at, candidate.name)) return candidate
  return undefined
}

/** A JSON string may hold half of a surrogate pair, which UTF-8 cannot: a hostile user agent must not stop the reading. */
const ESCAPED_HALF = /\\u[dD][89a-fA-F]/

/** Lines of JSON with the replacement character in place of half surrogate pairs. Lines that are not JSON stay as they are. */
export function withoutHalfCharacters(lines: Buffer): Buffer {
  if (!lines.includes('\\ud') && !lines.includes('\\uD')) return lines
  const text = lines.toString('utf8')
  return Buffer.from(
    text.replace(/.*\n/g, (line) => (ESCAPED_HALF.test(line) ? `${repaired(line.slice(0, -1))}\n` : line)),
  )
}

function repaired(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line), (_, value: unknown) =>
      typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
    )
  } catch {
    return line
  }
}
