import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { parseIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { hostileAgents } from '../../scripts/simulate/client.ts'
import { oddities } from '../../scripts/simulate/oddities.ts'
import { ROOT } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { agentOf, keysOf, logKey, type TrailRecord, trailRecords, webRecords } from './read.ts'

const folder = await simulatedLogs({ events: 6000 })
const trail = await trailRecords(folder)
const web = await webRecords(folder)
const keys = await keysOf(folder)

const SAMPLES = `${ROOT}../shared/samples`
const skip = existsSync(SAMPLES) ? false : 'no sample logs here'

describe('simulated keys', () => {
  it('are of an organization trail in several accounts and regions, one with a leading zero', () => {
    const parsed = keys.flatMap((key) => logKey('cloudtrail', key) ?? [])
    const values = (name: string) => [...new Set(parsed.map(({ variables }) => variables[name] ?? ''))].sort()
    assert.deepEqual(values('account'), ['012345678901', '111122223333'])
    assert.deepEqual(values('region'), ['ap-southeast-2', 'eu-west-1', 'us-east-1'])
    assert.equal(values('org').length, 1)
    assert.match(values('org')[0] ?? '', /^o-/)
  })

  it('are of WAF logs sent straight to S3, regional and of CloudFront', () => {
    const parsed = keys.flatMap((key) => logKey('waf', key) ?? [])
    assert.deepEqual([...new Set(parsed.map(({ layout }) => layout.id))], ['waf-s3'])
    assert.deepEqual([...new Set(parsed.map(({ variables }) => variables.region ?? ''))].sort(), [
      'cloudfront',
      'eu-west-1',
      'us-east-1',
    ])
  })

  it('lie a day before and after the window as well', () => {
    for (const source of ['cloudtrail', 'waf']) {
      const times = keys.flatMap((key) => logKey(source, key)?.time.toISOString().slice(0, 10) ?? []).sort()
      assert.equal(times[0], '2026-03-01')
      assert.equal(times.at(-1), source === 'waf' ? '2026-03-04' : '2026-03-05')
    }
  })

  it('are of full five minutes, and hold the same events, for a window that begins at any second', async () => {
    const odd = await simulatedLogs({ from: '2026-03-02T10:03:21Z', to: '2026-03-02T13:17:59Z', events: 500 })
    const times = (await keysOf(odd)).flatMap((key) => logKey('cloudtrail', key) ?? logKey('waf', key) ?? [])
    assert.ok(times.length > 100)
    for (const { time } of times) assert.equal(time.getTime() % 300_000, 0)
    assert.ok((await webRecords(odd)).length > 500 && (await trailRecords(odd)).length > 500)
  })

  for (const kind of [
    'CloudTrail-Digest',
    'CloudTrail-Insight',
    'CloudTrail-NetworkActivity',
    'CloudTrail-Aggregated',
    'Config',
  ])
    it(`of ${kind} lie beside the logs and belong to no source`, () => {
      const decoys = keys.filter((key) => key.includes(`/${kind}/`))
      assert.ok(decoys.length >= 3)
      for (const key of decoys) for (const source of ['cloudtrail', 'waf']) assert.equal(logKey(source, key), undefined)
    })
})

describe('simulated CloudTrail records', () => {
  it('are delivered some minutes after their events, now and then early or very late', () => {
    const minutes = trail.map(({ time, record }) => (time.getTime() - Date.parse(record.eventTime)) / 60_000)
    const share = (test: (lag: number) => boolean) => minutes.filter(test).length / minutes.length
    assert.ok(Math.min(...minutes) >= -7)
    assert.ok(share((lag) => lag > 0 && lag <= 35) > 0.98)
    for (const odd of [(lag: number) => lag < 0, (lag: number) => lag > 35 && lag <= 55, (lag: number) => lag > 120])
      assert.ok(share(odd) > 0)
  })

  it('are delivered twice now and then, under one id', () => {
    const ids = new Map<string, Set<string>>()
    for (const { key, record } of trail) ids.set(record.eventID, (ids.get(record.eventID) ?? new Set()).add(key))
    const twice = [...ids.values()].filter((files) => files.size > 1)
    assert.ok(twice.length > 0 && twice.length < ids.size / 50)
    assert.equal(trail.length, ids.size + twice.length)
  })

  it('hold events at the window’s very edges', () => {
    const times = new Set(trail.map(({ record }) => record.eventTime))
    for (const edge of ['2026-03-01T23:59:59Z', '2026-03-02T00:00:00Z', '2026-03-03T23:59:59Z', '2026-03-04T00:00:00Z'])
      assert.ok(times.has(edge), edge)
  })

  const who = ({ userIdentity }: TrailRecord) => userIdentity ?? {}
  const kinds: [what: string, is: (record: TrailRecord) => boolean][] = [
    ['root', (r) => who(r).type === 'Root' && /^\d{12}$/.test(who(r).principalId ?? '')],
    ['an IAM user', (r) => who(r).type === 'IAMUser' && /^AIDA[A-Z2-7]{17}$/.test(who(r).principalId ?? '')],
    [
      'a role’s session',
      (r) => who(r).type === 'AssumedRole' && /^AROA[A-Z2-7]{17}:.+$/.test(who(r).principalId ?? ''),
    ],
    ['a session name with signs', (r) => /:.*[@=,+].*$/.test(who(r).principalId ?? '')],
    ['a federated user', (r) => who(r).type === 'FederatedUser'],
    ['a web identity', (r) => who(r).type === 'WebIdentityUser'],
    ['a SAML user', (r) => who(r).type === 'SAMLUser'],
    ['a user of another account', (r) => who(r).type === 'AWSAccount' && who(r).arn === undefined],
    ['IPv6', (r) => r.sourceIPAddress.includes(':')],
    ['AWS Internal', (r) => r.sourceIPAddress === 'AWS Internal' && who(r).invokedBy === 'AWS Internal'],
    ['a service’s name as source', (r) => r.sourceIPAddress.endsWith('.amazonaws.com')],
    ['a private address', (r) => /^10\.|^192\.168\.|^172\.16\./.test(r.sourceIPAddress) && 'vpcEndpointId' in r],
    ['an AWS service event', (r) => r.eventType === 'AwsServiceEvent' && who(r).type === undefined],
    ['a call of a service', (r) => who(r).type === 'AWSService'],
    ['no principal id', (r) => who(r).type === 'IAMUser' && who(r).principalId === undefined],
    ['no ARN', (r) => who(r).type === 'IAMUser' && who(r).arn === undefined],
    ['no identity', (r) => r.userIdentity === undefined],
    ['a refusal', (r) => r.errorCode === 'AccessDenied'],
    ['a sign-in', (r) => r.eventType === 'AwsConsoleSignIn'],
  ]
  for (const [what, is] of kinds) it(`have ${what}`, () => assert.ok(trail.some(({ record }) => is(record))))

  it('are plain accesses for the most part', () => {
    const plain = trail.filter(
      ({ record }) => parseIpv4(record.sourceIPAddress) !== undefined && who(record).principalId,
    )
    assert.ok(plain.length > trail.length * 0.8)
    assert.ok(oddities.reduce((sum, { share }) => sum + share, 0) < 200)
  })

  it('have the fields of real ones, and no other', { skip }, () => {
    const folder = `${SAMPLES}/invictus-ir_aws_dataset/CloudTrail`
    const real = readdirSync(folder).flatMap(
      (file) => (JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as { Records: TrailRecord[] }).Records,
    )
    const api = (records: TrailRecord[]) => records.filter(({ eventType }) => eventType === 'AwsApiCall')
    const fields = (records: TrailRecord[]) => new Set(records.flatMap((record) => Object.keys(record)))
    const always = [...fields(api(real))].filter((name) => api(real).every((record) => name in record))
    for (const { record } of trail.filter(({ record }) => record.eventType === 'AwsApiCall'))
      for (const name of always) assert.ok(name in record || name === 'userIdentity', `${name} is missing`)
    // Newer than the samples, or of calls that they do not have.
    const documented = ['vpcEndpointAccountId']
    const known = new Set([...fields(real), ...documented])
    assert.deepEqual(
      [...fields(trail.map(({ record }) => record))].filter((name) => !known.has(name)),
      [],
    )
  })
})

describe('simulated WAF records', () => {
  it('lie in the slot of their time, or the one after it', () => {
    for (const { time, record } of web) {
      const offset = record.timestamp - time.getTime()
      assert.ok(offset >= -300_000 && offset < 300_000, `${offset}`)
    }
  })

  it('have every hostile user agent, and requests without one', () => {
    const agents = new Set(web.map(({ record }) => agentOf(record)))
    for (const agent of [...hostileAgents, undefined]) assert.ok(agents.has(agent), agent)
  })

  it('keep header names in either case, and lack parts now and then', () => {
    const names = new Set(web.flatMap(({ record }) => record.httpRequest.headers.map(({ name }) => name)))
    for (const name of ['User-Agent', 'user-agent', 'Host', 'X-Forwarded-For']) assert.ok(names.has(name), name)
    assert.ok(web.some(({ record }) => record.httpRequest.headers.length === 0))
    assert.ok(web.some(({ record }) => record.ruleGroupList === null))
    assert.ok(web.some(({ record }) => record.ja3Fingerprint === undefined && record.ja4Fingerprint === undefined))
    assert.ok(web.some(({ record }) => record.httpRequest.clientIp.includes('::')))
  })

  it('have the fields of real ones', { skip }, () => {
    const text = gunzipSync(readFileSync(`${SAMPLES}/aws-waf-security-automations/test_waf_log.gz`)).toString()
    for (const line of text.trimEnd().split('\n')) {
      const real = JSON.parse(line) as Record<string, Record<string, unknown>>
      for (const { record } of web) for (const name of Object.keys(real)) assert.ok(name in record, name)
      for (const { record } of web)
        assert.deepEqual(Object.keys(record.httpRequest), Object.keys(real.httpRequest ?? {}))
      break
    }
  })
})
