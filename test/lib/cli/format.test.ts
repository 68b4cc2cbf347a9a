import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  aboutUsd,
  bytes,
  count,
  counted,
  duration,
  facts,
  percent,
  plural,
  printable,
  printableJson,
  table,
  usd,
  utc,
} from '../../../scripts/lib/cli/format.ts'

const shown: [is: string, should: string][] = [
  [count(1_234_567), '1,234,567'],
  [count(0.12345), '0.123'],
  [plural(1, 'object'), '1 object'],
  [plural(0, 'object'), '0 objects'],
  [plural(1_234, 'object'), '1,234 objects'],
  [plural(0.5, 'alert'), '0.5 alerts'],
  [plural(1, 'entity', 'entities'), '1 entity'],
  [plural(2, 'entity', 'entities'), '2 entities'],
  [counted(1, 'LIST requests'), '1 LIST request'],
  [counted(7, 'LIST requests'), '7 LIST requests'],
  [counted(1, 'job'), '1 job'],
  [counted(12, 'bytes out of AWS'), '12 bytes out of AWS'],
  [bytes(0), '0 B'],
  [bytes(999), '999 B'],
  [bytes(1000), '1.0 KB'],
  [bytes(999_499), '999 KB'],
  [bytes(999_500), '1.0 MB'],
  [bytes(1_400_000_000), '1.4 GB'],
  [bytes(5e15), '5000 TB'],
  [usd(0), '$0.00'],
  [usd(12.5), '$12.50'],
  [usd(0.01), '$0.01'],
  [usd(0.0004), '$0.00040'],
  [usd(0.00000001), 'under $0.0001'],
  [aboutUsd(0.00000001), 'under $0.0001'],
  [aboutUsd(0.00012), 'about $0.00012'],
  [aboutUsd(0), 'about $0.00'],
  [duration(0), '0.0 s'],
  [duration(9_949), '9.9 s'],
  [duration(9_960), '10 s'],
  [duration(59_400), '59 s'],
  [duration(59_600), '1 min 0 s'],
  [duration(185_000), '3 min 5 s'],
  [duration(3_720_000), '1 h 2 min'],
  [duration(8 * 3_600_000), '8 h 0 min'],
  [percent(1, 8), '12.5 %'],
  [percent(0, 0), '–'],
  [utc(new Date('2026-11-20T13:05:59Z')), '2026-11-20 13:05 UTC'],
]

for (const [is, should] of shown) test(`shown: ${should}`, () => assert.equal(is, should))

test('a table aligns words to the left and numbers to the right', () =>
  assert.equal(
    table(
      [
        ['source', 'objects', 'size'],
        ['waf', '7', '1.4 GB'],
        ['cloudtrail', '1,234', '12 KB'],
      ],
      '  ',
    ),
    ['  source      objects    size', '  waf               7  1.4 GB', '  cloudtrail    1,234   12 KB'].join('\n'),
  ))

test('a row of a table is one line', () =>
  assert.equal(table([['name'], ['a\nnext: b\tc']]), 'name\na\ufffdnext: b\ufffdc'))

test('an empty table is empty', () => assert.equal(table([]), ''))

test('facts leave out what is not there', () =>
  assert.equal(facts([['run', 'r-1'], undefined, ['objects', '7']]), 'run      r-1\nobjects  7'))

test('nothing that a terminal would obey is printed', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const clean = printable(text)
      assert.equal(clean.length, text.length)
      for (const c of clean) assert.ok(c === '\n' || c === '\t' || !/\p{Cc}/u.test(c))
      assert.equal(printable(clean), clean)
      const json = printableJson({ text })
      assert.equal(printable(json), json)
      assert.deepEqual(JSON.parse(json), { text })
    }),
  ))

const turned: [text: string, plain: string, json: string][] = [
  ['a\u202egnp.exe\u202c', 'a\ufffdgnp.exe\ufffd', '"a\\u202egnp.exe\\u202c"'],
  ['\u2066x\u2069', '\ufffdx\ufffd', '"\\u2066x\\u2069"'],
  ['one\u2028two\u2029', 'one\ufffdtwo\ufffd', '"one\\u2028two\\u2029"'],
  ['\u009b31m\u007f', '\ufffd31m\ufffd', '"\\u009b31m\\u007f"'],
]

for (const [text, plain, json] of turned)
  test(`neither as text nor as JSON: ${json}`, () =>
    assert.deepEqual([printable(text), printableJson(text)], [plain, json]))

test('what can be read stays', () => {
  for (const text of ['a\tb\nc', 'Grüße, 世界 👋', '👩\u200d🔬', 'می\u200cخواهم', 'שלום\u200f', '"\\', '–…✔'])
    assert.equal(printable(text), text)
})
