import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import { paths } from '../../scripts/lib/runs/paths.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { createRun } from '../../scripts/lib/runs/workspace.ts'
import { timelines } from '../../scripts/report/sections/timelines.ts'
import { timelinesOf } from '../../scripts/report/timelines.ts'
import { REQUEST } from '../lib/runs/fixture/ledger.ts'
import { tempFolder } from '../support/temp.ts'
import { sampleData } from './sample.ts'

const HOUR = 3_600_000
const ODD = '203.0.113.9'

/** A run of some days with these rows, of which the last day was judged. */
async function judged(
  days: number,
  rows: readonly (readonly [entity: string, ip: string, hour: number, accesses: number])[],
) {
  const from = Date.parse('2026-11-20T00:00:00.000Z')
  const to = new Date(from + days * 24 * HOUR)
  const run = await createRun(tempFolder(), { ...REQUEST, from: new Date(from).toISOString(), to: to.toISOString() })
  const lines = rows.map(([entity, ip, hour, accesses]) => {
    const first = from + hour * HOUR + 60_000
    return `${encodeEntity(entity)},${ip},${first},${first + 1000},${accesses}\n`
  })
  if (rows.length > 0) await run.store.write(`${paths.times}part-0.csv`, lines.join(''))
  return { run, from: new Date(to.getTime() - 24 * HOUR) }
}

const alert = (entity: string, ip = ODD): Verdict => ({
  ...{ entity, ip, events: 50, verdict: 'scored', dotProduct: -1, anomalyScore: 1, flagged: true, accesses: 1 },
})

test('flagged accesses are odd, what came before or from elsewhere is usual, and others do not count', async () => {
  const about = await judged(2, [
    ['j.doe, x', '192.0.2.1', 3, 5],
    ['j.doe, x', '192.0.2.2', 3, 2],
    // The same address before the judged time was never flagged.
    ['j.doe, x', ODD, 4, 1],
    ['j.doe, x', ODD, 30, 7],
    ['j.doe, x', ODD, 30, 1],
    ['other', ODD, 30, 100],
    ['j.doe, x', ODD, 48, 9],
  ])
  assert.deepEqual(await timelinesOf(about, [alert('j.doe, x'), alert('gone'), alert('j.doe, x', '192.0.2.200')]), {
    from: '2026-11-20T00:00:00.000Z',
    to: '2026-11-22T00:00:00.000Z',
    judgedFrom: '2026-11-21T00:00:00.000Z',
    slots: 48,
    hours: 1,
    lines: [
      {
        entity: 'j.doe, x',
        usual: [
          [3, 7],
          [4, 1],
        ],
        odd: [[30, 8]],
        firstOdd: '2026-11-21T06:01:00.000Z',
      },
      { entity: 'gone', usual: [], odd: [] },
    ],
    entities: 2,
  })
})

test('a long window has bars of several hours, and the first hundred entities', async () => {
  const about = await judged(90, [['e7', '192.0.2.1', 11, 1]])
  const found = await timelinesOf(
    about,
    Array.from({ length: 120 }, (_, i) => alert(`e${i}`)),
  )
  assert.deepEqual([found?.hours, found?.slots, found?.lines.length, found?.entities], [5, 432, 100, 120])
  assert.deepEqual(found?.lines[7]?.usual, [[2, 1]])
})

test('without alerts, or without times, there is nothing to draw', async () => {
  assert.equal(await timelinesOf(await judged(2, [['a', ODD, 3, 1]]), []), undefined)
  assert.equal(await timelinesOf(await judged(2, []), [alert('a')]), undefined)
})

test('bars lie within the drawing, flagged ones below the line, and the highest has the full height', () => {
  const data = sampleData()
  const section = timelines(data)?.markup ?? assert.fail()
  const { scored } = data
  const lines = scored?.timelines ?? assert.fail()
  assert.equal(section.split('<svg').length - 1, lines.lines.length)
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(section)?.map(Number) ?? assert.fail()
  const bars = (name: string) =>
    [
      ...(new RegExp(`class="${name}" d="([^"]*)"`).exec(section)?.[1] ?? '').matchAll(
        /M(-?[\d.]+) (\d+)v(-?[\d.]+)h([\d.]+)/g,
      ),
    ].map(([, x, y, tall, wide]) => [x, y, tall, wide].map(Number) as [number, number, number, number])
  const [first] = lines.lines
  const [usual, odd] = [bars('usual'), bars('odd')]
  assert.deepEqual([usual.length, odd.length], [first?.usual.length, first?.odd.length])
  for (const [x, y, tall, wide] of [...usual, ...odd])
    assert.ok(x >= -1 && x + wide <= (width ?? 0) + 2 && y + tall >= 0 && y + tall <= (height ?? 0))
  assert.ok(usual.every(([, , tall]) => tall < 0) && odd.every(([, , tall]) => tall > 0))
  assert.equal(Math.min(...usual.map(([, y, tall]) => y + tall)), 0)
  assert.match(section, /more entities<\/summary>/)
})
