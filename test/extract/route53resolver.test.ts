import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extract, pairsOf, stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

/** A query log as Route 53's documentation shows it, with these answers: type and data. */
const query = (answers: [type: string, data: string][], port: string) => ({
  version: '1.100000',
  account_id: '111122223333',
  region: 'us-west-1',
  vpc_id: 'vpc-0a1b2c3d',
  query_timestamp: '2026-03-02T10:00:00Z',
  query_name: 'www.example.com.',
  query_type: 'A',
  query_class: 'IN',
  rcode: answers.length === 0 ? 'NXDOMAIN' : 'NOERROR',
  answers: answers.map(([Type, Rdata]) => ({ Rdata, Type, Class: 'IN' })),
  srcaddr: '10.0.0.5',
  srcport: port,
  transport: 'UDP',
  srcids: { instance: 'i-0a1b2c3d' },
})

const TWO = query(
  [
    ['CNAME', 'edge.example.net.'],
    ['A', '8.8.8.8'],
    ['A', '8.8.4.4'],
  ],
  '1',
)
const records = [TWO, TWO, query([['AAAA', '2001:db8::1']], '2'), query([], '3')]

const WHO_ASKED = ['--entity', 'instance@srcaddr', '--include-private']

for (const [args, pairs, dropped] of [
  [[], ['8.8.4.4', '8.8.4.4', '8.8.8.8', '8.8.8.8'], { 'no-address': 1, 'private-address': 1 }],
  [['--dedupe'], ['8.8.4.4', '8.8.8.8'], { 'no-address': 1, 'private-address': 1, 'repeated-delivery': 2 }],
  [WHO_ASKED, ['10.0.0.5', '10.0.0.5', '10.0.0.5', '10.0.0.5'], {}],
  [[...WHO_ASKED, '--dedupe'], ['10.0.0.5', '10.0.0.5', '10.0.0.5'], { 'repeated-delivery': 1 }],
] as const)
  test(`a query gives a pair for each address of its answer, or one with who asked: ${args.join(' ')}`, async () => {
    const workspace = tempFolder()
    const body = records.map((record) => JSON.stringify(record)).join('\n')
    const run = await stagedRun(workspace, { 'a.log': body }, { source: 'route53resolver' })
    const { result, stderr } = await extract(workspace, args)
    assert.ok(result, stderr)
    assert.deepEqual(
      pairsOf(run, 'train'),
      pairs.map((ip) => `i-0a1b2c3d ${ip}`),
    )
    assert.deepEqual(result.dropped, dropped)
  })
