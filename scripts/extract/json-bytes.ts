/** Why the bytes of a log file are not log records. */
export class Malformed extends Error {}

export const [QUOTE, COMMA, COLON, NEWLINE, SPACE] = [0x22, 0x2c, 0x3a, 0x0a, 0x20] as const
export const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d] as const
const BACKSLASH = 0x5c
export const DEEPEST = 512

/** What a byte outside strings is. */
export const [OTHER, SCALAR, BLANK, STRING, OPEN, CLOSE] = [0, 1, 2, 3, 4, 5] as const
export const KIND = new Uint8Array(256)
const classify = (characters: string, kind: number) => {
  for (const c of characters) KIND[c.charCodeAt(0)] = kind
}
classify('0123456789+-.eEtrufalsn,:', SCALAR)
classify(' \t\r\n', BLANK)
classify('{[', OPEN)
classify('}]', CLOSE)
classify('"', STRING)

/** The bracket that closes each open one. */
export const closers = new Uint8Array(DEEPEST)

/** Position of the next byte that is no white space, or `end`. */
export function skipBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && KIND[bytes[at] as number] === BLANK) at += 1
  return at
}

/** Position after the string whose content begins at `start`; −1 when it does not end. */
export function skipString(bytes: Buffer, start: number): number {
  let at = bytes.indexOf(QUOTE, start)
  while (at !== -1 && bytes[at - 1] === BACKSLASH && isEscaped(bytes, at, start)) at = bytes.indexOf(QUOTE, at + 1)
  return at === -1 ? -1 : at + 1
}

/** An odd number of backslashes before it. */
function isEscaped(bytes: Buffer, at: number, start: number): boolean {
  let first = at
  while (first > start && bytes[first - 1] === BACKSLASH) first -= 1
  return (at - first) % 2 === 1
}

/**
 * Position after the value that begins at `start`; −1 when it does not end before `end`.
 * @throws Malformed when brackets do not match or there is something that no JSON has
 */
export function skipValue(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start] as number
  if (first === QUOTE) return skipString(bytes, start + 1)
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) return skipScalar(bytes, start, end)
  closers[0] = first + 2
  let depth = 0
  let at = start + 1
  while (at < end) {
    const byte = bytes[at++] as number
    const kind = KIND[byte]
    if (kind === SCALAR || kind === BLANK) continue
    if (kind === STRING) {
      at = skipString(bytes, at)
      if (at === -1) return -1
    } else if (kind === OPEN) {
      depth += 1
      if (depth === DEEPEST) throw new Malformed('nested too deep')
      closers[depth] = byte + 2
    } else if (kind === CLOSE) {
      if (byte !== closers[depth]) throw new Malformed('brackets that do not match')
      if (depth === 0) return at
      depth -= 1
    } else throw new Malformed('not JSON')
  }
  return -1
}

function skipScalar(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (KIND[byte] !== SCALAR || byte === COMMA || byte === COLON) {
      if (at === start || KIND[byte] === OTHER) throw new Malformed('not JSON')
      return at
    }
    at += 1
  }
  return -1
}
