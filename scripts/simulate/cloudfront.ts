import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { accountIds, hex, pick, tailOf } from './identifiers.ts'
import { isoOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

interface Distribution {
  readonly id: string
  /** Of the distribution itself. */
  readonly domain: string
  readonly host: string
  /** What stands before the names of its log files, at a time in seconds. */
  folderOf(time: number): string
  /** Version 2, as JSON. */
  readonly isJson?: true
}

/** Fields of standard logs: "Standard logging reference", CloudFront developer guide. */
const FIELDS =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end'

/** The standard logs of two distributions: legacy, all in one folder; and version 2, as JSON in Hive-compatible folders. */
export function simulateCloudFront(settings: Settings): Simulated {
  const { seed } = settings
  const [account = ''] = accountIds(settings.accounts, seed)
  return simulateSite<Distribution>(settings, {
    source: 'cloudfront',
    salt: 32_452_843,
    places: [
      {
        ...{ id: 'EMLARXS9EXAMPLE', domain: 'd111111abcdef8.cloudfront.net', host: 'shop.example.com' },
        folderOf: () => 'cdn/',
      },
      {
        ...{ id: 'E2EXAMPLE1ABCD', domain: 'd222222abcdef8.cloudfront.net', host: 'media.example.com', isJson: true },
        folderOf: (time) => {
          const [yyyy, MM, dd, HH] = isoOf(time).slice(0, 13).split(/[-T]/)
          return `AWSLogs/aws-account-id=${account}/CloudFront/DistributionId=E2EXAMPLE1ABCD/year=${yyyy}/month=${MM}/day=${dd}/hour=${HH}/`
        },
      },
    ],
    step: 3600,
    recordBytes: 420,
    entityOf: ({ agent }) => (agent === undefined ? undefined : readOf(agent)),
    keyOf: ({ id, folderOf }, time, random) =>
      `${folderOf(time)}${id}.${isoOf(time).slice(0, 13).replace('T', '-')}.${hex(random, 1)}.gz`,
    header: ({ isJson }) => (isJson ? '' : `#Version: 1.0\n#Fields: ${FIELDS}\n`),
    recordOf: (number, request) => lineOf(new Random(seed, 43, number), request),
  })
}

const PATHS = ['/', '/login', '/api/orders', '/static/app.js', '/wp-login.php'] as const

function lineOf(random: Random, { client, ip, time, place, plain }: SiteRequest<Distribution>): string {
  const oddity = plain ? 1 : random.uniform()
  const status = random.uniform() < 0.05 ? '403' : '200'
  const fields = [
    isoOf(time).slice(0, 10),
    isoOf(time).slice(11, 19),
    'FRA56-P3',
    String(random.below(90_000)),
    addressOf(ip, oddity, random),
    random.uniform() < 0.85 ? 'GET' : 'POST',
    place.domain,
    pick(random, PATHS),
    status,
    '-',
    client.agent === undefined ? '-' : encodedOf(client.agent),
    random.uniform() < 0.3 ? `q=${hex(random, 1)}` : '-',
    '-',
    status === '200' ? 'Hit' : 'Error',
    `${tailOf(random)}${tailOf(random)}==`,
    place.host,
    'https',
    String(random.below(900)),
    `0.00${random.below(9)}`,
    ...'- TLSv1.3 TLS_AES_128_GCM_SHA256 Hit HTTP/2.0 - - 11040 0.001 Hit text/html 78 - -'.split(' '),
  ]
  if (!place.isJson) return `${fields.join('\t')}\n`
  return `${JSON.stringify(Object.fromEntries(FIELDS.split(' ').map((name, i) => [name, fields[i]])))}\n`
}

function addressOf(ip: number, oddity: number, random: Random): string {
  if (oddity >= 0.1 && oddity < 0.13) return `2001:db8::${hex(random, 1).slice(0, 4)}`
  if (oddity >= 0.13 && oddity < 0.14) return `10.0.${random.below(256)}.${random.below(256)}`
  return formatIpv4(ip)
}

/** As CloudFront encodes headers: ASCII up to the blank and above the tilde, and these signs. */
const encodedOf = (text: string): string =>
  text.replace(/[^!-~]|[<>"#%{}|\\^~[\]`']/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${(byte + 256).toString(16).slice(1).toUpperCase()}`).join(''),
  )

/** As it is read: with what is not printable ASCII it stays encoded. */
const readOf = (text: string): string => (/[^ -~]/u.test(text) ? encodedOf(text) : text)
