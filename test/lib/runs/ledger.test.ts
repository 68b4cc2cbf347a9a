import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { readLedger, writeLedger } from '../../../scripts/lib/runs/ledger.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import { ConditionFailed } from '../../../scripts/lib/stores/store.ts'
import { firstLine, killHard, startFixture } from '../../support/child.ts'
import { stageResult, trainingJobResult, trainResult } from '../../support/results.ts'
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
const { stage } = ledgerOf().steps
const withStage = (change: object) => changed({ steps: { stage: { ...stage, ...change } } })
const done = (result: object) => ({ ...stage, checkpoint: {}, state: 'done', stamp: 'x', result })
const withResult = (change: object) => changed({ steps: { stage: done({ ...stageResult(), ...change }) } })

test('a done step is read with its result', async () => {
  const store = folderStore(tempFolder())
  await store.write('run.json', withResult({}))
  assert.deepEqual((await readLedger(store))?.steps.stage?.result, stageResult())
})

const damaged: [what: string, text: string, says: RegExp][] = [
  ['empty', '', /JSON/],
  ['cut off', JSON.stringify(ledgerOf()).slice(0, 100), /JSON/],
  ['no object', '[]', /expected object/],
  ['nothing', 'null', /expected object/],
  ['of a later version', changed({ version: 3 }), /another version of prestage wrote it \(form 3, this one knows 2\)/],
  [
    'of an earlier version',
    changed({ version: 1 }),
    /another version of prestage wrote it \(form 1, this one knows 2\)/,
  ],
  ['of a later version in other words', changed({ version: '3', steps: 7 }), /another version of prestage/],
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
    withStage({ settings: { plan: [1] } }).replace('[1]', '[1e999]'),
    /: steps\.stage\.settings\.plan\[0\]: expected finite number, found Infinity$/,
  ],
  ['with a step that no command has', changed({ steps: { sort: {} } }), /: steps: unknown member "sort"$/],
  [
    'with a wrong checkpoint',
    withStage({ checkpoint: { endedJobs: '2' } }),
    /: steps\.stage\.checkpoint\.endedJobs: expected number, found "2"$/,
  ],
  [
    'with a list as a checkpoint',
    withStage({ checkpoint: [] }),
    /: steps\.stage\.checkpoint: expected object, found array$/,
  ],
  ['with what an earlier version saved', withStage({ memory: {} }), /: steps\.stage: unknown member "memory"$/],
  [
    'with a done step without a result',
    withStage({ state: 'done' }),
    /: steps\.stage: expected a result and a stamp of a done step/,
  ],
  [
    'with a result without a member',
    withResult({ objects: undefined }),
    /: steps\.stage\.result\.objects: is missing$/,
  ],
  [
    'with half an object',
    withResult({ objects: 1.5 }),
    /: steps\.stage\.result\.objects: expected whole number, found 1\.5$/,
  ],
  [
    'with fewer than no objects',
    withResult({ objects: -1 }),
    /: steps\.stage\.result\.objects: expected >=0, found -1$/,
  ],
  [
    'with a result of another kind',
    withResult({ staged: null }),
    /: steps\.stage\.result\.staged: expected string, found null$/,
  ],
  ['with a member more in a result', withResult({ more: 1 }), /: steps\.stage\.result: unknown member "more"$/],
  [
    'with a training from nowhere',
    changed({ steps: { train: done({ ...trainResult(), backend: 'cloud' }) } }),
    /: steps\.train\.result\.backend: expected "local" or "sagemaker", found "cloud"$/,
  ],
  [
    'with a training job without its image',
    changed({ steps: { train: done({ ...trainingJobResult(), image: undefined }) } }),
    /: steps\.train\.result\.image: is missing$/,
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
