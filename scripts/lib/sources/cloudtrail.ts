import type { Source } from './source.ts'

/** AWS CloudTrail: who called which API. Only `/CloudTrail/`: its siblings CloudTrail-Digest, -Insight, … are other things. */
export const cloudtrail: Source = {
  id: 'cloudtrail',
  name: 'CloudTrail',
  about: 'AWS CloudTrail events delivered to S3',
  layouts: [
    {
      id: 'cloudtrail',
      about: 'trail of an account, an organization or Control Tower',
      // Key format: "Getting and viewing your CloudTrail log files", CloudTrail user guide; older names have no _ after the Z.
      path: 'AWSLogs/{org?}/{account}/CloudTrail/{region}/',
      timed: '{yyyy}/{MM}/{dd}/{account}_CloudTrail_{region}_{yyyy}{MM}{dd}T{HH}{mm}Z',
      tail: '_?[^/]+\\.json(?:\\.gz|\\.zst)?',
      // The time is that of delivery, in 5-minute slots, normally after the event; AWS's own digest sample shows events
      // 7 minutes after it, hence `before`. Late deliveries: 24 h typical, 30 days worst.
      padding: { unit: 5, before: 15, after: 60, lateHours: 24 },
    },
  ],
  digest: {
    id: 'cloudtrail-digest',
    about: 'hourly digests of log file validation',
    // Key format: "CloudTrail digest file structure", CloudTrail user guide. A trail's name may hold _ and dots.
    path: 'AWSLogs/{org?}/{account}/CloudTrail-Digest/{region}/',
    timed: '{yyyy}/{MM}/{dd}/{account}_CloudTrail-Digest_{region}_{trail}_{home}_{yyyy}{MM}{dd}T{HH}{mm}{ss}Z',
    tail: '(?:_backfill)?\\.json(?:\\.gz)?',
    // The time is the end of the hour of delivery: files delivered up to two hours after the window are looked up.
    padding: { unit: 1, before: 0, after: 120, lateHours: 24 },
  },
  members: {
    eventTime: 'VARCHAR',
    eventID: 'VARCHAR',
    eventType: 'VARCHAR',
    sourceIPAddress: 'VARCHAR',
    userIdentity:
      'STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, accessKeyId VARCHAR, userName VARCHAR, sessionContext STRUCT(attributes STRUCT(mfaAuthenticated VARCHAR), sessionIssuer STRUCT(userName VARCHAR)))',
  },
  pairMembers: ['eventTime', 'eventType', 'sourceIPAddress', 'userIdentity.type'],
  idMember: 'eventID',
  details: {
    eventSource: 'VARCHAR',
    eventName: 'VARCHAR',
    awsRegion: 'VARCHAR',
    recipientAccountId: 'VARCHAR',
    userAgent: 'VARCHAR',
    errorCode: 'VARCHAR',
    errorMessage: 'VARCHAR',
  },
  entities: {
    principal: {
      about: 'principal id without the session name: the user or role',
      column: 'principal',
      members: ['userIdentity.principalId'],
    },
    'principal-session': {
      about: 'principal id as logged, with the session name',
      column: 'principal_session',
      members: ['userIdentity.principalId'],
    },
    arn: { about: 'ARN of the identity', column: 'arn', members: ['userIdentity.arn'] },
    'user-name': {
      about: 'user name, or the name of the role that was assumed',
      column: 'user_name',
      members: ['userIdentity.userName', 'userIdentity.sessionContext'],
    },
    'access-key': { about: 'access key id', column: 'access_key', members: ['userIdentity.accessKeyId'] },
    account: { about: 'account of the identity', column: 'account', members: ['userIdentity.accountId'] },
  },
  defaultEntity: 'principal',
  aspects: {
    name: 'user_name',
    arn: 'arn',
    account: 'account',
    region: 'region',
    call: "event_source || ':' || event_name",
    error: 'error',
    mfa: 'mfa',
    credential:
      "case when event_name = 'ConsoleLogin' or user_agent like '%console.amazonaws.com%' or user_agent = 'signin.amazonaws.com' then 'console' else access_key end",
    agent: 'user_agent',
  },
  access: 'call',
  globalRegion: 'us-east-1',
}
