import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { outstanding, prove } from '../../scripts/stage/proof.ts'
import type { Selection } from '../../scripts/stage/selection.ts'
import { scratch, stageDay, trailKey, writeObjects } from './logs.ts'

/** What was selected, with sizes, against what is staged. */
const cases: [what: string, staged: Record<string, string>, left: string[], reasons: Record<string, string>][] = [
  ['all is there', { a: 'x', 'b/c': 'xx', d: '' }, [], {}],
  ['one is absent', { a: 'x', d: '' }, ['b/c'], { 'b/c': 'not at the destination' }],
  ['one is shorter', { a: 'x', 'b/c': 'x', d: '' }, ['b/c'], { 'b/c': '1 bytes at the destination, 2 expected' }],
  [
    'one is longer, where nothing is expected',
    { a: 'x', 'b/c': 'xx', d: 'x' },
    ['d'],
    { d: '1 bytes at the destination, 0 expected' },
  ],
  ['one is more', { a: 'x', 'b/c': 'xx', d: '', e: 'x' }, [], { e: 'not selected' }],
  [
    'none is there',
    {},
    ['a', 'b/c', 'd'],
    { a: 'not at the destination', 'b/c': 'not at the destination', d: 'not at the destination' },
  ],
]

const selection: Selection = {
  totals: { objects: 3, bytes: 3, digest: '' },
  rows: async function* () {
    yield { key: 'a', size: 1 }
    yield { key: 'b/c', size: 2 }
    yield { key: 'd', size: 0 }
  },
}

describe('the proof', () => {
  for (const [what, staged, left, reasons] of cases)
    it(`finds out when ${what}`, async () => {
      const folder = scratch()
      writeObjects(folder, staged)
      const store = folderStore(folder)
      const open: string[] = []
      for await (const { key } of outstanding(selection, store)) open.push(key)
      assert.deepEqual(open, left)
      const told: Record<string, string> = {}
      const proof = await prove(selection, store, {
        missing: ({ key, reason }) => {
          told[key] = reason
        },
        extra: (key) => {
          told[key] = 'not selected'
        },
      })
      assert.deepEqual(told, reasons)
      assert.equal(proof.present + proof.missing, 3)
    })

  it('makes stage copy what has another size again', async () => {
    const [logs, workspace] = [scratch(), scratch()]
    const key = trailKey('111122223333', 'us-east-1', '20260302T1000Z')
    writeObjects(logs, { [key]: 'as it was delivered' })
    const { result, stderr } = await stageDay(logs, [], workspace)
    assert.ok(result, stderr)
    const staged = join(result.staged, key)
    // Another file: the staged one is a link to the log.
    rmSync(staged)
    writeFileSync(staged, 'cut')
    const healed = await stageDay(logs, [], workspace)
    assert.deepEqual([healed.result?.copied, healed.result?.repeated], [1, false], healed.stderr)
  })
})
