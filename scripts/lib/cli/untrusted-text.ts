import { createHash } from 'node:crypto'

/**
 * What cannot be seen or turns the text around it: control and format characters, line separators, halves of characters, letters
 * without a shape. Also a backslash that would read as one of our own escapes, so that two texts never look alike.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u2800\u3164\uffa0]|\\(?=u\{)/gu

/** Text from an untrusted source, safe for terminals and spreadsheets: hidden characters are spelled out as `\u{202e}`, and so are blanks if there is nothing else. */
export function spelledOut(text: string): string {
  const visible = text.replace(HIDDEN, escaped)
  return /[!-~]|[^\s -~]/u.test(visible) ? visible : visible.replace(/\s/gu, escaped)
}

const escaped = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`

/** A short name for a text that is shown only in part: two long texts stay different. */
export const fingerprint = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 13)

const MARK_BYTES = 16

/** Cuts a text to at most so many bytes of UTF-8, between code points. A shortened text ends in `…` and its fingerprint. */
export function shortened(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  let left = bytes - MARK_BYTES
  let kept = ''
  for (const character of text) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    kept += character
  }
  return `${kept}…${fingerprint(text)}`
}

/** A CSV cell (RFC 4180) that spreadsheets read as text: what begins like a formula gets a quote before it. Numbers keep their sign. */
export function csvCell(text: string): string {
  const formula = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(text) && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)
  const safe = formula ? `'${text}` : text
  return /[",\r\n]/.test(safe) || formula ? `"${safe.replaceAll('"', '""')}"` : safe
}
