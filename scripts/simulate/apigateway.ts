import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import type { Client } from './client.ts'
import { hex, pick, uuid } from './identifiers.ts'
import { dayOf, isoOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

/** Seconds: the buffer interval of the delivery stream. */
const STEP = 300

interface Api {
  /** Name of the delivery stream behind `amazon-apigateway-`. */
  readonly stream: string
}

/** The access log of an API through Data Firehose, as JSON with the members of the preset. */
export const simulateApiGateway = (settings: Settings): Simulated =>
  simulateSite<Api>(settings, {
    source: 'apigateway',
    salt: 15_485,
    places: [{ stream: 'orders' }],
    step: STEP,
    again: 1,
    recordBytes: 420,
    entityOf: callerOf,
    keyOf: ({ stream }, time, random) =>
      `apigateway/${dayOf(time)}/${isoOf(time).slice(11, 13)}/amazon-apigateway-${stream}-1-${isoOf(time).slice(0, 19).replace(/[T:]/g, '-')}-${uuid(random)}`,
    recordOf: (number, request) => `${JSON.stringify(recordOf(new Random(settings.seed, 43, number), request))}\n`,
  })

/** The unique id of an IAM user; those that send no agent do not sign their requests either. */
const callerOf = ({ agent, ja3 }: Client): string | undefined =>
  agent === undefined ? undefined : `AIDA${ja3.slice(0, 17).toUpperCase()}`

const METHODS = ['GET', 'GET', 'GET', 'POST', 'DELETE'] as const
const PATHS = ['/orders', '/orders/{id}', '/customers/{id}', '/health'] as const
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** `02/Mar/2026:10:00:00 +0000` */
function clfOf(seconds: number): string {
  const iso = isoOf(seconds)
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
}

/** What API Gateway does not know is `-`. */
function recordOf(random: Random, { client, ip, time, plain }: SiteRequest<Api>): Record<string, unknown> {
  const oddity = plain ? 1 : random.uniform()
  const caller = callerOf(client) ?? '-'
  return {
    requestId: uuid(random),
    ip: oddity < 0.03 ? `2001:db8::${hex(random, 1).slice(0, 4)}` : formatIpv4(ip),
    caller,
    user: caller,
    userAgent: client.agent ?? '-',
    apiKey: random.uniform() < 0.5 ? client.ja3.slice(0, 20) : '-',
    authorizer: random.uniform() < 0.5 ? `user_${client.ja3.slice(0, 8)}` : '-',
    requestTime: clfOf(time),
    httpMethod: pick(random, METHODS),
    resourcePath: pick(random, PATHS),
    status: random.uniform() < 0.05 ? '403' : '200',
    protocol: 'HTTP/1.1',
    responseLength: String(random.below(90_000)),
  }
}
