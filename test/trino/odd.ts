// Records in which the engines could well disagree.

/** Names that strangers may choose: everything that the codec escapes, and what lies beyond ASCII. */
const NAMES = [
  Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join(''),
  'john.doe, "the" \'o\' `b` \\ %2E%',
  'é 漢字 🙂 \u0085 \u2028 \u202e \ufffd \ufeff',
  ' ',
  '   spaces   ',
  '',
  '\t',
  '\\N',
  'NULL',
  '🙂'.repeat(300),
  'x'.repeat(20_000),
  'e\u0301', // not normalised
  'AROAEXAMPLE:session:more',
  'AROAEXAMPLE:',
  ':session',
  'AROA:short',
  'ARO:shorter',
  '111122223333:federated',
  null,
]

const ADDRESSES = [
  '198.18.0.1',
  '8.8.8.8',
  '8.8.4.4',
  '08.8.8.8',
  '8.8.8.256',
  '8.8.8',
  ' 8.8.8.8',
  '8.8.8.8 ',
  '8.8.8.8\n',
  '10.1.2.3',
  '172.16.0.1',
  '172.32.0.1',
  '100.64.0.1',
  '100.128.0.1',
  '192.0.1.1',
  '192.0.2.1',
  '203.0.113.5',
  '223.255.255.255',
  '224.0.0.1',
  '255.255.255.255',
  '0.0.0.0',
  '2001:db8::1',
  '::ffff:8.8.8.8',
  'ec2.amazonaws.com',
  'EC2.amazonaws.com',
  'AWS Internal',
  'AWS Internal/12',
  'x.x.x.x',
  '٨.٨.٨.٨',
  '',
  null,
]

const TIMES = [
  '2023-04-24T22:18:00Z',
  '2023-04-24T22:17:59.999Z',
  '2023-04-25T00:18:00+02:00',
  '2026-03-03T14:23:59Z',
  '2026-03-03T14:24:00Z',
  '2026-03-03T23:59:59.999Z',
  '2026-03-04T00:00:00Z',
  '2026-03-02T01:00:00+02:00',
  '2026-03-02T12:00:00.5Z',
  '2026-03-02T12:00:00.123456Z',
  '',
  'yesterday',
  null,
]

const event = (change: Record<string, unknown>, i: number): Record<string, unknown> => ({
  eventVersion: '1.08',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDAEXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/j',
    accountId: '012345678901',
  },
  eventTime: '2026-03-02T10:00:00Z',
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  awsRegion: 'us-east-1',
  sourceIPAddress: '8.8.8.8',
  userAgent: 'aws-cli/2',
  eventID: `id-${i}`,
  eventType: 'AwsApiCall',
  recipientAccountId: '012345678901',
  ...change,
})

/** CloudTrail. */
export function oddEvents(): unknown[] {
  const identity = (change: Record<string, unknown>) => ({ userIdentity: { type: 'AssumedRole', ...change } })
  const changes: Record<string, unknown>[] = [
    ...NAMES.map((principalId) =>
      identity({ principalId, arn: principalId, userName: principalId, accessKeyId: principalId }),
    ),
    ...NAMES.map((userAgent) => ({ userAgent, errorCode: userAgent })),
    ...ADDRESSES.map((sourceIPAddress) => ({ sourceIPAddress })),
    ...TIMES.map((eventTime) => ({ eventTime })),
    identity({
      principalId: 'AROAX:s',
      sessionContext: { sessionIssuer: { userName: 'role' }, attributes: { mfaAuthenticated: 'false' } },
    }),
    identity({ sessionContext: { sessionIssuer: {} } }),
    { userIdentity: null },
    { userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' } },
    {
      userIdentity: { type: 'Root', principalId: '012345678901' },
      eventName: 'ConsoleLogin',
      errorMessage: 'Failed authentication',
    },
    { eventType: 'AwsServiceEvent' },
    // Delivered twice, and with the id of another.
    { eventID: 'twice' },
    { eventID: 'twice' },
    { eventID: 'twice', sourceIPAddress: '8.8.4.4' },
    { eventID: 'twice', sourceIPAddress: '10.0.0.1' },
    { eventID: null },
    { requestParameters: { any: ['thing', { nested: null }] }, resources: [{ ARN: 'a' }] },
  ]
  return [...changes.map(event), {}, { other: 'record' }]
}

const request = (change: Record<string, unknown>, headers: unknown, i: number): Record<string, unknown> => ({
  timestamp: Date.UTC(2026, 2, 2, 10) + i,
  formatVersion: 1,
  webaclId: 'arn:aws:wafv2:us-east-1:012345678901:regional/webacl/a/b',
  terminatingRuleId: 'Default_Action',
  action: 'ALLOW',
  httpSourceId: 'app/lb/1',
  httpRequest: {
    clientIp: '8.8.8.8',
    country: 'US',
    headers,
    uri: '/',
    httpMethod: 'GET',
    requestId: `r-${i}`,
    ...change,
  },
})

/** WAF. */
export function oddRequests(): unknown[] {
  const agent = (value: string | null) => [{ name: 'User-Agent', value }]
  const headers: unknown[] = [
    ...NAMES.map(agent),
    [],
    null,
    [{ name: 'uSER-aGENT', value: 'case' }],
    [
      { name: 'Host', value: 'h' },
      { name: 'user-agent', value: 'first' },
      { name: 'User-Agent', value: 'second' },
    ],
    [{ name: null, value: 'x' }],
    [{ value: 'nameless' }],
    [{ name: 'User-Agent' }],
  ]
  const requests = [
    ...headers.map((given, i) => request({}, given, i)),
    ...ADDRESSES.map((clientIp, i) => request({ clientIp }, agent('curl/8'), i)),
    ...['US', '-', '', null].map((country, i) => request({ country }, agent('curl/8'), i)),
    ...['twice', 'twice', null].map((requestId) => request({ requestId }, agent('curl/8'), 7)),
  ]
  return [
    ...requests,
    {
      ...request({}, [], 1),
      ja3Fingerprint: 'aa.bb',
      ja4Fingerprint: 't13d1516h2_8daaf6152771_b186095e22b6',
      action: 'BLOCK',
    },
    { ...request({}, agent('x'), 1), timestamp: Date.UTC(2026, 2, 1, 23, 59, 59, 999) },
    { ...request({}, agent('x'), 1), timestamp: null },
    { ...request({}, agent('x'), 1), httpRequest: null },
    {},
  ]
}
