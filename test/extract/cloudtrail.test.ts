import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assertSpread, SECONDS } from '../support/spread.ts'
import { extract, pairsOf, stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

type Record_ = Record<string, unknown>

const record = (change: Record_ = {}): Record_ => ({
  eventTime: '2026-03-02T10:00:00Z',
  eventID: `id-${Math.random()}`,
  eventType: 'AwsApiCall',
  sourceIPAddress: '8.8.4.4',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDA1',
    arn: 'arn:aws:iam::012345678901:user/eve',
    accountId: '012345678901',
    accessKeyId: 'AKIA1',
    userName: 'eve',
  },
  ...change,
})

const role = {
  type: 'AssumedRole',
  principalId: 'AROA1:i-0abc',
  arn: 'arn:aws:sts::012345678901:assumed-role/deploy/i-0abc',
  accountId: '012345678901',
  accessKeyId: 'ASIA1',
  sessionContext: { sessionIssuer: { type: 'Role', userName: 'deploy' } },
}

const file = (records: readonly unknown[]): string => JSON.stringify({ Records: records })

async function extracted(records: readonly unknown[], args: readonly string[] = []) {
  const workspace = tempFolder()
  // One pair that always stands: a run without any is an error.
  const sure = record({
    eventTime: '2026-03-02T00:00:00Z',
    sourceIPAddress: '9.9.9.9',
    userIdentity: { ...role, userName: 'sure', principalId: 'SURE' },
  })
  const run = await stagedRun(workspace, { 'a.json': file([sure, ...records]) })
  const { result, stderr } = await extract(workspace, args)
  assert.ok(result, stderr)
  const { trainPairs = 0, holdoutPairs = 0 } = result.ipv6 ?? {}
  const dropped = Object.values<number>(result.dropped).reduce((sum, n) => sum + n, 0)
  assert.equal(result.events, result.pairs + trainPairs + holdoutPairs + dropped)
  const pairs = [...pairsOf(run, 'train'), ...pairsOf(run, 'holdout')].filter((pair) => !pair.endsWith(' 9.9.9.9'))
  return { pairs, dropped: result.dropped, result, run }
}

describe('CloudTrail entities', () => {
  const table: [string, Record_, string | undefined][] = [
    ['principal', record(), 'AIDA1'],
    ['principal', record({ userIdentity: role }), 'AROA1'],
    [
      'principal',
      record({ userIdentity: { type: 'FederatedUser', principalId: '012345678901:bob' } }),
      '012345678901:bob',
    ],
    ['principal-session', record({ userIdentity: role }), 'AROA1:i-0abc'],
    ['arn', record(), 'arn:aws:iam::012345678901:user/eve'],
    ['user-name', record(), 'eve'],
    ['user-name', record({ userIdentity: role }), 'deploy'],
    ['access-key', record({ userIdentity: role }), 'ASIA1'],
    ['account', record(), '012345678901'],
    ['account', record({ userIdentity: { type: 'IAMUser', principalId: 'AIDA1' } }), undefined],
  ]
  for (const [entity, given, expected] of table)
    it(`${entity} of ${JSON.stringify((given.userIdentity as Record_).principalId)} is ${expected}`, async () => {
      const { pairs, dropped } = await extracted([given], ['--entity', entity])
      if (expected === undefined) assert.deepEqual([pairs, dropped], [[], { 'no-entity': 1 }])
      else assert.deepEqual(pairs, [`${expected} 8.8.4.4`])
    })
})

describe('CloudTrail records that are no pairs', () => {
  const table: [string, unknown, string][] = [
    ['before the window', record({ eventTime: '2026-03-01T23:59:59Z' }), 'outside-window'],
    ['at the end of the window', record({ eventTime: '2026-03-03T00:00:00Z' }), 'outside-window'],
    [
      'of an AWS service',
      record({ userIdentity: { type: 'AWSService', invokedBy: 'x.amazonaws.com' } }),
      'aws-service',
    ],
    ['service events', record({ eventType: 'AwsServiceEvent', userIdentity: null }), 'aws-service'],
    ['from AWS Internal', record({ sourceIPAddress: 'AWS Internal' }), 'aws-internal'],
    ['from AWS Internal with a number', record({ sourceIPAddress: 'AWS Internal/12' }), 'aws-internal'],
    ['from a service name', record({ sourceIPAddress: 'cloudformation.amazonaws.com' }), 'service-name'],
    ['from what is no IPv6 address', record({ sourceIPAddress: '2600:1' }), 'invalid-address'],
    ['from mapped private IPv4', record({ sourceIPAddress: '::ffff:10.8.8.8' }), 'private-address'],
    ...['2001:DB8::1', '::1', 'fe80::1%eth0', 'fd00::1', 'ff02::1', '2001:1::1', '3fff:fff::1', '100::1'].map(
      (ip): [string, Record_, string] => [`from ${ip}`, record({ sourceIPAddress: ip }), 'private-address'],
    ),
    ['with a leading zero', record({ sourceIPAddress: '8.08.4.4' }), 'invalid-address'],
    ['with a number too large', record({ sourceIPAddress: '8.256.4.4' }), 'invalid-address'],
    ['without an address', record({ sourceIPAddress: undefined }), 'no-address'],
    ['from a private address', record({ sourceIPAddress: '10.1.2.3' }), 'private-address'],
    ['from a shared address', record({ sourceIPAddress: '100.64.0.1' }), 'private-address'],
    ['without an identity', record({ userIdentity: undefined }), 'no-entity'],
    ['with an identity of null', record({ userIdentity: null }), 'no-entity'],
    ['with an empty principal', record({ userIdentity: { type: 'IAMUser', principalId: '' } }), 'no-entity'],
    ['without a time', record({ eventTime: undefined }), 'no-event-time'],
    ['with a time that is none', record({ eventTime: 'yesterday' }), 'no-event-time'],
    ['with an identity of another shape', record({ userIdentity: 'root' }), 'no-entity'],
    ['with nothing', {}, 'unreadable-record'],
  ]
  for (const [name, given, reason] of table)
    it(`${name}: ${reason}`, async () => {
      const { pairs, dropped } = await extracted([given])
      assert.deepEqual([pairs, dropped], [[], { [reason]: 1 }])
    })

  it('private ones are pairs where asked for', async () => {
    const { pairs } = await extracted([record({ sourceIPAddress: '10.1.2.3' })], ['--include-private'])
    assert.deepEqual(pairs, ['AIDA1 10.1.2.3'])
  })
})

