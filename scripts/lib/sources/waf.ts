import type { Source } from './source.ts'

/** AWS WAF: which client asked for what. */
export const waf: Source = {
  id: 'waf',
  name: 'AWS WAF',
  about: 'AWS WAF web ACL traffic logs',
  layouts: [
    {
      id: 'waf-s3',
      about: 'web ACL logging straight to S3; CloudFront web ACLs have the region "cloudfront"',
      // Key format: "Sending web ACL traffic logs to an S3 bucket", WAF developer guide. ACL names may hold - and _.
      path: 'AWSLogs/{org?}/{account}/WAFLogs/{region}/{acl}/',
      timed: '{yyyy}/{MM}/{dd}/{HH}/{mm}/{account}_waflogs_{region}_{acl}_{yyyy}{MM}{dd}T{HH}{mm}Z',
      tail: '_[^/]+\\.log(?:\\.gz|\\.zst)?',
      // Files hold "the previous five minutes": one slot of guard on both sides serves both readings of the name.
      padding: { unit: 5, before: 5, after: 5, lateHours: 1 },
    },
    {
      id: 'waf-firehose',
      about: 'web ACL logging through Amazon Data Firehose',
      // WAF delivers only to streams with this beginning: "Sending web ACL traffic logs to an Amazon Data Firehose delivery stream".
      // Object names: "Configure S3 object name format", Data Firehose developer guide; the time is that of the oldest record.
      path: '',
      timed: '{yyyy}/{MM}/{dd}/{HH}/aws-waf-logs-{stream}-{version}-{yyyy}-{MM}-{dd}-{HH}-{mm}-{ss}',
      tail: '-[0-9a-zA-Z-]+(?:\\.[a-z.]+)?',
      // An object holds up to one buffer interval (at most 15 minutes) after its time.
      padding: { unit: 1, before: 15, after: 15, lateHours: 24 },
    },
  ],
  members: {
    timestamp: 'BIGINT',
    httpRequest:
      'STRUCT(clientIp VARCHAR, country VARCHAR, requestId VARCHAR, httpMethod VARCHAR, uri VARCHAR, headers STRUCT("name" VARCHAR, "value" VARCHAR)[])',
    ja3Fingerprint: 'VARCHAR',
    ja4Fingerprint: 'VARCHAR',
  },
  pairMembers: ['timestamp', 'httpRequest.clientIp'],
  idMember: 'httpRequest.requestId',
  details: {
    webaclId: 'VARCHAR',
    action: 'VARCHAR',
    terminatingRuleId: 'VARCHAR',
    httpSourceId: 'VARCHAR',
  },
  entities: {
    'user-agent': { about: 'User-Agent header', column: 'user_agent', members: ['httpRequest.headers'] },
    ja4: { about: 'JA4 fingerprint of the TLS client', column: 'ja4', members: ['ja4Fingerprint'] },
    ja3: { about: 'JA3 fingerprint of the TLS client', column: 'ja3', members: ['ja3Fingerprint'] },
    host: { about: 'Host header', column: 'host', members: ['httpRequest.headers'] },
    country: { about: 'country of the address as WAF sees it', column: 'country', members: ['httpRequest.country'] },
  },
  defaultEntity: 'user-agent',
  aspects: {
    request: "method || ' ' || uri",
    host: 'host',
    action: 'action',
    rule: 'rule',
    acl: 'web_acl',
    country: 'country',
    agent: 'user_agent',
  },
  access: 'request',
}
