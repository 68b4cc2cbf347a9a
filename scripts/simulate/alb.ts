import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { accountIds, hex, pick, tailOf, uuid } from './identifiers.ts'
import { compactOf, dayOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

/** Seconds between log files, which are named by their end. */
const STEP = 300

interface Balancer {
  readonly account: string
  readonly region: string
  readonly name: string
  /** Hexadecimal end of its ARN. */
  readonly id: string
  readonly host: string
}

/** The access logs of a few load balancers. */
export function simulateAlb(settings: Settings): Simulated {
  const { seed } = settings
  const [first = '', second = first] = accountIds(settings.accounts, seed)
  return simulateSite<Balancer>(settings, {
    source: 'alb',
    salt: 104_729,
    places: [
      { account: first, region: 'us-east-1', name: 'shop-front', id: '50dc6c495c0c9188', host: 'shop.example.com' },
      { account: second, region: 'eu-west-1', name: 'intern', id: '1f0a6c495c0c9177', host: 'intern.example.com' },
    ],
    step: STEP,
    recordBytes: 560,
    entityOf: ({ agent }) => (agent === undefined ? undefined : quotedOf(agent)),
    keyOf({ account, region, name, id }, time, random) {
      const end = time + STEP
      return `AWSLogs/${account}/elasticloadbalancing/${region}/${dayOf(end)}/${account}_elasticloadbalancing_${region}_app.${name}.${id}_${compactOf(end).slice(0, 13)}Z_10.0.${random.below(4)}.${random.below(256)}_${tailOf(random).slice(0, 8)}.log.gz`
    },
    recordOf: (number, request) => lineOf(new Random(seed, 41, number), request),
  })
}

const PATHS = ['/', '/login', '/api/orders', '/static/app.js', '/search?q=a%20b', '/wp-login.php'] as const

/** Fields: "Access log entries", Elastic Load Balancing user guide, of Application Load Balancers. */
function lineOf(random: Random, { client, ip, time, place, plain }: SiteRequest<Balancer>): string {
  const { account, region, name, id, host } = place
  const oddity = plain ? 1 : random.uniform()
  const target = `10.0.1.${1 + random.below(9)}:8080`
  const at = (later: number) => `${new Date(time * 1000 + later).toISOString().slice(0, 23)}${100 + random.below(900)}Z`
  const status = oddity < 0.02 ? '460' : random.uniform() < 0.06 ? '404' : '200'
  const quoted = (text: string | undefined) => `"${text === undefined ? '-' : quotedOf(text)}"`
  const fields = [
    random.uniform() < 0.7 ? 'h2' : 'https',
    at(random.below(900)),
    `app/${name}/${id}`,
    `${addressOf(ip, oddity, random)}:${1024 + random.below(60_000)}`,
    oddity < 0.02 ? '-' : target,
    '0.000',
    `0.${100 + random.below(900)}`,
    '0.000',
    status,
    oddity < 0.02 ? '-' : status,
    String(100 + random.below(900)),
    String(random.below(90_000)),
    quoted(
      oddity >= 0.02 && oddity < 0.025
        ? '- http://10.0.0.7:443- -'
        : `GET https://${host}:443${pick(random, PATHS)} HTTP/2.0`,
    ),
    quoted(client.agent),
    'ECDHE-RSA-AES128-GCM-SHA256',
    'TLSv1.2',
    `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/${name}-${random.below(2)}/${id}`,
    quoted(`Root=1-${hex(random, 1)}-${hex(random, 3)}`),
    quoted(host),
    quoted(`arn:aws:acm:${region}:${account}:certificate/${uuid(new Random(7, Number.parseInt(id.slice(0, 6), 16)))}`),
    String(random.below(5)),
    at(0),
    quoted('waf,forward'),
    '"-" "-"',
    quoted(target),
    quoted(status),
    '"-" "-"',
    `TID_${hex(random, 2)}`,
  ]
  // Lines of old files lack what was appended since.
  return `${(oddity >= 0.03 && oddity < 0.04 ? fields.slice(0, 18) : fields).join(' ')}\n`
}

function addressOf(ip: number, oddity: number, random: Random): string {
  if (oddity >= 0.1 && oddity < 0.13) return `[2001:db8::${hex(random, 1).slice(0, 4)}]`
  if (oddity >= 0.13 && oddity < 0.14) return `10.0.${random.below(256)}.${random.below(256)}`
  return formatIpv4(ip)
}

/** Text between quotes: quotes, backslashes and control characters become escapes. */
const quotedOf = (text: string): string =>
  text.replace(
    /["\\\p{Cc}]/gu,
    (character) => `\\x${(character.charCodeAt(0) + 256).toString(16).slice(1).toUpperCase()}`,
  )
