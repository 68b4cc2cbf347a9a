import { createHash } from 'node:crypto'

/** Numbers, sizes and tables for people. One place, so that every script writes them alike. */

/** 1234567 → `1,234,567` */
export const count = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 3 })

/** `1 pair`, `2 pairs`; where an s does not make it many, the words for many. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** The same of words for many: `1 LIST request` of `LIST requests`. */
export const counted = (n: number, many: string): string => plural(n, many.replace(/s$/, ''), many)

/** Bytes → `1.4 GB` (powers of ten, as AWS bills). */
export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = n
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** Dollars, never rounded down to nothing: `$0.0004`, `$12.50`. */
export function usd(n: number): string {
  if (isTiny(n)) return 'under $0.0001'
  return n > 0 && n < 0.01 ? `$${n.toPrecision(2)}` : `$${n.toFixed(2)}`
}

/** An estimate in dollars: `about $0.03`, `under $0.0001`. */
export const aboutUsd = (n: number): string => (isTiny(n) ? usd(n) : `about ${usd(n)}`)

const isTiny = (dollars: number): boolean => dollars > 0 && dollars < 0.0001

/** Milliseconds → `0.4 s`, `12 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  const s = ms / 1000
  if (s < 9.95) return `${s.toFixed(1)} s`
  if (s < 59.5) return `${Math.round(s)} s`
  const total = Math.round(s)
  const [h, m] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)]
  return h > 0 ? `${h} h ${m} min` : `${m} min ${total % 60} s`
}

/** Share of a whole → `12.3 %`. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`

/** `2026-11-20 13:05 UTC` */
export const utc = (time: Date): string => `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** Columns aligned by their widest cell; numbers (as strings of digits) to the right. */
export function table(cells: readonly (readonly string[])[], indent = ''): string {
  // A row is a line, whatever the names in it: they may be a stranger's.
  const rows = cells.map((row) => row.map((cell) => cell.replace(/[\n\t]/g, '\ufffd')))
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const numeric = widths.map((_, i) =>
    rows.slice(1).every((row) => /^[\d,.$–%\- ]*( (B|KB|MB|GB|TB|%))?$/.test(row[i] ?? '')),
  )
  const pad = (cell: string, i: number) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))
  return rows.map((row) => `${indent}${row.map(pad).join('  ')}`.trimEnd()).join('\n')
}

/** A name and a value a line, aligned. */
export function facts(entries: readonly (readonly [string, string] | undefined)[]): string {
  const shown = entries.filter((entry) => entry !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

/** A word of a command line, for copying into a shell; nothing here is ever run through one. */
export const quoted = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** What a terminal obeys, and what ends a line or turns the text around it. */
const OBEYED = /[^\P{Cc}\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** Text as it may go to a terminal: keys and user agents are written by strangers and may hold control sequences. */
export const printable = (text: string): string => text.replace(OBEYED, '\ufffd')

/** The same for JSON, where nothing need be lost: such characters are written as escapes. */
export const printableJson = (value: unknown, replace?: (name: string, value: unknown) => unknown): string =>
  escapedJson(JSON.stringify(value, replace, 2))

/** JSON text in which control characters and those that turn text around are escapes; it means the same. */
export const escapedJson = (json: string): string =>
  json.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

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
