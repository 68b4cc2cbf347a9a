import type { Source } from './source.ts'

const FIELD = '[^ "]+'

/**
 * S3 server access logs: who asked a bucket for what. Keys and times: "Logging requests with server access logging", fields: "Amazon S3
 * server access log format", both in the S3 user guide. Any name with a date may precede the time in a flat key: the prefix of the
 * destination need not end with a slash.
 */
export const s3access: Source = {
  id: 's3access',
  name: 'S3 access',
  about: 'S3 server access logs',
  layouts: [
    {
      id: 's3access-partitioned',
      about: 'in folders of account, region, bucket and date',
      // The prefix of the destination is put before the account as it is, with or without a slash.
      path: '{stem}{account}/{region}/{bucket}/',
      timed: '{yyyy}/{MM}/{dd}/{yyyy}-{MM}-{dd}-{HH}-{mm}-{ss}',
      tail: '-[0-9A-F]{16}',
      // By event time, a file of 00:00:00 holds events of its whole day; by delivery, as above. A key does not tell which of them it is.
      padding: { unit: 1440, before: 0, after: 1440, settles: 360, lateHours: 24 },
    },
    {
      id: 's3access',
      about: 'all in one folder, below a prefix',
      path: '',
      timed: '{stem}{yyyy}-{MM}-{dd}-{HH}-{mm}-{ss}',
      tail: '-[0-9A-F]{16}',
      // The time is that of delivery: most within a few hours, some a day late and more.
      padding: { unit: 1, before: 0, after: 1440, settles: 360, lateHours: 24 },
    },
  ],
  text: {
    // Quotes within quotes are not escaped: the request ends before a status, the user agent with the last quote of the line.
    pattern: [
      '[^ ]+ (?<bucket>[^ ]+) \\[(?<time>[^\\]]+)\\] (?<remoteIp>[^ ]+) (?<requester>[^ ]+) (?<requestId>[^ ]+)',
      ' (?<operation>[^ ]+) (?<objectKey>[^ ]+) (?:"(?<requestUri>[^\\n]*?)"|-) (?<status>[0-9]{3}|-) (?<errorCode>[^ ]+)',
      ' [^ ]+ [^ ]+ [^ ]+ [^ ]+ (?:"[^\\n]*?"|-) (?:"(?<userAgent>[^\\n]*)"|-)',
      `(?: ${FIELD} ${FIELD} ${FIELD} ${FIELD} ${FIELD} (?<hostHeader>${FIELD})(?: ${FIELD}(?: (?<accessPoint>${FIELD})(?: ${FIELD})*)?)?|(?: ${FIELD}){0,5})`,
    ].join(''),
  },
  members: {
    bucket: 'VARCHAR',
    time: 'VARCHAR',
    remoteIp: 'VARCHAR',
    requester: 'VARCHAR',
    requestId: 'VARCHAR',
    operation: 'VARCHAR',
    accessPoint: 'VARCHAR',
  },
  pairMembers: ['time', 'remoteIp', 'requester', 'operation'],
  idMember: 'requestId',
  details: {
    objectKey: 'VARCHAR',
    requestUri: 'VARCHAR',
    status: 'VARCHAR',
    errorCode: 'VARCHAR',
    userAgent: 'VARCHAR',
    hostHeader: 'VARCHAR',
  },
  entities: {
    requester: {
      about: 'who asks: ARN of the user or session, or canonical id',
      column: 'requester',
      members: ['requester'],
    },
    bucket: { about: 'bucket that is asked', column: 'bucket', members: ['bucket'] },
    'access-point': { about: 'ARN of the access point', column: 'access_point', members: ['accessPoint'] },
  },
  defaultEntity: 'requester',
  aspects: {
    request: "operation || ' ' || object_key",
    bucket: 'bucket',
    status: 'status',
    error: 'error',
    agent: 'user_agent',
  },
  access: 'request',
}
