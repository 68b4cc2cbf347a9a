import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stageCommand } from '../../scripts/inventory/render.ts'

const NOW = new Date('2026-03-20T00:30:00Z')

const cases: [what: string, first: string, last: string, from: string, to: string][] = [
  ['one day', '2026-03-02', '2026-03-02', '2026-03-02', '2026-03-03'],
  ['two days', '2026-03-02', '2026-03-03', '2026-03-02', '2026-03-03'],
  ['ten days and the one after them', '2026-02-25', '2026-03-07', '2026-02-25', '2026-03-07'],
  ['years', '2019-01-01', '2026-03-13', '2026-03-03', '2026-03-13'],
  ['years until today', '2019-01-01', '2026-03-20', '2026-03-10', '2026-03-20'],
]

for (const [what, first, last, from, to] of cases)
  test(`what to stage of ${what}`, () =>
    assert.equal(
      stageCommand({ source: 'waf', first, last }, 's3://org logs', NOW),
      `npx zx scripts/stage.mjs --source waf --logs 's3://org logs' --from ${from} --to ${to}`,
    ))

test('a day is staged once its logs have been delivered, which takes an hour with CloudTrail', () => {
  const toOf = (source: string, first: string, last: string, now: string) =>
    stageCommand({ source, first, last }, './logs', new Date(now))?.split(' --to ')[1]
  assert.equal(toOf('cloudtrail', '2026-03-01', '2026-03-20', '2026-03-20T00:30:00Z'), '2026-03-19')
  assert.equal(toOf('cloudtrail', '2026-03-01', '2026-03-20', '2026-03-20T01:30:00Z'), '2026-03-20')
  assert.equal(toOf('waf', '2026-03-20', '2026-03-20', '2026-03-20T12:00:00Z'), undefined)
  assert.equal(toOf('waf', '2026-03-20', '2026-03-20', '2026-03-21T00:30:00Z'), '2026-03-21')
})