describe('IPv6', () => {
  const from = (ip: string, hour = 10, change: Record_ = {}) =>
    record({ eventTime: `2026-03-02T${hour}:00:00Z`, sourceIPAddress: ip, ...change })
  const records = [
    from('2600:1F18::0:1'),
    from('2600:1f18:0:0:0:0:0:1', 20),
    from('2600:1f18::1', 11),
    from('2001:200::', 12, { userIdentity: { type: 'IAMUser', principalId: 'a.b' } }),
    from('2600:1f18::1', 12, { userIdentity: undefined }),
    from('::ffff:8.8.8.8'),
  ]

  it('is kept apart from the pairs, each address with one text, counted by part', async () => {
    const { pairs, dropped, result, run } = await extracted(records)
    assert.deepEqual(pairs, ['AIDA1 8.8.8.8'])
    assert.deepEqual(dropped, { 'no-entity': 1 })
    assert.deepEqual(result.ipv6, { trainPairs: 3, holdoutPairs: 1, distinct: 2 })
    const rows = readFileSync(run.path('pairs/ipv6/part-00000.csv'), 'utf8')
    assert.equal(rows, 'AIDA1,2600:1f18::1,2,1\na%2Eb,2001:200::,1,0\n')
    assert.match(readFileSync(run.path('times/part-00000.csv'), 'utf8'), /^AIDA1,2600:1f18::1,\d+,\d+,1$/m)
  })

  it('is dropped where it is not wanted', async () => {
    const { dropped, result, run } = await extracted(records, ['--ipv6', 'no'])
    assert.deepEqual(dropped, { ipv6: 5 })
    assert.equal(result.ipv6, undefined)
    assert.equal(existsSync(run.path('pairs/ipv6')), false)
  })
})

describe('the split', () => {
  const at = (time: string, ip: string) => record({ eventTime: `2026-03-02T${time}Z`, sourceIPAddress: ip })
  const records = [
    at('00:00:00', '1.0.0.1'),
    at('19:11:59', '1.0.0.2'),
    at('19:12:00', '1.0.0.3'),
    at('23:59:59', '1.0.0.4'),
  ]

  it('is by event time, at 20 % of the window', async () => {
    const workspace = tempFolder()
    const run = await stagedRun(workspace, { 'a.json': file(records) })
    const { result } = await extract(workspace)
    assert.equal(result.cutoff, '2026-03-02T19:12:00.000Z')
    assert.deepEqual(pairsOf(run, 'train'), ['AIDA1 1.0.0.1', 'AIDA1 1.0.0.2'])
    assert.deepEqual(pairsOf(run, 'holdout'), ['AIDA1 1.0.0.3', 'AIDA1 1.0.0.4'])
  })

  it('may leave nothing out', async () => {
    const { result } = await extracted(records, ['--holdout', '0'])
    assert.deepEqual([result.trainPairs, result.holdoutPairs], [5, 0])
  })

  for (const share of ['95%', '-1', 'half', '1.0'])
    it(`refuses a share of ${share}`, async () =>
      assert.equal((await extract(tempFolder(), [`--holdout=${share}`])).code, 2))
})

describe('the pairs to train on', () => {
  it('lie apart, though one user comes after the other in time', async () => {
    const workspace = tempFolder()
    const time = (n: number) => new Date(Date.UTC(2026, 2, 2) + n * 1000).toISOString().slice(0, 19)
    const records = Array.from({ length: SECONDS }, (_, n) => ({
      eventTime: `${time(n)}Z`,
      sourceIPAddress: '8.8.4.4',
      userIdentity: { type: 'IAMUser', principalId: n < SECONDS / 2 ? 'first' : 'second' },
    }))
    const run = await stagedRun(workspace, { 'a.json': file(records) })
    const { stderr, code } = await extract(workspace, ['--holdout', '0'])
    assert.equal(code, 0, stderr)
    const rows = readFileSync(run.path('pairs/train/part-00000.csv'), 'utf8').trimEnd().split('\n')
    assertSpread(rows.map((row) => row.split(',')))
  })
})

describe('repeated deliveries', () => {
  const twice = record({ eventID: 'same' })
  it('count each time', async () => assert.equal((await extracted([twice, twice])).pairs.length, 2))
  it('count once with --dedupe, the rest under a reason', async () => {
    const { pairs, dropped } = await extracted(
      [twice, twice, twice, record({ eventID: undefined }), record({ eventID: undefined })],
      ['--dedupe'],
    )
    assert.deepEqual([pairs.length, dropped], [3, { 'repeated-delivery': 2 }])
  })
})
