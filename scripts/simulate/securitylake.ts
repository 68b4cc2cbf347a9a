import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { type Client, clientOf } from './client.ts'
import { accountIds, hex, iamId, pick, uuid } from './identifiers.ts'
import { dayOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

/** Seconds of log files; each has the events of one day. */
const STEP = 3600

interface Place {
  readonly kind: 'CLOUD_TRAIL_MGMT' | 'VPC_FLOW'
  readonly account: string
  readonly region: string
}

const text = (...names: readonly string[]): string => `STRUCT(${names.map((name) => `"${name}" VARCHAR`).join(', ')})`

const PRODUCT = { time: 'BIGINT', class_uid: 'INTEGER', status: 'VARCHAR', status_id: 'INTEGER' }
/** The columns of either kind, those that say the same of every record left out. */
const COLUMNS: Readonly<Record<Place['kind'], Readonly<Record<string, string>>>> = {
  CLOUD_TRAIL_MGMT: {
    ...PRODUCT,
    metadata: text('uid', 'version'),
    cloud: text('region', 'provider'),
    api: `STRUCT(response ${text('error', 'message')}, operation VARCHAR, service ${text('name')})`,
    actor: `STRUCT("user" ${text('type', 'name', 'uid', 'uuid', 'account_uid', 'credential_uid')}, invoked_by VARCHAR)`,
    http_request: text('user_agent'),
    src_endpoint: text('uid', 'ip', 'domain'),
    unmapped: 'MAP(VARCHAR, VARCHAR)',
  },
  VPC_FLOW: {
    ...PRODUCT,
    metadata: text('version'),
    cloud: text('account_uid', 'region', 'zone', 'provider'),
    src_endpoint: endpoint(),
    dst_endpoint: endpoint(),
    connection_info: 'STRUCT(protocol_num INTEGER, direction VARCHAR, direction_id INTEGER)',
    traffic: 'STRUCT(packets BIGINT, bytes BIGINT)',
    start_time: 'BIGINT',
    end_time: 'BIGINT',
    status_code: 'VARCHAR',
    disposition: 'VARCHAR',
    disposition_id: 'INTEGER',
  },
}

function endpoint(): string {
  return 'STRUCT(port INTEGER, svc_name VARCHAR, ip VARCHAR, interface_uid VARCHAR, vpc_uid VARCHAR, instance_uid VARCHAR, subnet_uid VARCHAR)'
}

/** A third of the clients are network interfaces that are reached, the others call APIs. */
const isInterface = ({ ja3 }: Client): boolean => Number.parseInt(ja3.slice(0, 2), 16) % 3 === 0

/** Security Lake of two accounts: CloudTrail management events and VPC flow, version 1. */
export function simulateSecurityLake(settings: Settings): Simulated {
  const { seed } = settings
  const [first = '', second = first] = accountIds(settings.accounts, seed)
  const at = (kind: Place['kind']): Place[] => [
    { kind, account: first, region: 'us-east-1' },
    { kind, account: second, region: 'eu-west-1' },
  ]
  const places = new Map<number, number>()
  const placeOf = (client: number): number => {
    const found = places.get(client) ?? (client % 2) + (isInterface(clientOf(seed, client)) ? 2 : 0)
    places.set(client, found)
    return found
  }
  return simulateSite<Place>(settings, {
    source: 'securitylake',
    salt: 49_979_687,
    places: [...at('CLOUD_TRAIL_MGMT'), ...at('VPC_FLOW')],
    placeOf,
    step: STEP,
    recordBytes: 600,
    entityOf: (client) => (isInterface(client) ? undefined : idOf(client)),
    keyOf: ({ kind, account, region }, time, random) =>
      `aws/${kind}/1.0/region=${region}/accountId=${account}/eventDay=${dayOf(time).replaceAll('/', '')}/${hex(random, 4)}.gz.parquet`,
    columnsOf: ({ kind }) => COLUMNS[kind],
    recordOf: (number, request) => {
      const recordOf = request.place.kind === 'VPC_FLOW' ? flowOf : callOf
      return `${JSON.stringify(recordOf(new Random(seed, 61, number), request))}\n`
    },
  })
}

/** Id of a user or, every other one, of a role. */
const isRole = ({ ja4 }: Client): boolean => Number.parseInt(ja4.slice(-1), 16) % 2 === 0
const idOf = (client: Client): string =>
  iamId(isRole(client) ? 'AROA' : 'AIDA', new Random(Number.parseInt(client.ja3.slice(0, 7), 16), 62))

const CALLS = [
  ['s3.amazonaws.com', 'ListBuckets'],
  ['ec2.amazonaws.com', 'DescribeInstances'],
  ['sts.amazonaws.com', 'GetCallerIdentity'],
  ['iam.amazonaws.com', 'ListUsers'],
] as const

const AGENTS = ['aws-cli/2.15.30', 'Boto3/1.34.51', 'console.amazonaws.com'] as const

/** A CloudTrail event: "CloudTrail", AWS v1.0.0-rc.2 of the mappings in github.com/ocsf/examples. */
function callOf(random: Random, { client, ip, time, place, plain }: SiteRequest<Place>): Record<string, unknown> {
  const oddity = plain ? 1 : random.uniform()
  const { account, region } = place
  const [id, [service, operation]] = [idOf(client), pick<readonly [string, string]>(random, CALLS)]
  const name = isRole(client) ? 'Deployer' : `user-${client.ja3.slice(0, 6)}`
  const user = {
    type: isRole(client) ? 'AssumedRole' : 'IAMUser',
    name,
    uid: isRole(client) ? `${id}:session-${random.below(3)}` : id,
    uuid: `arn:aws:iam::${account}:user/${name}`,
    account_uid: account,
    credential_uid: iamId('AKIA', new Random(random.below(2), 63)),
  }
  const isService = oddity < 0.05
  const error = oddity >= 0.05 && oddity < 0.1 ? { error: 'AccessDenied', message: 'not authorized' } : {}
  return {
    metadata: { uid: uuid(random), version: '1.0.0-rc.2' },
    time: time * 1000,
    class_uid: 3005,
    status: 'error' in error ? 'Failure' : 'Success',
    status_id: 'error' in error ? 2 : 1,
    cloud: { region, provider: 'AWS' },
    api: { response: error, operation, service: { name: service } },
    actor: isService
      ? { user: { type: 'AWSService' }, invoked_by: 'config.amazonaws.com' }
      : { user: oddity >= 0.1 && oddity < 0.12 ? { type: 'Unknown' } : user },
    http_request: { user_agent: pick(random, AGENTS) },
    src_endpoint: sourceOf(oddity, ip, random),
    unmapped: { recipientAccountId: account, readOnly: 'true' },
  }
}

function sourceOf(oddity: number, ip: number, random: Random): Record<string, string> {
  if (oddity < 0.05) return { domain: 'config.amazonaws.com' }
  if (oddity < 0.14) return { domain: 'AWS Internal' }
  if (oddity < 0.17) return { ip: `2001:db8::${hex(random, 1).slice(0, 4)}` }
  return { ip: oddity < 0.19 ? `10.1.${random.below(256)}.${random.below(256)}` : formatIpv4(ip) }
}

/** A flow: "VPC Flowlogs" of the same mappings, with its sample. What is absent is a hyphen. */
function flowOf(random: Random, { client, ip, time, place, plain }: SiteRequest<Place>): Record<string, unknown> {
  const oddity = plain ? 1 : random.uniform()
  const { account, region } = place
  const code = oddity < 0.02 ? 'NODATA' : oddity < 0.03 ? 'SKIPDATA' : 'OK'
  const isBlocked = oddity >= 0.03 && oddity < 0.1
  const isOutbound = oddity >= 0.1 && oddity < 0.2
  const local = {
    port: Number(pick(random, ['443', '22', '5432'])),
    svc_name: '-',
    ip: code === 'OK' ? `10.0.${Number.parseInt(client.ja3.slice(0, 2), 16)}.7` : '-',
    interface_uid: `eni-0${client.ja3.slice(0, 16)}`,
    vpc_uid: 'vpc-0a1b2c3d4e5f60718',
    instance_uid: random.uniform() < 0.1 ? '-' : `i-0${client.ja3.slice(16, 32)}`,
    subnet_uid: 'subnet-0a1b2c3d4e5f60718',
  }
  const remote = { port: 1024 + random.below(60_000), svc_name: '-', ip: code === 'OK' ? formatIpv4(ip) : '-' }
  const [src, dst] = isOutbound ? [local, remote] : [remote, local]
  return {
    metadata: { version: '1.0.0-rc.2' },
    time: time * 1000,
    class_uid: 4001,
    cloud: { account_uid: account, region, zone: 'use1-az1', provider: 'AWS' },
    src_endpoint: src,
    dst_endpoint: dst,
    connection_info: {
      protocol_num: 6,
      direction: isOutbound ? 'Outbound' : 'Inbound',
      direction_id: isOutbound ? 2 : 1,
    },
    traffic: { packets: 1 + random.below(90), bytes: 40 + random.below(90_000) },
    start_time: time * 1000,
    end_time: (time + 59) * 1000,
    status_code: code,
    ...(code === 'OK' && { disposition: isBlocked ? 'Blocked' : 'Allowed', disposition_id: isBlocked ? 2 : 1 }),
  }
}
