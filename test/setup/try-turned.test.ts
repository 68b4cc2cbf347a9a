import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { SERVERLESS_CONCURRENCY } from '../../scripts/lib/aws/quota-names.ts'
import { type BeliefId, tried } from '../../scripts/setup/try/beliefs.ts'
import type { Fault, TextReply } from '../sandbox/faults.ts'
import type { Sandbox } from '../sandbox/start.ts'
import { differing, heldUntilAsked, triable, unseen } from './try-sandbox.ts'

const denied = { code: 'AccessDenied', status: 403, message: 'Access Denied' }

/** Another text in place of one in the answer. */
const replaced = (pattern: RegExp, text: string) => (reply: TextReply) => {
  const body = reply.body.replace(pattern, text)
  return { ...reply, body, headers: { ...reply.headers, 'content-length': String(Buffer.byteLength(body)) } }
}

const etag = (reply: TextReply) => ({
  ...reply,
  headers: { ...reply.headers, etag: '"0123456789abcdef0123456789abcdef-1"' },
})

/** A listing that ignores start-after, and a wrong region that is only refused. */
const otherListings = (reply: TextReply) =>
  reply.status === 301
    ? { ...reply, status: 403, headers: {} }
    : replaced(/(<Prefix>[^<]*staged\/)parts\/<\/Prefix>/, '$1direct/</Prefix>')(reply)

const withoutMetadata = ({ headers, ...reply }: TextReply) => ({
  ...reply,
  headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-meta-'))),
})

/** The second answer with an id has another one. */
const anotherId = (member: RegExp) => {
  const known = new Set<string>()
  return (reply: TextReply) => {
    const [, id = ''] = member.exec(reply.body) ?? []
    const isKnown = id !== '' && known.has(id)
    known.add(id)
    return isKnown ? { ...reply, body: reply.body.replace(id, '11111111-2222-3333-4444-555555555555') } : reply
  }
}

/** Ways in which AWS differs, by the belief that each of them contradicts. */
type Turns = Partial<Record<BeliefId, (sandbox: Sandbox) => void>>

const fault =
  (...faults: Fault[]) =>
  (sandbox: Sandbox) => {
    for (const one of faults) sandbox.faults.add(one)
  }

/** Athena has these rows for queries with this in their text. */
const rows =
  (isMeant: RegExp, ...given: readonly string[][]) =>
  ({ athena: { settings } }: Sandbox) => {
    const before = settings.answer
    const columns = (given[0] ?? []).map((_, i) => ({
      name: ['entity', 'ip', 'nothing', 'quoted'][i] ?? '',
      type: 'varchar',
    }))
    settings.answer = (query) => (isMeant.test(query) ? { columns, rows: given } : before(query))
  }

const noQuota = ({ defaultQuotas }: Sandbox) => void defaultQuotas.delete(SERVERLESS_CONCURRENCY)

const failing =
  (when: RegExp, stage: 'start' | 'running') =>
  ({ athena: { settings } }: Sandbox) =>
    void settings.failures.push({
      when,
      stage,
      error: { category: 2, type: 99, retryable: false, reason: 'another reason' },
    })

const strange = { code: 'ResourceNotFound', status: 400, message: 'there is no such thing' }
const missing = (operation: string) => fault({ operation, resource: /missing/, error: strange })

