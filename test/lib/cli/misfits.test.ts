import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { fitted, json, number, record, time } from '../../../scripts/lib/cli/shapes.ts'

const part = v.strictObject({ key: v.string(), rows: v.optional(v.pipe(v.number(), v.safeInteger())) })
const form = v.object({
  version: v.optional(v.literal(1)),
  state: v.optional(v.picklist(['running', 'done'])),
  from: v.optional(time),
  share: v.optional(v.pipe(number, v.minValue(0), v.maxValue(1))),
  days: v.optional(v.pipe(number, v.gtValue(0))),
  first: v.optional(part),
  parts: v.optional(v.array(part)),
  named: v.optional(record(v.string(), number)),
  free: v.optional(record(v.string(), json)),
  tail: v.optional(v.pipe(v.array(number), v.minLength(2, 'two numbers or more'))),
  time: v.optional(v.nullable(time)),
  either: v.optional(v.union([v.boolean(), v.array(v.string())])),
  by: v.optional(
    v.variant('via', [v.object({ via: v.literal('a'), at: v.string() }), v.object({ via: v.literal('b') })]),
  ),
})

const misfits: [given: unknown, says: string][] = [
  [null, 'expected object, found null'],
  ['text', 'expected object, found "text"'],
  [undefined, 'expected object, found nothing'],
  [{ version: 2 }, 'version: expected 1, found 2'],
  [{ version: '1' }, 'version: expected 1, found "1"'],
  [{ state: 'paused' }, 'state: expected "running" or "done", found "paused"'],
  [{ from: 'yesterday' }, 'from: expected time such as 2026-11-01T00:00:00Z, found "yesterday"'],
  [{ from: 5 }, 'from: expected string, found 5'],
  [{ share: 1.5 }, 'share: expected <=1, found 1.5'],
  [{ share: Number.POSITIVE_INFINITY }, 'share: expected finite number, found Infinity'],
  [{ share: Number.NaN }, 'share: expected number, found NaN'],
  [{ days: 0 }, 'days: expected >0, found 0'],
  [{ first: {} }, 'first.key: is missing'],
  [{ first: [] }, 'first: expected object, found array'],
  [{ first: ['a'] }, 'first: expected object, found array'],
  [{ first: { key: 'a', kye: 'b' } }, 'first: unknown member "kye"'],
  [{ first: { kye: 'b' } }, 'first.key: is missing; first: unknown member "kye"'],
  [{ first: { key: 'a', rows: 1.5 } }, 'first.rows: expected whole number, found 1.5'],
  [{ first: { key: 'a', rows: 2 ** 53 } }, 'first.rows: expected whole number, found 9007199254740992'],
  [{ parts: {} }, 'parts: expected array, found object'],
  [{ parts: [{ key: 'a' }, { key: true }] }, 'parts[1].key: expected string, found true'],
  [
    { named: { 'a.b': 'c', d: null } },
    'named["a.b"]: expected number, found "c"; named.d: expected number, found null',
  ],
  [{ named: [] }, 'named: expected object, found array'],
  [{ free: { a: [1, Number.POSITIVE_INFINITY] } }, 'free.a[1]: expected finite number, found Infinity'],
  [{ tail: [1] }, 'tail: expected two numbers or more, found array'],
  [{ time: 1 }, 'time: expected string, found 1'],
  [{ either: 1 }, 'either: expected boolean or array, found 1'],
  [{ by: {} }, 'by.via: expected "a" or "b", found nothing'],
  [{ by: { via: 'c' } }, 'by.via: expected "a" or "b", found "c"'],
  [{ by: { via: 'a' } }, 'by.at: is missing'],
  [{ version: 'a\n\u001b[31m"' }, 'version: expected 1, found "a\\n\\u001b[31m\\""'],
  [{ version: 'x'.repeat(41) }, `version: expected 1, found "${'x'.repeat(40)}…"`],
  [
    { named: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`n${i}`, ''])) },
    `${[0, 1, 2, 3, 4].map((i) => `named.n${i}: expected number, found ""`).join('; ')}; and 995 more`,
  ],
]

for (const [given, says] of misfits)
  test(`what does not fit is told: ${says.slice(0, 80)}`, () => {
    assert.throws(() => fitted(form, given), { name: 'Error', message: says })
  })

test('what fits comes without what nobody asked for', () =>
  assert.deepEqual(fitted(form, { version: 1, more: 2, time: null }), { version: 1, time: null }))
