import * as v from 'valibot'
import { fitted } from '../../cli/shapes.ts'
import { parseCidr } from '../../insights/ipv4.ts'
import { providerFrom } from './provider.ts'
import { RangeColumns, Ranges } from './ranges.ts'

/** "AWS IP address ranges", AWS general reference: services share ranges, and AMAZON has all of them. */
const rangesSchema = v.object({
  prefixes: v.array(v.object({ ip_prefix: v.string(), region: v.string(), service: v.string() })),
})

/** Reads AWS's ip-ranges.json. @throws Error when it is another file */
export function openAwsRanges(text: string): Ranges {
  const { prefixes } = fitted(rangesSchema, JSON.parse(text))
  // Of equal ranges the last one holds.
  const plainFirst = prefixes.toSorted((a, b) => Number(b.service === 'AMAZON') - Number(a.service === 'AMAZON'))
  const ranges = new RangeColumns()
  for (const { ip_prefix, region, service } of plainFirst) {
    const { base, length } = parseCidr(ip_prefix)
    const provider = providerFrom({ aws: service === 'AMAZON' ? region : `${service} ${region}` })
    if (provider !== undefined) ranges.add(base, base + 2 ** (32 - length) - 1, ranges.providers.push(provider) - 1)
  }
  return new Ranges(ranges)
}
