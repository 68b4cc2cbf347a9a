import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { agentOf, type Call, calls } from './calls.ts'
import { pick, uuid } from './identifiers.ts'
import { isoOf } from './log-file.ts'
import { oddityOf } from './oddities.ts'
import type { Person } from './people.ts'

/** One access, ready to be written. */
export interface Access {
  readonly ip: number
  /** Seconds since 1970. */
  readonly time: number
  readonly person: Person
  readonly region: string
  /** Without any oddity: attacks and edges must be found again. */
  readonly plain: boolean
}

/** What varies between kinds of records; JSON fragments. */
export interface Parts {
  /** Absent: the record has none at all. */
  identity: string | undefined
  sourceIp: string
  agent: string
  call: Call
  type: string
  /** Members after `eventCategory`. */
  more: string
  error: string
}

export const HOME_REGION = 'us-east-1'
/** How long a session lasts that a record may belong to, in seconds. */
const SESSION = 6 * 3600

/** A CloudTrail record as JSON; the same for the same seed and number. */
export function recordOf(seed: number, number: number, access: Access): string {
  const random = new Random(seed, 12, number)
  const { person, region, time } = access
  const call = callIn(random, region)
  const sessionStart = isoOf(Math.floor(time / SESSION) * SESSION)
  const parts: Parts = {
    identity: `${person.identity(random, sessionStart)}}`,
    sourceIp: formatIpv4(access.ip),
    agent: agentOf(random),
    call,
    type: 'AwsApiCall',
    more: `,"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"${call.source}.${region}.amazonaws.com"}`,
    error: '',
  }
  if (!access.plain) oddityOf(random)?.change(parts, access, random)
  return render(parts, access, random)
}

/** Calls of global services are made everywhere and logged at home. */
function callIn(random: Random, region: string): Call {
  const call = pick(random, calls)
  return call.global && region !== HOME_REGION ? calls[0] : call
}

function render(parts: Parts, { person, region, time }: Access, random: Random): string {
  const { identity, call } = parts
  const [requestId, eventId] = [uuid(random), uuid(random)]
  return `{"eventVersion":"1.09",${identity === undefined ? '' : `"userIdentity":${identity},`}"eventTime":"${isoOf(time)}","eventSource":"${call.source}.amazonaws.com","eventName":"${call.name}","awsRegion":"${region}","sourceIPAddress":"${parts.sourceIp}","userAgent":"${parts.agent}",${parts.error}"requestParameters":${call.parameters(random)},"responseElements":${call.response?.(random) ?? 'null'},"requestID":"${requestId}","eventID":"${eventId}","readOnly":${call.readOnly},"eventType":"${parts.type}","managementEvent":true,"recipientAccountId":"${person.account}","eventCategory":"Management"${parts.more}}`
}
