import { Random } from '../lib/insights/random.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const draw = (random: Random, letters: string, length: number): string => {
  let text = ''
  for (let i = 0; i < length; i++) text += letters[random.below(letters.length)]
  return text
}

/** `AIDA…`, `AROA…`, `AKIA…`, `ASIA…` and 17 letters, as IAM's unique ids have them. */
export const iamId = (prefix: string, random: Random): string => prefix + draw(random, LETTERS, 17)

/** The random end of a file's name. */
export const tailOf = (random: Random): string => draw(random, ALPHANUMERIC, 16)

const hex8 = (random: Random): string => (random.uint32() + 2 ** 32).toString(16).slice(1)

/** A version 4 UUID. */
export function uuid(random: Random): string {
  const [a, b, c, d] = [hex8(random), hex8(random), hex8(random), hex8(random)]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`
}

/** Hexadecimal digits, eight at a time. */
export const hex = (random: Random, eights: number): string =>
  Array.from({ length: eights }, () => hex8(random)).join('')

export const pick = <T>(random: Random, items: readonly [T, ...T[]]): T => items[random.below(items.length)] ?? items[0]

/** Twelve digits each. The first is the one of AWS's documentation; the second begins with a zero, which must not get lost. */
export function accountIds(count: number, seed: number): string[] {
  const random = new Random(seed, 10)
  const ids = ['111122223333', '012345678901'].slice(0, count)
  while (ids.length < count) ids.push(String(100_000_000_000 + random.below(2 ** 31) * 400).slice(0, 12))
  return ids
}

/** Providers whose customers have IPv6; each has a /32. */
const PROVIDERS = 24

/** The /64 of a home: `2a03:9d31:4f1c:2`. */
export function ipv6Home(random: Random): string {
  const provider = random.below(PROVIDERS)
  const prefix = (0x2a000000 + provider * 0x10001 * 7 + (new Random(20, provider).uint32() & 0xfff0)).toString(16)
  return `${prefix.slice(0, 4)}:${prefix.slice(4)}:${hex(random, 1).slice(0, 4)}:${random.below(4)}`
}