const answersOfAnother: Turns = {
  'copy-etag': fault({ operation: 'HeadObject', resource: /staged\/direct\//, instead: etag }),
  'copy-multipart-etag': fault({ operation: 'HeadObject', resource: /staged\/parts\//, instead: etag }),
  'list-start-after': fault({ operation: 'ListObjectsV2', instead: otherListings }),
  's3-wrong-region': () => {},
  'batch-same-token': fault({ operation: 'CreateJob', instead: anotherId(/<JobId>([^<]+)/) }),
  'batch-missing-job': fault({ operation: 'DescribeJob', times: 1, error: denied }),
  'batch-no-tags': ({ control }) => {
    control.settings.failTask = ({ key }) => (key.includes('tagged') ? denied : undefined)
  },
  'batch-metadata': fault({ operation: 'HeadObject', resource: /staged\/batch\//, instead: withoutMetadata }),
  'batch-report-columns': fault({
    operation: 'GetObject',
    resource: /results\//,
    instead: replaced(/,failed,/g, ',failed,0,'),
  }),
  // One answer, with another null and too few rows.
  'athena-ctas-null': rows(/a "b" c'.*'direct'$/, ['AIDATRY1', '192.0.2.1', '', 'a "b" c']),
  'athena-cloudtrail-rows': () => {},
  'athena-ctas-empty': rows(/'none'/, ['AIDATRY1', '192.0.2.1', '', 'a "b" c']),
  'athena-location': failing(/_again/, 'start'),
  'athena-same-token': fault({ operation: 'StartQueryExecution', instead: anotherId(/"QueryExecutionId":"([^"]+)"/) }),
  'athena-unknown-id': fault({ operation: 'GetQueryExecution', instead: replaced(/was not found/, 'is a stranger') }),
  'athena-missing-table': failing(/_missing/, 'running'),
  'athena-metadata-missing': fault({
    operation: 'GetTableMetadata',
    instead: replaced(/EntityNotFoundException/g, 'Table not found'),
  }),
  'athena-cloudtrail-digest': rows(/run = 'digest'/, ['1', '0']),
  'athena-cloudtrail-odd': rows(/run = 'oddrecord'/, ['1', '1']),
  'athena-cloudtrail-broken': rows(/run = 'broken'/, ['0', '0']),
  'athena-waf-empty-line': rows(/run = 'emptyline'/, ['2', '2']),
  'sagemaker-missing-endpoint': missing('DescribeEndpoint'),
  'sagemaker-missing-training': missing('DescribeTrainingJob'),
  'sagemaker-missing-transform': missing('DescribeTransformJob'),
  'sagemaker-config-quota': fault({
    operation: 'CreateEndpointConfig',
    error: { code: 'ResourceLimitExceeded', status: 400, message: 'too much' },
  }),
  'sagemaker-quota-names': noQuota,
}

const places: Turns = {
  'batch-prefix': ({ control }) => {
    control.settings.prefix = 'literal'
  },
  'batch-report-slashes': fault({
    operation: 'GetObject',
    resource: /results\//,
    instead: replaced(/\/AWSLogs/g, '%2FAWSLogs'),
  }),
}

const rights: Turns = {
  'batch-create': ({ s3 }) => void s3.deny({ action: 's3:CreateJob' }),
  'athena-rights': ({ s3 }) => void s3.deny({ action: 'glue:CreateTable' }),
  'sagemaker-create-model': ({ s3 }) => void s3.deny({ action: 'iam:PassRole', resource: /SageMaker/ }),
}

const ends: Turns = {
  'batch-copies': ({ control }) => {
    control.settings.failJob = { at: 'Active', code: 'Forbidden', reason: 'the role cannot be assumed' }
  },
  'athena-ctas-text': ({ athena }) => {
    athena.settings.compression = 'always'
  },
}

const otherModel = await packTar([{ header: { name: 'model', size: 1, type: 'file' }, body: 'x' }])
const failure = { code: 'InternalFailure', status: 500, message: 'we failed' }

/** Refusals and answers of another container. */
const container = (reply: TextReply) => ({
  ...reply,
  body: reply.body
    .replace('"dot_product"', '"score"')
    .replace('"OriginalStatusCode":400', '"OriginalStatusCode":500')
    .replace('"OriginalStatusCode":406', '"OriginalStatusCode":415')
    .replace('has oversize body', 'is large'),
})

const served: Turns = {
  'batch-report-place': ({ control }) => {
    control.settings.report = 'missing'
  },
  'training-artifacts': fault({
    operation: 'DescribeTrainingJob',
    nth: 2,
    times: 1,
    instead: replaced(/"ModelArtifacts":\{[^}]*\},/, ''),
  }),
  'model-archive': fault({
    operation: 'GetObject',
    resource: /model\.tar\.gz$/,
    instead: (reply) => ({ ...reply, headers: {}, body: gzipSync(otherModel) }),
  }),
  'endpoint-creating': (sandbox) =>
    heldUntilAsked(sandbox, (reply) => ({ ...reply, body: reply.body.replace('not found', 'not ready') })),
  'endpoint-cold-start': fault({ operation: 'InvokeEndpoint', nth: 2, times: 1, error: failure }),
  'endpoint-answers': fault({ operation: 'InvokeEndpoint', nth: 3, instead: container }),
  'endpoint-unreadable': () => {},
  'endpoint-csv': () => {},
  'endpoint-oversize': () => {},
  'endpoint-batch': ({ sagemaker }) => {
    sagemaker.settings.linesInTime = 5000
  },
  // The requests are answered too quickly, or not at all.
  'endpoint-throttled': () => {},
}

const BATCH_ENDS: BeliefId[] = ['batch-no-tags', 'batch-prefix', 'batch-metadata']
const REPORT: BeliefId[] = ['batch-report-place', 'batch-report-columns', 'batch-report-slashes']

/** What is turned around at once; what cannot be seen then. */
const cases: [what: string, turns: Turns, unseen: readonly BeliefId[]][] = [
  ['answers', answersOfAnother, []],
  ['places', places, ['batch-no-tags', 'batch-metadata']],
  [
    'rights',
    rights,
    [
      'batch-same-token',
      'batch-copies',
      ...BATCH_ENDS,
      ...REPORT,
      ...tried(false).filter((id) => /^athena-(ctas|location|cloudtrail|waf)/.test(id)),
      'sagemaker-config-quota',
    ],
  ],
  ['ends', ends, [...BATCH_ENDS, ...REPORT, 'athena-cloudtrail-rows', 'athena-ctas-null']],
  ['served', served, ['batch-report-columns', 'batch-report-slashes']],
]

describe('setup --check --try where AWS differs', () => {
  for (const [what, turns, cannotBeSeen] of cases)
    it(`says so: ${what}`, async () => {
      const { sandbox, tryIt, assertNothingLeft } = await triable({ sagemaker: { pace: 'poll' } })
      for (const turn of Object.values(turns)) turn(sandbox)
      const { code, comparisons } = await tryIt(turns === served ? ['endpoint'] : [])
      assert.deepEqual(
        differing(comparisons).toSorted(),
        Object.keys(turns).toSorted(),
        JSON.stringify(comparisons, null, 1),
      )
      assert.deepEqual(unseen(comparisons).toSorted(), cannotBeSeen.toSorted())
      assert.equal(code, 1)
      sandbox.faults.clear()
      assertNothingLeft()
    })

  it('is tested for every belief that is tried', () => {
    const all = cases.flatMap(([, turns]) => Object.keys(turns))
    assert.deepEqual(all.toSorted(), tried(true).toSorted())
  })
})
