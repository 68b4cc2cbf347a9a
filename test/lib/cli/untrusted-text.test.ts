import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvCell, shortened, spelledOut } from '../../../scripts/lib/cli/format.ts'

const texts: [text: string, shown: string][] = [
  ['curl/8 é 漢 🙂', 'curl/8 é 漢 🙂'],
  ['a\u0000b\u001b[31m\u0085', 'a\\u{00}b\\u{1b}[31m\\u{85}'],
  ['the \u202eeod\u2069', 'the \\u{202e}eod\\u{2069}'],
  ['line\u2028sep\r\n', 'line\\u{2028}sep\\u{0d}\\u{0a}'],
  ['half \ud800', 'half \\u{d800}'],
  ['\u3164\u2800', '\\u{3164}\\u{2800}'],
  ['   ', '\\u{20}\\u{20}\\u{20}'],
  ['\u00a0', '\\u{a0}'],
  ['no escape of ours: \\u{1b} \\n', 'no escape of ours: \\u{5c}u{1b} \\n'],
]

for (const [text, expected] of texts)
  test(`${JSON.stringify(text)} spelled out`, () => assert.equal(spelledOut(text), expected))

test('two texts never look the same, and none hides or turns round what stands beside it', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.doesNotMatch(spelledOut(a), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      if (a !== b) assert.notEqual(spelledOut(a), spelledOut(b))
    }),
  )
})

test('a cut keeps characters whole, tells long texts apart and says that it is one', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 300 })
  fc.assert(
    fc.property(text, text, fc.integer({ min: 20, max: 200 }), (a, b, most) => {
      for (const long of [a, b]) {
        assert.ok(Buffer.byteLength(shortened(long, most)) <= most)
        assert.doesNotMatch(shortened(long, most), /\p{Cs}/u)
        if (Buffer.byteLength(long) > most) assert.match(shortened(long, most), /…[0-9a-f]{13}$/)
      }
      if (a !== b) assert.notEqual(shortened(a, most), shortened(b, most))
    }),
  )
  assert.equal(shortened('🙂'.repeat(6), 23), `🙂…${shortened('🙂'.repeat(6), 23).slice(-13)}`)
})

const cells: [text: string, cell: string][] = [
  ['curl/8', 'curl/8'],
  ['=1+2', `"'=1+2"`],
  ['+cmd', `"'+cmd"`],
  ['-2+3', `"'-2+3"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['＝1', `"'＝1"`],
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ['two\nlines', '"two\nlines"'],
  ['-1.5e-8', '-1.5e-8'],
]

for (const [text, cell] of cells)
  test(`a spreadsheet reads ${JSON.stringify(text)} as text`, () => assert.equal(csvCell(text), cell))
