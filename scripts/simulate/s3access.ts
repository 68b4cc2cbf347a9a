import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import type { Client } from './client.ts'
import { accountIds, hex, pick, tailOf } from './identifiers.ts'
import { dayOf, isoOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

/** Seconds: what a file holds, and how long after that it is delivered. */
const STEP = 3600
const LAG = 1500

interface Bucket {
  readonly name: string
  /** What stands before the names of log files; `{day}` is the day of the events. */
  readonly prefix: string
  /** Whether files are named by the day of their events, else by their delivery. */
  readonly byEvent?: true
}

/** The access logs of a few buckets, one of them in each of the layouts. */
export function simulateS3Access(settings: Settings): Simulated {
  const { seed } = settings
  const [account = ''] = accountIds(settings.accounts, seed)
  return simulateSite<Bucket>(settings, {
    source: 's3access',
    salt: 49_979_687,
    places: [
      { name: 'shop-data', prefix: 's3-access/' },
      { name: 'shop-media', prefix: 's3-access/media-' },
      { name: 'lake', prefix: `s3-partitioned/${account}/us-east-1/lake/{day}/` },
      { name: 'archive', prefix: `s3-archive-${account}/us-east-1/archive/{day}/`, byEvent: true },
    ],
    step: STEP,
    recordBytes: 470,
    entityOf: (client) => requesterOf(client, account),
    keyOf({ prefix, byEvent }, time, random) {
      const at = byEvent ? time : time + STEP + LAG
      const name = byEvent ? `${isoOf(time).slice(0, 10)}-00-00-00` : isoOf(at).slice(0, 19).replace(/[T:]/g, '-')
      return `${prefix.replace('{day}', dayOf(at))}${name}-${hex(random, 2).toUpperCase()}`
    },
    recordOf: (number, request) => lineOf(new Random(seed, 42, number), request, account),
  })
}

/** Nobody who is known, for the client without a user agent. */
const requesterOf = ({ agent, ja3 }: Client, account: string): string | undefined =>
  agent === undefined ? undefined : `arn:aws:iam::${account}:user/app-${ja3.slice(0, 8)}`

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** `02/Mar/2026:10:00:00 +0000` */
function clockOf(seconds: number): string {
  const [yyyy, MM, dd] = isoOf(seconds).slice(0, 10).split('-')
  return `${dd}/${MONTHS[Number(MM) - 1]}/${yyyy}:${isoOf(seconds).slice(11, 19)} +0000`
}

const OPERATIONS = ['REST.GET.OBJECT', 'REST.PUT.OBJECT', 'REST.HEAD.OBJECT', 'REST.GET.BUCKET'] as const

/** Fields: "Amazon S3 server access log format", S3 user guide. */
function lineOf(random: Random, { client, ip, time, place, plain }: SiteRequest<Bucket>, account: string): string {
  const oddity = plain ? 1 : random.uniform()
  const isService = oddity < 0.01
  const operation = isService ? 'S3.EXPIRE.OBJECT' : pick(random, OPERATIONS)
  const key = operation === 'REST.GET.BUCKET' ? '-' : `photos/${random.below(99)}/a%2520b.jpg`
  const isDenied = oddity >= 0.05 && oddity < 0.07
  const fields = [
    '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be',
    place.name,
    `[${clockOf(time)}]`,
    isService ? '-' : addressOf(ip, oddity, random),
    isService ? 'AmazonS3' : (requesterOf(client, account) ?? '-'),
    hex(random, 2).toUpperCase(),
    operation,
    key,
    isService ? '-' : `"${operation.split('.')[1]} /${key === '-' ? '?list-type=2' : key}?x="1" HTTP/1.1"`,
    isService ? '-' : isDenied ? '403' : '200',
    isDenied ? 'AccessDenied' : '-',
    `${random.below(90_000)} - ${random.below(90)} ${random.below(90)}`,
    '"-"',
    // Quotes are not escaped.
    `"${(client.agent ?? '-').replace(/\p{Cc}/gu, '?')}"`,
    '-',
    `${tailOf(random)}${tailOf(random)}=`,
    'SigV4 TLS_AES_128_GCM_SHA256 AuthHeader',
    `${place.name}.s3.us-east-1.amazonaws.com`,
    'TLSv1.3',
    random.uniform() < 0.3 ? `arn:aws:s3:us-east-1:${account}:accesspoint/${place.name}-ap` : '-',
    '-',
  ]
  // Lines of old files lack what was appended since.
  return `${(oddity >= 0.03 && oddity < 0.04 ? fields.slice(0, 15) : fields).join(' ')}\n`
}

function addressOf(ip: number, oddity: number, random: Random): string {
  if (oddity >= 0.1 && oddity < 0.13) return `2001:db8::${hex(random, 1).slice(0, 4)}`
  if (oddity >= 0.13 && oddity < 0.16) return `10.0.${random.below(256)}.${random.below(256)}`
  return formatIpv4(ip)
}
