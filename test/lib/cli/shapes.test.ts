import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { json, number, record, time } from '../../../scripts/lib/cli/shapes.ts'

/** From JSON, as what is checked has come. */
const parsed = (text: string): unknown => JSON.parse(text)
const scores = record(v.string(), number)

const kinds: [kind: string, form: v.GenericSchema, taken: unknown[], refused: unknown[]][] = [
  [
    'number',
    number,
    [0, -0, -1.5, 5e-324, 2 ** 60, Number.MAX_VALUE],
    [Number.NaN, Number.POSITIVE_INFINITY, parsed('-1e999'), '1', null, undefined, 1n, true, [1], {}],
  ],
  [
    'time',
    time,
    [
      '2026-11-01T00:00:00Z',
      '2026-11-01T23:59:59.9Z',
      '2026-11-01T00:00:00.000Z',
      '2026-11-01T00:00:00.1234567890123Z',
      '2024-02-29T12:00:00Z',
      '2000-02-29T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
      new Date(0).toISOString(),
    ],
    [
      '',
      'yesterday',
      '2026-11-01',
      '2026-11-01T00:00Z',
      '2026-11-01T00:00:00',
      '2026-11-01T00:00:00.Z',
      '2026-11-01T00:00:00,5Z',
      '2026-11-01T00:00:00z',
      '2026-11-01t00:00:00Z',
      '2026-11-01 00:00:00Z',
      '2026-11-01T00:00:00+00:00',
      '2026-11-01T00:00:00-0500',
      '2026-11-01T24:00:00Z',
      '2026-11-01T00:60:00Z',
      '2026-11-01T23:59:60Z',
      '2026-02-29T00:00:00Z',
      '1900-02-29T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '2026-00-10T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-11-00T00:00:00Z',
      '2026-11-32T00:00:00Z',
      '26-11-01T00:00:00Z',
      '+002026-11-01T00:00:00Z',
      '-000001-11-01T00:00:00Z',
      ' 2026-11-01T00:00:00Z',
      '2026-11-01T00:00:00Z\n',
      '٢٠٢٦-11-01T00:00:00Z',
      1_793_491_200_000,
      new Date(0),
      null,
    ],
  ],
  [
    'record of numbers',
    scores,
    [{}, { a: 1 }, { '': 0, 'a b': 2 }, { constructor: 1, prototype: 2, toString: 3 }, { 0: 1 }],
    [[], [1], null, undefined, 'a', 7, { a: '1' }, { a: undefined }, { constructor: '1' }, { a: { b: 1 } }],
  ],
  [
    'record of some names',
    record(v.picklist(['a', 'b']), number),
    [{}, { a: 1 }, { a: 1, b: 2 }],
    [{ c: 1 }, { a: 1, constructor: 1 }, { a: 'b' }],
  ],
  [
    'JSON',
    json,
    ['', 0, true, null, [], {}, [[[null]], { a: [{}] }], { constructor: { prototype: ['a', 1, false] } }],
    [undefined, Number.NaN, parsed('1e999'), parsed('[[1e999]]'), [undefined], { a: { b: undefined } }, 1n, () => 1],
  ],
]

for (const [kind, form, taken, refused] of kinds)
  test(`a form takes and refuses: ${kind}`, () => {
    for (const given of taken) assert.deepEqual(v.parse(form, given), given)
    for (const given of refused) assert.equal(v.is(form, given), false, String(given))
  })

test('a member that would be taken for a prototype is left out', () => {
  const given = parsed('{"__proto__": 1, "a": 2}')
  assert.deepEqual(v.parse(scores, given), { a: 2 })
  assert.deepEqual(v.parse(json, parsed('[{"__proto__": {"b": 1}}]')), [{}])
})
