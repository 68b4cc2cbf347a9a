import type { Layout } from './layout.ts'
import type { Source } from './source.ts'

/**
 * The time in the name is the start of the five minutes in which its records ended: "Flow log files", VPC user guide. A record spans ten
 * minutes at most and counts by its start, so it may end, and lie, that much after the window.
 */
const padding: Layout['padding'] = { unit: 5, before: 5, after: 10, lateHours: 1 }
const name = '{account}_vpcflowlogs_{region}_{flow}_{yyyy}{MM}{dd}T{HH}{mm}Z'
const tail = '_[^_/]+\\.log(?:\\.gz|\\.zst|\\.parquet)?'

/** VPC Flow Logs: who reached which network interface. Each flow log chooses its fields and their order; a file's first line names them. */
export const vpcflow: Source = {
  id: 'vpcflow',
  name: 'VPC Flow Logs',
  about: 'VPC Flow Logs delivered to S3',
  layouts: [
    {
      id: 'vpcflow',
      about: 'flow logs, in folders of days or hours',
      path: 'AWSLogs/{account}/vpcflowlogs/{region}/',
      timed: `{yyyy}/{MM}/{dd}/{HH?}/${name}`,
      tail,
      padding,
    },
    {
      id: 'vpcflow-hive',
      about: 'flow logs with Hive-compatible prefixes',
      path: 'AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/',
      timed: `year={yyyy}/month={MM}/day={dd}/{hour?}/${name}`,
      tail,
      padding,
    },
  ],
  text: {
    separator: ' ',
    header: '',
    // Fields are named in lower case; a record has digits, capitals or a lone hyphen.
    names: '[a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)*',
  },
  // "Create tables for flow logs in Apache Parquet format", Athena user guide.
  parquet: (member) => member.replaceAll('-', '_'),
  // On Athena a look finds the fields of each file first, then its records.
  scans: 2,
  members: {
    start: 'VARCHAR',
    end: 'VARCHAR',
    action: 'VARCHAR',
    'log-status': 'VARCHAR',
    'flow-direction': 'VARCHAR',
    srcaddr: 'VARCHAR',
    dstaddr: 'VARCHAR',
    'pkt-srcaddr': 'VARCHAR',
    'pkt-dstaddr': 'VARCHAR',
    srcport: 'VARCHAR',
    dstport: 'VARCHAR',
    protocol: 'VARCHAR',
    'interface-id': 'VARCHAR',
    'instance-id': 'VARCHAR',
    'vpc-id': 'VARCHAR',
  },
  pairMembers: [
    'start',
    'end',
    'action',
    'log-status',
    'flow-direction',
    'srcaddr',
    'dstaddr',
    'pkt-srcaddr',
    'pkt-dstaddr',
  ],
  // A flow is one of its interface, addresses, ports and protocol in its span of time; records have no id.
  idMember: ['interface-id', 'srcport', 'dstport', 'protocol'],
  details: {
    'account-id': 'VARCHAR',
    region: 'VARCHAR',
    bytes: 'VARCHAR',
    'pkt-src-aws-service': 'VARCHAR',
    'pkt-dst-aws-service': 'VARCHAR',
  },
  entities: {
    interface: { about: 'network interface that was reached', column: 'interface', members: ['interface-id'] },
    instance: { about: 'instance that was reached', column: 'instance', members: ['instance-id'] },
    vpc: { about: 'VPC that was reached', column: 'vpc', members: ['vpc-id'] },
    'local-address': { about: 'private address that was reached', column: 'local_address', members: ['dstaddr'] },
  },
  defaultEntity: 'interface',
  aspects: {
    request: "local_port || '/' || protocol",
    interface: 'interface',
    instance: 'instance',
    local: 'local_address',
    vpc: 'vpc',
    account: 'account',
    region: 'region',
    service: 'aws_service',
  },
  access: 'request',
}
