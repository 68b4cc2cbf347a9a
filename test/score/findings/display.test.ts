import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cut, shown } from '../../../scripts/score/findings/display.ts'
import { whoIs } from '../../../scripts/score/findings/resource.ts'

const entities: [kind: string, entity: string, type: string, id: string][] = [
  ['principal', 'AIDAEXAMPLE', 'AwsIamUser', 'AIDAEXAMPLE'],
  ['principal', 'AROAEXAMPLE', 'AwsIamRole', 'AROAEXAMPLE'],
  ['principal', 'AIDA<script>', 'Other', 'principal/AIDA<script>'],
  ['principal-session', 'AROAEXAMPLE:john', 'AwsIamRole', 'AROAEXAMPLE:john'],
  ['arn', 'arn:aws:iam::111122223333:user/john', 'AwsIamUser', 'arn:aws:iam::111122223333:user/john'],
  [
    'arn',
    'arn:aws-cn:sts::111122223333:assumed-role/r/s',
    'AwsIamRole',
    'arn:aws-cn:sts::111122223333:assumed-role/r/s',
  ],
  ['arn', 'arn:aws:iam::111122223333:root', 'Other', 'arn:aws:iam::111122223333:root'],
  ['arn', 'john', 'Other', 'arn/john'],
  ['user-name', 'john', 'Other', 'user-name/john'],
  ['access-key', 'AKIAEXAMPLE', 'AwsIamAccessKey', 'AWS::IAM::AccessKey:AKIAEXAMPLE'],
  ['account', '012345678901', 'AwsAccount', 'AWS::::Account:012345678901'],
  ['user-agent', 'curl/8', 'Other', 'user-agent/curl/8'],
]

for (const [kind, entity, type, id] of entities)
  test(`the resource of ${kind} ${entity}`, () => {
    const who = whoIs({ entity }, { kind })
    assert.deepEqual([who.type, who.id], [type, id])
  })

const texts: [text: string, shown: string][] = [
  ['curl/8 é 漢 🙂', 'curl/8 é 漢 🙂'],
  ['a\u0000b\u001b[31m\u0085', 'a\\u{00}b\\u{1b}[31m\\u{85}'],
  ['the \u202eeod\u2069', 'the \\u{202e}eod\\u{2069}'],
  ['line\u2028sep\r\n', 'line\\u{2028}sep\\u{0d}\\u{0a}'],
  ['half \ud800', 'half \\u{d800}'],
  ['\u3164\u2800', '\\u{3164}\\u{2800}'],
  ['   ', '\\u{20}\\u{20}\\u{20}'],
  ['\u00a0', '\\u{a0}'],
]

for (const [text, expected] of texts)
  test(`${JSON.stringify(text)} as it is shown`, () => assert.equal(shown(text), expected))

test('a cut keeps characters whole, tells long texts apart and says that it is one', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 300 })
  fc.assert(
    fc.property(text, text, fc.integer({ min: 20, max: 200 }), (a, b, most) => {
      for (const long of [a, b]) {
        assert.ok(Buffer.byteLength(cut(long, most)) <= most)
        assert.doesNotMatch(cut(long, most), /\p{Cs}/u)
        if (Buffer.byteLength(long) > most) assert.match(cut(long, most), /…[0-9a-f]{13}$/)
      }
      if (a !== b) assert.notEqual(cut(a, most), cut(b, most))
    }),
  )
  assert.equal(cut('🙂'.repeat(6), 23), `🙂…${cut('🙂'.repeat(6), 23).slice(-13)}`)
})
