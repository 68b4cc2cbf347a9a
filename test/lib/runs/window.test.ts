import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { UsageError } from '../../../scripts/lib/cli/errors.ts'
import { compactTime, daysOf, describeWindow, timeOf, windowOf } from '../../../scripts/lib/runs/window.ts'
import { cloudtrail } from '../../../scripts/lib/sources/cloudtrail.ts'
import { sources } from '../../../scripts/lib/sources/registry.ts'
import { type Source, settlingOf } from '../../../scripts/lib/sources/source.ts'
import { waf } from '../../../scripts/lib/sources/waf.ts'
import { ROOT } from '../../support/run-script.ts'

const NOW = new Date('2026-11-24T09:17:42.123Z')
type Given = Parameters<typeof windowOf>[0]

const windows: [given: Given, from: string, to: string][] = [
  [{ from: '2026-11-20', to: '2026-11-21' }, '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z'],
  [{ from: '2026-11-20T13:00', to: '2026-11-20 14:30' }, '2026-11-20T13:00:00Z', '2026-11-20T14:30:00Z'],
  [{ from: '2026-11-20T13:00:05Z', to: '2026-11-20T13:00:06Z' }, '2026-11-20T13:00:05Z', '2026-11-20T13:00:06Z'],
  [{ from: '2026-11-20T00:00+02:00', to: '2026-11-20T00:00-05:30' }, '2026-11-19T22:00:00Z', '2026-11-20T05:30:00Z'],
  [{ from: '2024-02-29', to: '2024-03-01' }, '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
  [{ from: '2025-12-31T23:59', to: '2026-01-01' }, '2025-12-31T23:59:00Z', '2026-01-01T00:00:00Z'],
  // It may reach beyond now: the rest is simply not there yet.
  [{ from: '2026-11-24', to: '2026-11-25' }, '2026-11-24T00:00:00Z', '2026-11-25T00:00:00Z'],
  [{ last: '5m' }, '2026-11-24T09:10:00Z', '2026-11-24T09:15:00Z'],
  [{ last: '90m' }, '2026-11-24T07:45:00Z', '2026-11-24T09:15:00Z'],
  [{ last: '24h' }, '2026-11-23T09:15:00Z', '2026-11-24T09:15:00Z'],
  [{ last: '7d' }, '2026-11-17T09:15:00Z', '2026-11-24T09:15:00Z'],
  [{ last: '2 W' }, '2026-11-10T09:15:00Z', '2026-11-24T09:15:00Z'],
]

for (const [given, from, to] of windows)
  test(`window ${JSON.stringify(given)}`, () =>
    assert.deepEqual(windowOf(given, NOW), { from: new Date(from), to: new Date(to) }))

const refused: [given: Given, says: RegExp][] = [
  [{}, /^no window$/],
  [{ from: '2026-11-20' }, /has no end/],
  [{ to: '2026-11-20' }, /has no start/],
  [{ last: '1h', from: '2026-11-20' }, /--last excludes --from and --to/],
  [{ last: '1h', to: '2026-11-20' }, /--last excludes --from and --to/],
  [{ from: '2026-11-20', to: '2026-11-20' }, /window is empty/],
  [{ from: '2026-11-21', to: '2026-11-20' }, /window is empty/],
  [
    { from: '2026-11-20T10:00:30.5Z', to: '2026-11-20T10:00:30Z' },
    /--from 2026-11-20 10:00:30\.500 UTC is not before --to 2026-11-20 10:00:30 UTC/,
  ],
  [{ from: '2026-11-20T12:00+02:00', to: '2026-11-20T10:00Z' }, /window is empty/],
  [{ from: '2026-11-25', to: '2026-11-26' }, /begins in the future/],
  [{ last: '0d' }, /"0d" is not a span/],
  [{ last: '-1d' }, /not a span/],
  [{ last: '1.5h' }, /not a span/],
  [{ last: '3y' }, /not a span/],
  [{ last: 'yesterday' }, /not a span/],
  [{ last: '9999999d' }, /before there were logs/],
  [{ last: `${'9'.repeat(400)}d` }, /before there were logs/],
]

for (const [given, says] of refused)
  test(`window refused: ${JSON.stringify(given).slice(0, 60)}`, () =>
    assert.throws(
      () => windowOf(given, NOW),
      (error) => error instanceof UsageError && says.test(error.message),
    ))

const noTimes = [
  '2026-02-29',
  '2026-04-31',
  '2026-13-01',
  '2026-00-10',
  '2026-1-2',
  '20261120',
  '2026-11-20T25:00',
  '2026-11-20T13:60',
  '2026-11-20T13',
  '2026-11-20T13:00:61Z',
  '2026-11-20T13:00+99:00',
  '2026-11-20Z',
  '1999-12-31',
  '0000-01-01',
  ' 2026-11-20',
  '2026-11-20\n',
  'today',
  '',
]

for (const text of noTimes)
  test(`no time: ${JSON.stringify(text)}`, () =>
    assert.throws(
      () => timeOf(text, '--from'),
      (error) => error instanceof UsageError && error.message.startsWith('--from') && error.hint !== undefined,
    ))

const anyTime = fc
  .date({ min: new Date('2006-01-01'), max: NOW, noInvalidDate: true })
  .map((d) => new Date(d.setUTCMilliseconds(0)))

test('a time that is written out is read back', () =>
  fc.assert(
    fc.property(anyTime, (time) => {
      assert.deepEqual(timeOf(time.toISOString().replace('.000Z', 'Z'), '--from'), time)
    }),
  ))

test('an offset moves the clock, not the moment', () =>
  fc.assert(
    fc.property(anyTime, fc.integer({ min: -14 * 60, max: 14 * 60 }), (time, minutes) => {
      const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19)
      const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) => `${n}`.padStart(2, '0'))
      assert.deepEqual(timeOf(`${local}${minutes < 0 ? '-' : '+'}${h}:${m}`, '--from'), time)
    }),
  ))

