import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { readLedger, writeLedger } from '../../../scripts/lib/runs/ledger.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import { ConditionFailed } from '../../../scripts/lib/stores/store.ts'
import { firstLine, killHard, startFixture } from '../../support/child.ts'
import { tempFolder } from '../../support/temp.ts'
import { ledgerOf } from './fixture/ledger.ts'

test('what is written is read', async () => {
  const store = folderStore(tempFolder())
  await writeLedger(store, ledgerOf(5))
  assert.deepEqual(await readLedger(store), ledgerOf(5))
})

test('no ledger is none, not an error', async () => {
  assert.equal(await readLedger(folderStore(tempFolder())), undefined)
  assert.equal(await readLedger(folderStore(`${tempFolder()}/nowhere`)), undefined)
})

test('a ledger is only created once', async () => {
  const store = folderStore(tempFolder())
  await writeLedger(store, ledgerOf(1), { ifAbsent: true })
  await assert.rejects(writeLedger(store, ledgerOf(2), { ifAbsent: true }), ConditionFailed)
  assert.deepEqual(await readLedger(store), ledgerOf(1))
})

const changed = (change: object) => JSON.stringify({ ...ledgerOf(), ...change })
const damaged: [what: string, text: string, says: RegExp][] = [
  ['empty', '', /JSON/],
  ['cut off', JSON.stringify(ledgerOf()).slice(0, 100), /JSON/],
  ['no object', '[]', /expected object/],
  ['nothing', 'null', /expected object/],
  ['of a later version', changed({ version: 2 }), /another version of prestage wrote it \(form 2, this one knows 1\)/],
  ['of a later version in other words', changed({ version: '2', steps: 7 }), /another version of prestage/],
  ['without a version', changed({ version: undefined }), /version/],
  ['with an unknown member', changed({ more: 1 }), /more/],
  ['with an unknown state', changed({ steps: { stage: { ...ledgerOf().steps.stage, state: 'paused' } } }), /state/],
  ['with no time', changed({ createdAt: 'yesterday' }), /createdAt/],
  ['with a list of steps', changed({ steps: [] }), /: steps: expected object, found array$/],
  ['with a list as a step', changed({ steps: { stage: [] } }), /: steps\.stage: expected object, found array$/],
  [
    'with an unknown member deep in it',
    changed({ request: { ...ledgerOf().request, key: 'list', to: '2026-02-30T00:00:00Z' } }),
    /: request\.to: expected time such as 2026-11-01T00:00:00Z, found "2026-02-30T00:00:00Z"; request: unknown member "key"$/,
  ],
  [
    'with a number that is none',
    changed({ steps: { stage: { ...ledgerOf().steps.stage, memory: { plan: [1] } } } }).replace('[1]', '[1e999]'),
    /: steps\.stage\.memory\.plan\[0\]: expected finite number, found Infinity$/,
  ],
]

for (const [what, text, says] of damaged)
  test(`a damaged ledger: ${what}`, async () => {
    const folder = tempFolder()
    writeFileSync(`${folder}/run.json`, text)
    await assert.rejects(readLedger(folderStore(folder)), (error) => {
      assert.ok(error instanceof UserError)
      assert.ok(error.message.startsWith(`${folder}/run.json cannot be read`), error.message)
      assert.match(error.message, says)
      assert.notEqual(error.hint, undefined)
      return true
    })
  })

test('a writer killed at any moment leaves the old ledger or the new one', async () => {
  const folder = tempFolder()
  const sizes = [10, 200_000].map((letters) => `${JSON.stringify(ledgerOf(letters), null, 2)}\n`)
  for (const wait of [0, 7, 19, 43]) {
    const writer = startFixture('lib/runs/fixture/write-ledgers.ts', [folder])
    assert.equal(await firstLine(writer), 'writing')
    await sleep(wait)
    await killHard(writer)
    assert.ok(sizes.includes(readFileSync(`${folder}/run.json`, 'utf8')))
  }
  const listed: string[] = []
  for await (const { key } of folderStore(folder).list()) listed.push(key)
  assert.deepEqual(listed, ['run.json'])
})
