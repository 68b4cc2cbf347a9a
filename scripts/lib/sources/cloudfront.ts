import type { Source } from './source.ts'

/**
 * CloudFront: which client asked a distribution for what. Keys: "Configure standard logging (legacy)", fields and their times: "Standard
 * logging reference", CloudFront developer guide.
 */
export const cloudfront: Source = {
  id: 'cloudfront',
  name: 'CloudFront',
  about: 'CloudFront standard logs (legacy)',
  layouts: [
    {
      id: 'cloudfront',
      about: 'standard logs (legacy), all in one folder',
      path: '',
      timed: '{distribution}.{yyyy}-{MM}-{dd}-{HH}',
      tail: '\\.[A-Za-z0-9]+\\.gz',
      // The hour is the one of the requests, also in files that come up to a day late; most come within an hour.
      padding: { unit: 60, before: 0, after: 0, settles: 60, lateHours: 24 },
    },
  ],
  text: { separator: '\t', header: '#Fields: ', comment: '#' },
  // On Athena a look finds the fields of each file first, then its records.
  scans: 2,
  members: {
    date: 'VARCHAR',
    time: 'VARCHAR',
    'c-ip': 'VARCHAR',
    'cs(Host)': 'VARCHAR',
    'x-host-header': 'VARCHAR',
    'cs(User-Agent)': 'VARCHAR',
    'x-edge-request-id': 'VARCHAR',
  },
  pairMembers: ['date', 'time', 'c-ip'],
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
