import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createTable } from '../../../scripts/lib/engines/athena/sql.ts'
import { columnsOf } from '../../../scripts/lib/engines/athena/table.ts'
import { TextReader } from '../../../scripts/lib/engines/records/text.ts'
import { sourceOf, sources } from '../../../scripts/lib/sources/registry.ts'
import type { TextFormat } from '../../../scripts/lib/sources/text.ts'

/** What a reader makes of a file that comes in pieces. */
function read(format: TextFormat, members: readonly string[], file: Buffer | string, cuts: readonly number[] = []) {
  const reader = new TextReader(format, members)
  const bytes = Buffer.from(file)
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let [text, start] = ['', 0]
  for (const end of [...ends, bytes.length]) {
    text += reader.push(bytes.subarray(start, end)).toString()
    start = end
  }
  text += reader.last().toString()
  assert.ok(reader.end())
  const records = text.split('\n').slice(0, -1)
  assert.equal(reader.records, records.length)
  return records.map((line) => JSON.parse(line) as Record<string, string>)
}

const columns: TextFormat = { separator: '\t', header: '#Fields: ', comment: '#' }
const plain: TextFormat = { ...columns, names: '[a-z][A-Za-z()-]*(?:[\\t ][a-z][A-Za-z()-]*)*' }
const pattern: TextFormat = { pattern: '(?<who>[^ ]+) (?<what>[^ ]*)(?: [^\\n]*)?' }

describe('lines of fields', () => {
  const cases: [what: string, format: TextFormat, file: Buffer | string, records: object[]][] = [
    [
      'whatever follows',
      pattern,
      'a b c\nd e',
      [
        { who: 'a', what: 'b' },
        { who: 'd', what: 'e' },
      ],
    ],
    ['a line that does not fit', pattern, 'a\n\na b\r\n', [{}, {}, { who: 'a', what: 'b' }]],
    ['what is absent', pattern, '- \na -\n', [{}, { who: 'a' }]],
    ['quotes, control characters, UTF-8', pattern, 'a"\\\u0001 é🙂\n', [{ who: 'a"\\\u0001', what: 'é🙂' }]],
    ['what is no UTF-8', pattern, Buffer.from([0x61, 0xff, 0x20, 0x62, 0x0a]), [{ who: 'a\ufffd', what: 'b' }]],
    ['a byte order mark', pattern, '\ufeffa b', [{ who: 'a', what: 'b' }]],
    ['nothing', pattern, '', []],
    [
      'an order of its own',
      columns,
      '#Version: 1.0\n#Fields: x what y who\n1\tb\t2\ta\tmore\n',
      [{ what: 'b', who: 'a' }],
    ],
    [
      'an order that changes',
      columns,
      '#Fields: who what\na\tb\n#Fields: what who\nc\td\ne',
      [{ who: 'a', what: 'b' }, { what: 'c', who: 'd' }, { what: 'e' }],
    ],
    ['no order at all', columns, 'a\tb\n', [{}]],
    ['names without a mark', plain, 'x\twhat\tcs(Who)\twho\n1\tb\tc\ta\n', [{ what: 'b', who: 'a' }]],
    [
      'names with one, and a line of small letters below them',
      plain,
      '#Fields: what who\nb 2\ta\n',
      [{ what: 'b 2', who: 'a' }],
    ],
    [
      'a first line that names the fields',
      { separator: ' ', header: '' },
      'what who\na b\n- c\n',
      [{ what: 'a', who: 'b' }, { who: 'c' }],
    ],
    [
      'names that no record looks like, in each part of what was one file',
      { separator: ' ', header: '', names: '[a-z]+(?: [a-z]+)*' },
      '0 A\nwhat who\nA B\nwho x what\n- 1 C\n',
      [{}, { what: 'A', who: 'B' }, { what: 'C' }],
    ],
  ]
  for (const [what, format, file, records] of cases)
    it(`with ${what}`, () => {
      assert.deepEqual(read(format, ['who', 'what'], file), records)
      const cuts = Array.from({ length: file.length }, (_, at) => at)
      assert.deepEqual(read(format, ['who', 'what'], file, cuts), records)
    })

  it('of one file say nothing about the next', () => {
    const reader = new TextReader(columns, ['who'])
    reader.push(Buffer.from('#Fields: who\na\n'))
    reader.end()
    assert.equal(reader.push(Buffer.from('b\n')).toString(), '{}\n')
  })

  it('end somewhere', () => {
    const reader = new TextReader(pattern, ['who'])
    assert.throws(() => reader.push(Buffer.alloc((8 << 20) + 1, 'a')), /a line is too long/)
  })
})

