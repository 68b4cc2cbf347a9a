import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { runIdOf } from '../../../scripts/lib/runs/request.ts'
import { createRun, findRun, openRun } from '../../../scripts/lib/runs/workspace.ts'
import { tempFolder } from '../../support/temp.ts'
import { ledgerOf, REQUEST } from './fixture/ledger.ts'

const other = { ...REQUEST, regions: ['us-east-1'] }
const nothing = { settings: {}, inputs: [], overwrite: false }

test('the same request finds its run, before and after', async () => {
  const workspace = tempFolder()
  assert.equal(await findRun(workspace, REQUEST), undefined)
  const run = await createRun(workspace, REQUEST)
  assert.equal(run.id, runIdOf(REQUEST))
  assert.equal(run.uri, `${workspace}/runs/${run.id}`)
  assert.equal((await findRun(workspace, REQUEST))?.id, run.id)
  assert.equal(await findRun(workspace, other), undefined)
  assert.deepEqual(readdirSync(`${workspace}/runs`), [run.id])
})

test('several that create it at once share it, and what one did stays', async () => {
  const workspace = tempFolder()
  const runs = await Promise.all(Array.from({ length: 10 }, () => createRun(workspace, REQUEST)))
  await runs[0]!.step('stage', nothing, async () => ({}))
  await createRun(workspace, REQUEST)
  assert.equal((await openRun(workspace, runs[9]!.id)).isDone('stage'), true)
})

test('an id that was taken by another request is refused', async () => {
  const workspace = tempFolder()
  const id = runIdOf(REQUEST)
  mkdirSync(`${workspace}/runs/${id}`, { recursive: true })
  writeFileSync(`${workspace}/runs/${id}/run.json`, JSON.stringify({ ...ledgerOf(), id, request: other }))
  for (const open of [createRun, findRun])
    await assert.rejects(open(workspace, REQUEST), (error) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, /was made for something else.*us-east-1/)
      return true
    })
})

test('latest is the run that was worked on last, not the one that is newest', async () => {
  const workspace = tempFolder()
  const first = await createRun(workspace, REQUEST)
  await new Promise((resolve) => setTimeout(resolve, 5))
  const second = await createRun(workspace, other)
  assert.equal((await openRun(workspace, 'latest')).id, second.id)
  await new Promise((resolve) => setTimeout(resolve, 5))
  await first.step('stage', nothing, async () => ({}))
  assert.equal((await openRun(workspace, 'latest')).id, first.id)
})

test('a folder without a ledger is no run', async () => {
  const workspace = tempFolder()
  const run = await createRun(workspace, REQUEST)
  mkdirSync(`${workspace}/runs/zzz`)
  writeFileSync(`${workspace}/runs/notes.txt`, '')
  assert.equal((await openRun(workspace, 'latest')).id, run.id)
})

const unknown: [what: string, id: string, message: RegExp, hint: RegExp][] = [
  ['a slip', `${runIdOf(REQUEST)}0`, /^no run waf-/, new RegExp(`did you mean ${runIdOf(REQUEST)}`)],
  ['something else', 'x', /^no run x in/, new RegExp(`valid: ${runIdOf(REQUEST)}`)],
  ['the way up', '..', /^no run \.\. in/, /valid/],
  ['a path', '../runs/x', /is not a run id/, /^$/],
  ['nothing', '', /is not a run id/, /^$/],
]

for (const [what, id, message, hint] of unknown)
  test(`no such run: ${what}`, async () => {
    const workspace = tempFolder()
    await createRun(workspace, REQUEST)
    await assert.rejects(openRun(workspace, id), (error) => {
      assert.ok(error instanceof UserError)
      assert.equal(error.exitCode, 2)
      assert.match(error.message, message)
      assert.match(error.hint ?? '', hint)
      return true
    })
  })

for (const id of ['latest', 'waf-1'])
  test(`no run at all: ${id}`, async () => {
    for (const workspace of [tempFolder(), `${tempFolder()}/nowhere`])
      await assert.rejects(openRun(workspace, id), (error) => {
        assert.ok(error instanceof UserError)
        assert.deepEqual([error.exitCode, error.message], [2, `there is no run in ${workspace}`])
        assert.match(error.hint ?? '', /stage/)
        return true
      })
  })
