import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import type { Client } from './client.ts'
import { accountIds, hex, pick } from './identifiers.ts'
import { compactOf, dayOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { type SiteRequest, simulateSite } from './site.ts'

/** Seconds of log files, and those after which a flow is recorded. */
const STEP = 300
const SPAN = 59

/** A flow log. */
interface Flow {
  readonly account: string
  readonly region: string
  readonly id: string
  /** In the order of its own. */
  readonly fields: string
  folderOf(time: number): string
}

/** The default ones: "Flow log records", VPC user guide. */
const DEFAULT =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const CUSTOM =
  'region vpc-id instance-id interface-id flow-direction action log-status start end pkt-srcaddr srcaddr srcport pkt-dstaddr dstaddr dstport protocol tcp-flags bytes account-id pkt-src-aws-service'

/** A flow log with the default fields, and one with its own, Hive-compatible prefixes and folders of hours. A client stands for an interface. */
export function simulateVpcflow(settings: Settings): Simulated {
  const { seed } = settings
  const [first = '', second = first] = accountIds(settings.accounts, seed)
  const places: readonly Flow[] = [
    {
      ...{ account: first, region: 'us-east-1', id: 'fl-0a1b2c3d4e5f60718', fields: DEFAULT },
      folderOf: (time) => `${first}/vpcflowlogs/us-east-1/${dayOf(time)}/`,
    },
    {
      ...{ account: second, region: 'eu-west-1', id: 'fl-1234abcd', fields: CUSTOM },
      folderOf: (time) => {
        const [year, month, day] = dayOf(time).split('/')
        const hour = compactOf(time).slice(9, 11)
        return `aws-account-id=${second}/aws-service=vpcflowlogs/aws-region=eu-west-1/year=${year}/month=${month}/day=${day}/hour=${hour}/`
      },
    },
  ]
  return simulateSite<Flow>(settings, {
    source: 'vpcflow',
    salt: 15_485_863,
    places,
    placeOf: (client) => (client % 3 === 0 ? 0 : 1),
    step: STEP,
    lag: SPAN,
    again: 1,
    recordBytes: 150,
    entityOf: interfaceOf,
    keyOf: ({ account, region, id, folderOf }, time, random) =>
      `AWSLogs/${folderOf(time)}${account}_vpcflowlogs_${region}_${id}_${compactOf(time).slice(0, 13)}Z_${hex(random, 1)}.log.gz`,
    header: ({ fields }) => `${fields}\n`,
    recordOf: (number, request) => recordOf(new Random(seed, 51, number), request),
  })
}

const interfaceOf = ({ ja3 }: Client): string => `eni-0${ja3.slice(0, 16)}`

const PORTS = ['443', '443', '22', '3389', '5432'] as const

/** A line of the fields that the flow log has. */
function recordOf(random: Random, request: SiteRequest<Flow>): string {
  const { client, time, place, plain } = request
  const oddity = plain ? 1 : random.uniform()
  const what = oddity < 0.02 ? 'NODATA' : oddity < 0.03 ? 'SKIPDATA' : 'OK'
  const always = {
    version: '2',
    'account-id': place.account,
    region: place.region,
    'interface-id': interfaceOf(client),
    'vpc-id': `vpc-0${client.ja4.slice(11, 12)}a2b3c4d5e6f7081`,
    'instance-id': random.uniform() < 0.1 ? '-' : `i-0${client.ja3.slice(16)}`,
    start: String(time),
    end: String(time + SPAN),
    'log-status': what,
  }
  const values: Readonly<Record<string, string>> =
    what === 'OK' ? { ...always, ...trafficOf(random, request, oddity) } : always
  return `${place.fields
    .split(' ')
    .map((field) => values[field] ?? '-')
    .join(' ')}\n`
}

function trafficOf(random: Random, { ip, client }: SiteRequest<Flow>, oddity: number) {
  const isIpv6 = oddity >= 0.3 && oddity < 0.33
  const remote = isIpv6
    ? `2001:db8::${hex(random, 1).slice(0, 4)}`
    : oddity >= 0.33 && oddity < 0.35
      ? `10.9.${random.below(256)}.${random.below(256)}`
      : formatIpv4(ip)
  const local = isIpv6 ? '2600:1f18::7' : `10.0.${Number.parseInt(client.ja3.slice(0, 2), 16)}.7`
  // Behind a load balancer, or where packets are meant for something behind the interface.
  const near = oddity >= 0.35 && oddity < 0.4 ? '10.0.0.220' : remote
  const [port, far] = [pick(random, PORTS), String(1024 + random.below(60_000))]
  const isOutbound = oddity >= 0.1 && oddity < 0.2
  const ends = isOutbound
    ? { srcaddr: local, 'pkt-srcaddr': local, srcport: port, dstaddr: near, 'pkt-dstaddr': remote, dstport: far }
    : { srcaddr: near, 'pkt-srcaddr': remote, srcport: far, dstaddr: local, 'pkt-dstaddr': local, dstport: port }
  return {
    ...ends,
    'flow-direction': isOutbound ? 'egress' : 'ingress',
    'pkt-src-aws-service': random.uniform() < 0.05 ? 'EC2' : '-',
    protocol: '6',
    'tcp-flags': '19',
    packets: String(1 + random.below(90)),
    bytes: String(40 + random.below(90_000)),
    action: oddity >= 0.03 && oddity < 0.1 ? 'REJECT' : 'ACCEPT',
  }
}