describe('lines of a source', () => {
  const all = Object.values(sources).flatMap(({ id, text, members, details }) =>
    text === undefined ? [] : [{ id, text, names: [...Object.keys(members), ...Object.keys(details)] }],
  )
  for (const { id, text, names } of all)
    it(`of ${id}: no text makes the reader fail, nor counts otherwise than by its lines`, () =>
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (line) => {
          const lines = read(text, names, line).length
          assert.ok(lines <= line.split('\n').length)
        }),
      ))

  const ALB =
    'https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/12345678" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_123456'
  const whole = {
    time: '2018-07-02T22:23:00.186641Z',
    elb: 'app/my-loadbalancer/50dc6c495c0c9188',
    client: '192.168.131.39:2817',
    status: '200',
    request: 'GET https://www.example.com:443/ HTTP/1.1',
    userAgent: 'curl/7.46.0',
    targetGroup: 'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067',
    traceId: 'Root=1-58337281-1d84f3d73c47ec4e58577259',
    serverName: 'www.example.com',
    certificate: 'arn:aws:acm:us-east-2:123456789012:certificate/12345678',
    actions: 'authenticate,forward',
  }
  const { serverName, certificate, actions, ...old } = whole
  const S3 =
    '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1 [06/Feb/2019:00:01:57 +0000] 192.0.2.3 arn:aws:iam::123456789012:user/j DD6CC733AEXAMPLE REST.PUT.OBJECT s3-dg.pdf "PUT /amzn-s3-demo-bucket1/s3-dg.pdf HTTP/1.1" 200 - - 4406583 41754 28 "-" "S3Console/0.4" - 10S62Zv81kBW7BB6SX4XJ48o6kpcl6LPwEoizZQQxJd5qDSCTLX0TgS37kYUBKQW3+bPdrg1234= SigV4 ECDHE-RSA-AES128-SHA AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2 arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes'
  const asked = {
    bucket: 'amzn-s3-demo-bucket1',
    time: '06/Feb/2019:00:01:57 +0000',
    remoteIp: '192.0.2.3',
    requester: 'arn:aws:iam::123456789012:user/j',
    requestId: 'DD6CC733AEXAMPLE',
    operation: 'REST.PUT.OBJECT',
    objectKey: 's3-dg.pdf',
    requestUri: 'PUT /amzn-s3-demo-bucket1/s3-dg.pdf HTTP/1.1',
    status: '200',
    userAgent: 'S3Console/0.4',
    hostHeader: 'amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com',
    accessPoint: 'arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP',
  }
  const { hostHeader, accessPoint, ...early } = asked
  const lines: [source: string, what: string, line: string, record: object][] = [
    ['alb', 'as documented', ALB, whole],
    // Appended so far: classification and its reason, conn_trace_id, transformed host and URI, and what became of the transformation.
    [
      'alb',
      'with all fields of 2025',
      `${ALB.replace('"-" "-" TID_123456', '"Ambiguous" "UndefinedContentLengthSemantics" TID_123456')} "api.example.com" "/v2/a b" "TransformSuccess"`,
      whole,
    ],
    ['alb', 'with fields that were appended later', `${ALB} "x" "y" "z" 10.0.0.7 more`, whole],
    ['alb', 'of the first year', ALB.slice(0, ALB.indexOf(' "www.')), old],
    [
      'alb',
      'with escaped quotes',
      ALB.replace('curl/7.46.0', 'a \\"b\\" \\x22c'),
      { ...whole, userAgent: 'a \\"b\\" \\x22c' },
    ],
    ['alb', 'with a quote inside', ALB.replace('curl/7.46.0', 'a "b"c'), { ...whole, userAgent: 'a "b"c' }],
    ['s3access', 'as documented', S3, asked],
    ['s3access', 'with fields that were appended later', `${S3} us-west-1 x`, asked],
    ['s3access', 'of the first years', S3.slice(0, S3.indexOf(' 10S62')), early],
    [
      's3access',
      'with quotes that are not escaped',
      S3.replace('S3Console/0.4', 'a "b" "c" - d'),
      { ...asked, userAgent: 'a "b" "c" - d' },
    ],
    [
      's3access',
      'with quotes in the request',
      S3.replace('s3-dg.pdf HTTP', 's3-dg.pdf?x="y z" HTTP'),
      { ...asked, requestUri: 'PUT /amzn-s3-demo-bucket1/s3-dg.pdf?x="y z" HTTP/1.1' },
    ],
    [
      'alb',
      'without agent',
      ALB.replace('curl/7.46.0', '-'),
      Object.fromEntries(Object.entries(whole).filter(([name]) => name !== 'userAgent')),
    ],
  ]
  for (const [source, what, line, record] of lines)
    it(`of ${source}, ${what}`, () => {
      const one = all.find(({ id }) => id === source)
      assert.ok(one)
      assert.deepEqual(read(one.text, one.names, line), [record])
    })

  for (const { id, text } of all)
    if ('pattern' in text)
      it(`of ${id}: the groups of the pattern are the columns of the table on Athena, in their order`, async () => {
        const groups = [...text.pattern.matchAll(/\(\?<([A-Za-z]\w*)>/g)].map(([, name = '']) => name.toLowerCase())
        const sql = await createTable({ source: sourceOf(id), database: 'db' }, 's3://ws/prestage')
        assert.deepEqual(
          columnsOf(sql).map(([name]) => name),
          groups,
        )
      })
})
