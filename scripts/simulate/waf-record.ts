import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { hex, pick, uuid } from './identifiers.ts'
import type { SiteRequest } from './site.ts'

/** A web ACL and the site that it protects. */
export interface WebAcl {
  readonly account: string
  /** `cloudfront` for those of CloudFront. */
  readonly region: string
  readonly name: string
  readonly host: string
}

export type WebRequest = SiteRequest<WebAcl>

const PATHS = ['/', '/login', '/api/orders', '/static/app.js', '/search', '/wp-login.php'] as const

/** A log record as one line of JSON, newline included; the same for the same seed and number. */
export function requestRecord(seed: number, number: number, request: WebRequest): string {
  const random = new Random(seed, 22, number)
  const { place: acl, time, client } = request
  const isCloudFront = acl.region === 'cloudfront'
  const region = isCloudFront ? 'us-east-1' : acl.region
  const oddity = request.plain ? 1 : random.uniform()
  const isBlocked = random.uniform() < 0.08
  const record = {
    timestamp: time * 1000 + random.below(1000),
    formatVersion: 1,
    webaclId: `arn:aws:wafv2:${region}:${acl.account}:${isCloudFront ? 'global' : 'regional'}/webacl/${acl.name}/${uuid(new Random(seed, 23))}`,
    terminatingRuleId: isBlocked ? 'BlockBadPaths' : 'Default_Action',
    terminatingRuleType: 'REGULAR',
    action: isBlocked ? 'BLOCK' : 'ALLOW',
    terminatingRuleMatchDetails: [],
    httpSourceName: isCloudFront ? 'CF' : 'ALB',
    httpSourceId: isCloudFront ? 'E2EXAMPLE1ABCD' : `${acl.account}-app/web/${hex(new Random(seed, 24), 2)}`,
    ruleGroupList: oddity < 0.02 ? null : RULE_GROUPS,
    rateBasedRuleList: [],
    nonTerminatingMatchingRules: [],
    requestHeadersInserted: null,
    responseCodeSent: null,
    httpRequest: {
      clientIp: addressOf(request.ip, oddity, random),
      country: client.country,
      headers: oddity >= 0.02 && oddity < 0.03 ? [] : headersOf(request, random),
      uri: pick(random, PATHS),
      args: random.uniform() < 0.3 ? `q=${hex(random, 1)}&page=${random.below(9)}` : '',
      httpVersion: 'HTTP/2.0',
      httpMethod: random.uniform() < 0.85 ? 'GET' : 'POST',
      requestId: `1-${hex(random, 1)}-${hex(random, 3)}`,
    },
    // Older records have none of these.
    ...(oddity >= 0.03 && oddity < 0.08
      ? {}
      : {
          labels: [{ name: `awswaf:clientip:geo:country:${client.country}` }],
          ja3Fingerprint: client.ja3,
          ja4Fingerprint: client.ja4,
          requestBodySize: 0,
          requestBodySizeInspectedByWAF: 0,
        }),
  }
  return `${JSON.stringify(record)}\n`
}

const RULE_GROUPS = [
  {
    ruleGroupId: 'AWS#AWSManagedRulesCommonRuleSet',
    terminatingRule: null,
    nonTerminatingMatchingRules: [],
    excludedRules: null,
    customerConfig: null,
  },
]

function addressOf(ip: number, oddity: number, random: Random): string {
  if (oddity >= 0.1 && oddity < 0.13) return `2001:db8::${hex(random, 1).slice(0, 4)}`
  if (oddity >= 0.13 && oddity < 0.14) return `10.0.${random.below(256)}.${random.below(256)}`
  return formatIpv4(ip)
}

/** Names keep the client's case. */
function headersOf({ client, ip, place: acl }: WebRequest, random: Random) {
  const isLowerCase = random.uniform() < 0.5
  const header = (name: string, value: string) => ({ name: isLowerCase ? name.toLowerCase() : name, value })
  return [
    header('Host', acl.host),
    ...(client.agent === undefined ? [] : [header('User-Agent', client.agent)]),
    header('Accept', '*/*'),
    header('Accept-Encoding', 'gzip, deflate, br'),
    // The client writes it, and it may hold several addresses.
    ...(random.uniform() < 0.1
      ? [header('X-Forwarded-For', `198.51.100.${random.below(256)}, ${formatIpv4(ip)}`)]
      : []),
  ]
}
