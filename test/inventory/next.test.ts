import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stageCommand } from '../../scripts/inventory/render.ts'

const cases: [what: string, first: string, last: string, from: string, to: string][] = [
  ['one day', '2026-03-02', '2026-03-02', '2026-03-02', '2026-03-03'],
  ['two days', '2026-03-02', '2026-03-03', '2026-03-02', '2026-03-03'],
  ['ten days and the one after them', '2026-02-25', '2026-03-07', '2026-02-25', '2026-03-07'],
  ['years', '2019-01-01', '2026-03-13', '2026-03-03', '2026-03-13'],
]

for (const [what, first, last, from, to] of cases)
  test(`what to stage of ${what}`, () =>
    assert.equal(
      stageCommand({ source: 'waf', first, last }, 's3://org logs'),
      `npx zx scripts/stage.mjs --source waf --logs 's3://org logs' --from ${from} --to ${to}`,
    ))
