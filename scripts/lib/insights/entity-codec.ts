/**
 * The codec of entity names: percent-encoding of exactly the characters that IP Insights' CSV reader would misread
 * (it splits rows at dots as well as commas), and of `%` itself. The same codec is written in SQL for extraction.
 */

/** `%`, `.`, `,`, space, the three quotes, backslash and the control characters of ASCII. */
const SPECIAL = /[%., "'`\\]|(?![\u0080-\u009f])\p{Cc}/gu
const ESCAPE = /%(25|2E|2C|20|22|27|60|5C|[01][0-9A-F]|7F)/g

/** `john.doe` → `john%2Edoe`. Anything else, non-ASCII included, stays. */
export const encodeEntity = (entity: string): string => entity.replace(SPECIAL, escapeOf)

/** The exact inverse of encodeEntity; other text stays. */
export const decodeEntity = (encoded: string): string =>
  encoded.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Whether a text is the encoding of some name. */
export const isEncoded = (text: string): boolean => text !== '' && encodeEntity(decodeEntity(text)) === text

const escapeOf = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
