import * as v from 'valibot'
import { plural, shortened, spelledOut } from '../../cli/format.ts'
import { whole } from '../../cli/shapes.ts'

/** Whose network an address is in, as a file of networks says. Names are untrusted. */
export const providerSchema = v.strictObject({
  /** Of the autonomous system. */
  number: v.exactOptional(whole),
  name: v.exactOptional(v.string()),
  /** Two letters, as a rule. */
  country: v.exactOptional(v.string()),
  /** Where AWS says that the address is its own: service and region. */
  aws: v.exactOptional(v.string()),
})

export type Provider = v.InferOutput<typeof providerSchema>

/** The provider of a pair, and how often its entity came from that provider in training: evidence, which ranks nothing. */
export const pairProviderSchema = v.strictObject({ ...providerSchema.entries, before: v.exactOptional(whole) })

export type PairProvider = v.InferOutput<typeof pairProviderSchema>

/** `AS64500 Example Hosting (DE), AWS EC2 us-east-1`, printable. Empty where nothing is known. */
export function providerText(provider: Provider | undefined): string {
  const { number, name, country, aws } = provider ?? {}
  const who = [number === undefined ? '' : `AS${number}`, name ?? '', country === undefined ? '' : `(${country})`]
  const parts = [who.filter((word) => word !== '').join(' '), aws === undefined ? '' : `AWS ${aws}`]
  return spelledOut(parts.filter((part) => part !== '').join(', '))
}

/** As ISO 3166-1 has it. */
export const isCountryCode = (country: string | undefined): country is string => /^[A-Z]{2}$/.test(country ?? '')

/** Whether the entity came from this provider before; empty where that is not known. */
export function providerBefore({ before }: Pick<PairProvider, 'before'>): string {
  if (before === undefined) return ''
  return before === 0
    ? 'never from this provider before'
    : `${plural(before, 'access', 'accesses')} from this provider before`
}

/** Longer names are nobody's. */
const NAME_BYTES = 200

/** `AS64500` or `64500` → 64500. Undefined for anything else, and for 0, which stands for networks that nobody routes. */
export function asNumber(text: string): number | undefined {
  const number = /^(?:AS)?(\d{1,10})$/i.exec(text.trim())?.[1]
  return number === undefined || Number(number) === 0 || Number(number) >= 2 ** 32 ? undefined : Number(number)
}

/** Without what is empty. Undefined when nothing is left. */
export function providerFrom({
  number,
  name = '',
  country = '',
  aws = '',
}: { readonly [K in keyof Provider]?: Provider[K] | undefined }): Provider | undefined {
  const words = { name, country, aws }
  const known = Object.entries(words).flatMap(([key, word]) =>
    word.trim() === '' ? [] : [[key, shortened(word.trim(), NAME_BYTES)] as const],
  )
  const provider: Provider = { ...(number !== undefined && { number }), ...Object.fromEntries(known) }
  return Object.keys(provider).length === 0 ? undefined : provider
}
