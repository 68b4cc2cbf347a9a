import { Reader } from 'mmdb-lib'
import * as v from 'valibot'
import { type Address, formatAddress } from '../../insights/ipv6.ts'
import { asNumber, type Provider, providerFrom } from './provider.ts'

const text = v.fallback(v.optional(v.string()), undefined)

/**
 * What the databases call it: GeoLite2 ASN and DB-IP ASN Lite `autonomous_system_…`, IPinfo Lite `asn`, `as_name` and `country_code`,
 * those of countries `country.iso_code`. What has another type counts as absent.
 */
const recordSchema = v.object({
  autonomous_system_number: v.fallback(v.optional(v.number()), undefined),
  autonomous_system_organization: text,
  asn: text,
  as_name: text,
  country_code: text,
  country: v.fallback(v.optional(v.object({ iso_code: text })), undefined),
})

/** Ends the part of a MaxMind DB that is not its description: "MaxMind DB File Format Specification". */
const MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')

export const isMmdb = (bytes: Buffer): boolean => bytes.lastIndexOf(MARK) !== -1

/** @throws Error when the file is damaged, and so does what it hands back */
export function openMmdb(bytes: Buffer): (ip: Address) => Provider | undefined {
  const reader = new Reader<object>(bytes)
  return (ip) => {
    // Of one that has only IPv4, the first bits of an IPv6 address would find anybody.
    if (typeof ip === 'bigint' && reader.metadata.ipVersion === 4) return undefined
    const found = v.safeParse(recordSchema, reader.get(formatAddress(ip)))
    if (!found.success) return undefined
    const { autonomous_system_number, autonomous_system_organization, asn, as_name, country_code, country } =
      found.output
    return providerFrom({
      number: autonomous_system_number ?? asNumber(asn ?? ''),
      name: autonomous_system_organization ?? as_name,
      country: country_code ?? country?.iso_code,
    })
  }
}
