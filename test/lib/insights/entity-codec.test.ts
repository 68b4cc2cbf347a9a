import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeEntity, encodeEntity, isEncoded } from '../../../scripts/lib/insights/entity-codec.ts'

const cases: [entity: string, encoded: string][] = [
  ['user_1', 'user_1'],
  ['john.doe', 'john%2Edoe'],
  ['AROAEXAMPLE:me@example.com', 'AROAEXAMPLE:me@example%2Ecom'],
  ['arn:aws:sts::012345678901:assumed-role/a/b', 'arn:aws:sts::012345678901:assumed-role/a/b'],
  ['a, b', 'a%2C%20b'],
  ['50%', '50%25'],
  ['%2E', '%252E'],
  [`"'\`\\`, '%22%27%60%5C'],
  ['\u0000\t\r\n\u007f', '%00%09%0D%0A%7F'],
  ['Zoë 東京', 'Zoë%20東京'],
  ['\u0085\u009f\ud800😀', '\u0085\u009f\ud800😀'],
  ['Mozilla/5.0 (X11; Linux)', 'Mozilla/5%2E0%20(X11;%20Linux)'],
]

for (const [entity, encoded] of cases)
  test(`${JSON.stringify(entity)} is written ${encoded}`, () => {
    assert.equal(encodeEntity(entity), encoded)
    assert.equal(decodeEntity(encoded), entity)
    assert.ok(isEncoded(encoded))
  })

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from('%.,"\'`\\ 2E250\n\r\t\u0000\u007f')),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
})

test('what is encoded decodes to itself, and holds nothing that a reader of CSV takes for something else', () =>
  fc.assert(
    fc.property(hostile, (entity) => {
      const encoded = encodeEntity(entity)
      assert.equal(decodeEntity(encoded), entity)
      assert.doesNotMatch(encoded, /[., "'`\\]/)
      for (const character of encoded) assert.ok(character > '\u001f' && character !== '\u007f')
      assert.equal(isEncoded(encoded), entity !== '')
    }),
  ))

for (const text of ['', 'john.doe', 'a b', 'a,b', '50%', '%2e', '%41', '%', 'a\n', '"a"'])
  test(`${JSON.stringify(text)} is not encoded`, () => assert.equal(isEncoded(text), false))

test('what is no escape of the codec stays', () => assert.equal(decodeEntity('%41%2e%ZZ%26%'), '%41%2e%ZZ%26%'))