test('--last has exactly its length, ends within five minutes, and means the same for a while', () =>
  fc.assert(
    fc.property(anyTime, fc.integer({ min: 1, max: 2000 }), fc.constantFrom('m', 'h', 'd'), (now, n, unit) => {
      const { from, to } = windowOf({ last: `${n}${unit}` }, now)
      assert.equal(to.getTime() - from.getTime(), n * { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit])
      const behind = now.getTime() - to.getTime()
      assert.ok(behind >= 0 && behind < 300_000)
      assert.deepEqual(windowOf({ last: `${n}${unit}` }, new Date(to.getTime() + 299_999)), { from, to })
    }),
  ))

const settled: [source: Source, end: string][] = [
  [cloudtrail, '2026-11-24T08:15:00Z'],
  [waf, '2026-11-24T09:00:00Z'],
]

for (const [source, end] of settled)
  test(`--last ends where delivery is settled: ${source.id}`, () => {
    const { to } = windowOf({ last: '24h' }, NOW, settlingOf(source))
    assert.deepEqual(to, new Date(end))
  })

const spanText = (minutes: number): string => (minutes >= 60 ? `${minutes / 60} h` : `${minutes} min`)

for (const source of Object.values(sources))
  for (const { id, padding } of source.layouts)
    test(`docs/local.md tells how far ${id} is padded, and where --last ends`, () => {
      const { before, after } = padding
      const floor = padding.unit === 1440 ? ', and from the start of its day' : ''
      const row = [
        `\`${id}\``,
        `${spanText(before)}${floor}`,
        spanText(after),
        `${spanText(settlingOf(source) / 60_000)} ago`,
      ]
      assert.ok(readFileSync(`${ROOT}docs/local.md`, 'utf8').includes(`| ${row.join(' | ')} |`), row.join(' | '))
    })

test('--last: two nights meet, and an event that is delivered late is in the second or the first', () =>
  fc.assert(
    fc.property(
      fc.constantFrom(cloudtrail, waf),
      fc.integer({ min: 0, max: 86_399 }),
      fc.nat({ max: 299 }),
      (source, at, jitter) => {
        const [settling, start] = [settlingOf(source), Date.UTC(2026, 10, 24) + at * 1000]
        const [first, second] = [start, start + 86_400_000].map((night) => {
          const slot = Math.floor(night / 300_000) * 300_000
          return windowOf({ last: '24h' }, new Date(slot + jitter * 1000), settling)
        })
        assert.deepEqual(first?.to, second?.from)
        assert.ok((first?.to.getTime() ?? 0) <= start - settling + 300_000)
      },
    ),
  ))

test('compact times sort as the times do, and differ when they do', () =>
  fc.assert(
    fc.property(anyTime, anyTime, (a, b) => {
      const [x, y] = [compactTime(a), compactTime(b)]
      assert.equal(x === y, a.getTime() === b.getTime())
      assert.match(x, /^\d{8}T\d{4}(\d{2})?Z$/)
    }),
  ))

test('days', () => assert.equal(daysOf(windowOf({ from: '2026-11-20', to: '2026-11-21T12:00' }, NOW)), 1.5))

const described: [from: string, to: string, text: string][] = [
  ['2026-11-20', '2026-11-21T13:05', '2026-11-20 00:00 UTC to 2026-11-21 13:05 UTC'],
  ['2026-11-20T10:00:30Z', '2026-11-20T10:00:31.25Z', '2026-11-20 10:00:30 UTC to 2026-11-20 10:00:31.250 UTC'],
]

for (const [from, to, text] of described)
  test(`a window in words: ${text}`, () =>
    assert.equal(describeWindow({ from: timeOf(from, 'from'), to: timeOf(to, 'to') }), text))
