import * as v from 'valibot'
import { fitted } from '../../cli/shapes.ts'
import { lastOf, parseNetwork } from '../../insights/ipv6.ts'
import { providerFrom } from './provider.ts'
import { RangeColumns, Ranges } from './ranges.ts'

/** "AWS IP address ranges", AWS general reference: services share ranges, and AMAZON has all of them. */
const rangesSchema = v.object({
  prefixes: v.array(v.object({ ip_prefix: v.string(), region: v.string(), service: v.string() })),
  ipv6_prefixes: v.optional(
    v.array(v.object({ ipv6_prefix: v.string(), region: v.string(), service: v.string() })),
    [],
  ),
})

/** Reads AWS's ip-ranges.json. @throws Error when it is another file */
export function openAwsRanges(text: string): Ranges {
  const { prefixes: ofIpv4, ipv6_prefixes: ofIpv6 } = fitted(rangesSchema, JSON.parse(text))
  const prefixes = [
    ...ofIpv4.map(({ ip_prefix: prefix, ...rest }) => ({ prefix, ...rest })),
    ...ofIpv6.map(({ ipv6_prefix: prefix, ...rest }) => ({ prefix, ...rest })),
  ]
  // Of equal ranges the last one holds.
  const plainFirst = prefixes.toSorted((a, b) => Number(b.service === 'AMAZON') - Number(a.service === 'AMAZON'))
  const ranges = new RangeColumns()
  for (const { prefix, region, service } of plainFirst) {
    const network = parseNetwork(prefix)
    const provider = providerFrom({ aws: service === 'AMAZON' ? region : `${service} ${region}` })
    if (provider !== undefined) ranges.add(network.base, lastOf(network), ranges.providers.push(provider) - 1)
  }
  return new Ranges(ranges)
}
