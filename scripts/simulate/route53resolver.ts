import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import type { Client } from './client.ts'
import { accountIds, hex, pick } from './identifiers.ts'
import { compactOf, dayOf, isoOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

interface Vpc {
  readonly account: string
  readonly region: string
  readonly vpc: string
}

/** The query logs of Route 53 Resolver: which instance asks for names, and which addresses it is given. */
export function simulateResolver(settings: Settings): Simulated {
  const { seed } = settings
  const [first = '', second = first] = accountIds(settings.accounts, seed)
  return simulateSite<Vpc>(settings, {
    source: 'route53resolver',
    salt: 32_452,
    places: [
      { account: first, region: 'us-east-1', vpc: 'vpc-0a1b2c3d4e5f60718' },
      { account: second, region: 'eu-west-1', vpc: 'vpc-0f1e2d3c4b5a69788' },
    ],
    step: 300,
    again: 1,
    recordBytes: 520,
    entityOf: instanceOf,
    keyOf: ({ account, vpc }, time, random) =>
      `AWSLogs/${account}/vpcdnsquerylogs/${vpc}/${dayOf(time)}/${vpc}_vpcdnsquerylogs_${account}_${compactOf(time).slice(0, 13)}Z_${hex(random, 1)}.log.gz`,
    recordOf: (number, request) => `${JSON.stringify(recordOf(new Random(seed, 44, number), request))}\n`,
  })
}

/** Queries through an inbound endpoint come from no instance. */
const instanceOf = ({ agent, ja3 }: Client): string | undefined =>
  agent === undefined ? undefined : `i-${ja3.slice(0, 17)}`

const NAMES = ['api.example.com.', 'cdn.example.net.', 'updates.example.org.', 'db.internal.example.com.'] as const

/** Members: "Values that appear in VPC DNS query logs", Route 53 developer guide. */
function recordOf(random: Random, { client, ip, time, place, plain }: SiteRequest<Vpc>): Record<string, unknown> {
  const oddity = plain ? 1 : random.uniform()
  const { account, region, vpc } = place
  const instance = instanceOf(client)
  return {
    version: '1.100000',
    account_id: account,
    region,
    vpc_id: vpc,
    query_timestamp: isoOf(time),
    query_name: pick(random, NAMES),
    query_type: oddity < 0.05 ? 'AAAA' : 'A',
    query_class: 'IN',
    rcode: oddity >= 0.05 && oddity < 0.1 ? 'NXDOMAIN' : 'NOERROR',
    answers: answersOf(formatIpv4(ip), oddity, random),
    srcaddr: `10.0.${random.below(4)}.${1 + random.below(250)}`,
    srcport: String(1024 + random.below(60_000)),
    transport: 'UDP',
    srcids: instance === undefined ? { resolver_endpoint: 'rslvr-in-0123456789abcdef0' } : { instance },
  }
}

/** A name of its own may come first; what does not exist has no answers. */
function answersOf(address: string, oddity: number, random: Random): Record<string, string>[] {
  if (oddity < 0.05) return [{ Rdata: `2001:db8::${hex(random, 1).slice(0, 4)}`, Type: 'AAAA', Class: 'IN' }]
  if (oddity < 0.1) return []
  const own = { Rdata: address, Type: 'A', Class: 'IN' }
  if (oddity < 0.2) return [{ Rdata: 'edge.example.net.', Type: 'CNAME', Class: 'IN' }, own]
  return oddity < 0.3 ? [own, { ...own }] : [own]
}
