import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { eventSpan, mayHold } from '../../scripts/lib/sources/layout.ts'
import { runScript } from '../support/run-script.ts'

interface Explanation {
  readonly source: string | null
  readonly layout?: string
  readonly by?: string
  readonly events?: { readonly from: string; readonly to: string }
  readonly service?: string
  readonly closest?: {
    readonly layout: string
    readonly at: number
    readonly rest: string
    readonly expected: string
  } | null
}

async function explain(key: string, args: readonly string[] = []): Promise<Explanation> {
  const { stdout, stderr, code } = await runScript('inventory', ['--explain', key, '--output', 'json', ...args])
  assert.deepEqual([stderr, code], ['', 0])
  return JSON.parse(stdout) as Explanation
}

const TRAIL = 'AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/01/'
const NAME = '111122223333_CloudTrail_us-east-2_20150801T0210Z_Mu0KsOhtH1ar15ZZ.json.gz'

describe('a key that has a layout', () => {
  const table: [key: string, source: string, layout: string, by: string, from: string, to: string][] = [
    [
      `prefix/${TRAIL}${NAME}`,
      'cloudtrail',
      'cloudtrail',
      'key',
      '2015-08-01T01:10:00.000Z',
      '2015-08-01T02:30:00.000Z',
    ],
    [
      `s3://org-logs/${TRAIL}${NAME}`,
      'cloudtrail',
      'cloudtrail',
      'key',
      '2015-08-01T01:10:00.000Z',
      '2015-08-01T02:30:00.000Z',
    ],
    [`copied/${NAME}`, 'cloudtrail', 'cloudtrail', 'name', '2015-08-01T01:10:00.000Z', '2015-08-01T02:30:00.000Z'],
    [
      'AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T150131Z.json.gz',
      'cloudtrail',
      'cloudtrail-digest',
      'key',
      '2015-08-17T13:01:31.000Z',
      '2015-08-17T15:02:00.000Z',
    ],
    [
      'AWSLogs/11111111111/WAFLogs/us-east-1/TEST-WEBACL/2021/10/28/19/50/11111111111_waflogs_us-east-1_TEST-WEBACL_20211028T1950Z_e0ca43b5.log.gz',
      'waf',
      'waf-s3',
      'key',
      '2021-10-28T19:45:00.000Z',
      '2021-10-28T20:00:00.000Z',
    ],
    [
      '2020/10/02/21/aws-waf-logs-testing-1-2020-10-02-21-25-30-9f2a8e5c-4a2f-4f3e-9a5e-0d6a4b3c2d1e',
      'waf',
      'waf-firehose',
      'key',
      '2020-10-02T21:10:30.000Z',
      '2020-10-02T21:41:00.000Z',
    ],
    [
      'AWSLogs/aws-account-id=111122223333/CloudFront/DistributionId=E1EXAMPLE1ABCD/year=2026/month=03/day=02/hour=10/E1EXAMPLE1ABCD.2026-03-02-10.0a1b2c3d.parquet',
      'cloudfront',
      'cloudfront-hive',
      'key',
      '2026-03-02T10:00:00.000Z',
      '2026-03-02T11:00:00.000Z',
    ],
    // A prefix without a slash at its end: the last twelve digits are the account. With fewer, there is none, and folders mean nothing.
    [
      'logs2123456789012/us-west-2/bucket/2023/03/01/2023-03-01-21-32-16-E568B2907131C0C0',
      's3access',
      's3access-partitioned',
      'key',
      '2023-02-28T21:32:16.000Z',
      '2023-03-02T00:00:00.000Z',
    ],
    [
      'logs12345/us-west-2/bucket/2023/03/01/2023-03-01-21-32-16-E568B2907131C0C0',
      's3access',
      's3access',
      'key',
      '2023-02-28T21:32:16.000Z',
      '2023-03-01T21:33:00.000Z',
    ],
  ]
  for (const [key, source, layout, by, from, to] of table)
    it(key, async () => {
      const found = await explain(key)
      assert.deepEqual([found.source, found.layout, found.by, found.events], [source, layout, by, { from, to }])
    })
})

describe('a key that has none', () => {
  const table: [key: string, layout: string, rest: string, expected: string][] = [
    ['AWSLogs/111122223333/CloudTrail/us-east-2/2015/8/1/x.json', 'cloudtrail', '8/1/x.json', '{MM}'],
    [
      `${TRAIL}999999999999_CloudTrail_us-east-2_20150801T0210Z_a.json.gz`,
      'cloudtrail',
      '999999999999_CloudTrail_us-east-2_20150801T0210Z_a.json.gz',
      '{account} again, "111122223333"',
    ],
    [
      `${TRAIL}${NAME}.tmp`,
      'cloudtrail',
      '_Mu0KsOhtH1ar15ZZ.json.gz.tmp',
      'an end that matches _?[^/]+\\.json(?:\\.gz|\\.zst)?',
    ],
    ['AWSLogs/111122223333/CloudTrail', 'cloudtrail', '', '"/"'],
    [
      'AWSLogs/111122223333/CloudTrail/us-east-2/2015/02/31/111122223333_CloudTrail_us-east-2_20150231T0210Z_a.json.gz',
      'cloudtrail',
      '2015/02/31/111122223333_CloudTrail_us-east-2_20150231T0210Z_a.json.gz',
      'a time that exists',
    ],
    ['2020/10/02/21/aws-waf-log-testing', 'waf-firehose', '-testing', '"s-"'],
  ]
  for (const [key, layout, rest, expected] of table)
    it(key, async () => {
      const { source, closest } = await explain(key)
      assert.deepEqual([source, closest?.layout, closest?.rest, closest?.expected], [null, layout, rest, expected])
      assert.equal(key.slice(closest?.at), rest)
    })

  it('is known by its service, or like nothing at all', async () => {
    const { source, service } = await explain('AWSLogs/111122223333/GuardDuty/us-east-1/2026/03/02/a.jsonl.gz')
    assert.deepEqual([source, service], [null, 'GuardDuty findings'])
    assert.deepEqual(await explain('readme.txt'), { key: 'readme.txt', source: null, closest: null })
  })

  it('is compared with the named sources alone', async () => {
    const { source, closest } = await explain(`${TRAIL}${NAME}`, ['--source', 'waf'])
    assert.deepEqual([source, closest?.layout, closest?.expected], [null, 'waf-s3', '"WAFLogs/"'])
  })
})

it('as text, it says where the key parts', async () => {
  const { stdout } = await runScript('inventory', ['--explain', 'AWSLogs/111122223333/CloudTrail-Insight/us-east-2/x'])
  assert.match(stdout, /^known as +CloudTrail Insights events: prestage does not read them$/m)
  assert.match(stdout, /^parted +at character 33: "Digest\/" expected, found "Insight\/us-east-2\/x"$/m)
})

it('the events of a key are those whose windows take it', () =>
  fc.assert(
    fc.property(
      fc.record({ unit: fc.constantFrom(1, 5, 60), before: fc.nat(90), after: fc.nat(90), lateHours: fc.constant(1) }),
      fc.nat(3_000),
      fc.integer({ min: -12_000, max: 12_000 }),
      (padding, minute, offset) => {
        const time = new Date(Date.UTC(2026, 2, 2) + minute * 60_000)
        const event = time.getTime() + offset * 1000
        const { from, to } = eventSpan(padding, time)
        const window = { from: new Date(event), to: new Date(event) }
        assert.equal(mayHold(padding, window, time), event >= from.getTime() && event < to.getTime())
      },
    ),
  ))
