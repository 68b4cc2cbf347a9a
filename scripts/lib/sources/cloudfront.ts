import type { Layout } from './layout.ts'
import type { Source } from './source.ts'

/** The same in all of them, as they are found; none is documented for version 2. */
const NAME = '{distribution}.{yyyy}-{MM}-{dd}-{HH}'

const common: Pick<Layout, 'tail' | 'below'> = {
  tail: '\\.[A-Za-z0-9]+(?:\\.(?:gz|json|snappy|parquet))+',
  below: ['AWSLogs/{account}/CloudFront/', 'AWSLogs/aws-account-id={account}/CloudFront/'],
}

/** The hour is the one of the requests, also in files that come up to a day late; most come within an hour. */
const padding: Layout['padding'] = { unit: 60, before: 0, after: 0, settles: 60, lateHours: 24 }

/**
 * CloudFront: which client asked a distribution for what. Keys: "Configure standard logging (v2)" and "(legacy)", fields and their times:
 * "Standard logging reference", CloudFront developer guide. Version 2 is tab-separated text, JSON or Parquet, with fields that somebody
 * chooses, below folders that somebody chooses. Whether a file that comes late lies in the folder of its hour is not documented.
 */
export const cloudfront: Source = {
  id: 'cloudfront',
  name: 'CloudFront',
  about: 'CloudFront standard logs, legacy and version 2',
  layouts: [
    {
      id: 'cloudfront-hive',
      about: 'standard logs (v2) in Hive-compatible folders of days or hours',
      path: '',
      timed: `year={Dyyyy}/month={DMM}/day={Ddd}/{Dhour?}/${NAME}`,
      ...common,
      padding: { ...padding, tail: 1 },
    },
    {
      id: 'cloudfront-dated',
      about: 'standard logs (v2) in folders of days or hours',
      path: '',
      timed: `{Dyyyy}/{DMM}/{Ddd}/{DHH?}/${NAME}`,
      ...common,
      padding: { ...padding, tail: 1 },
    },
    {
      id: 'cloudfront',
      about: 'standard logs, legacy or v2, all in one folder',
      path: '',
      timed: NAME,
      ...common,
      padding,
    },
  ],
  text: {
    separator: '\t',
    header: '#Fields: ',
    comment: '#',
    // The form that AWS calls plain names the fields in a line without the mark. A record has digits, or capitals where a name begins.
    names: '[a-z][A-Za-z()-]*(?:[\\t ][a-z][A-Za-z()-]*)*',
  },
  // "Create a table for CloudFront logs in Athena using manual partitioning with Parquet", Athena user guide.
  parquet: (member) =>
    member
      .toLowerCase()
      .replace(/[()-]+/g, '_')
      .replace(/_$/, ''),
  // On Athena a look finds the fields of each file first, then its records.
  scans: 2,
  members: {
    date: 'VARCHAR',
    time: 'VARCHAR',
    'timestamp(ms)': 'VARCHAR',
    'c-ip': 'VARCHAR',
    'cs(Host)': 'VARCHAR',
    'x-host-header': 'VARCHAR',
    'cs(User-Agent)': 'VARCHAR',
    'x-edge-request-id': 'VARCHAR',
  },
  pairMembers: ['date', 'time', 'timestamp(ms)', 'c-ip'],
  idMember: 'x-edge-request-id',
  details: {
    'cs-method': 'VARCHAR',
    'cs-uri-stem': 'VARCHAR',
    'sc-status': 'VARCHAR',
    'x-edge-result-type': 'VARCHAR',
  },
  entities: {
    'user-agent': { about: 'User-Agent header, decoded', column: 'user_agent', members: ['cs(User-Agent)'] },
    host: { about: 'Host header of the client', column: 'host', members: ['x-host-header'] },
    distribution: { about: 'domain name of the distribution', column: 'distribution', members: ['cs(Host)'] },
  },
  defaultEntity: 'user-agent',
  aspects: {
    request: "method || ' ' || uri",
    host: 'host',
    distribution: 'distribution',
    status: 'status',
    action: 'action',
    agent: 'user_agent',
  },
  access: 'request',
}
