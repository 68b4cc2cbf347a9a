import { createHash } from 'node:crypto'

/** Control and format characters (also what turns text around), line separators, halves of characters, letters without a shape. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u2800\u3164\uffa0]/gu

/**
 * Text of a stranger as it may stand in an alert: what cannot be seen is written out, `\u{202e}`, and text of nothing but blanks too.
 */
export function shown(text: string): string {
  const visible = text.replace(HIDDEN, escaped)
  return /[!-~]|[^\s -~]/u.test(visible) ? visible : visible.replace(/\s/gu, escaped)
}

const escaped = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`

const MARK_BYTES = 16

/**
 * At most so many bytes of UTF-8, and so at most so many characters by any count. What is longer ends in `…` and a hash of the whole:
 * two long texts stay two. Cut between code points.
 */
export function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  let left = bytes - MARK_BYTES
  let kept = ''
  for (const character of text) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    kept += character
  }
  return `${kept}…${createHash('sha256').update(text).digest('hex').slice(0, 13)}`
}
