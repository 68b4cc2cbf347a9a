import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { silentContext } from '../../../scripts/lib/cli/command.ts'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { namedRuns, noteNamed } from '../../../scripts/lib/runs/latest.ts'
import { runIdOf } from '../../../scripts/lib/runs/request.ts'
import { chosenRun, createRun, findRun, openRun, otherRun } from '../../../scripts/lib/runs/workspace.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import type { Store } from '../../../scripts/lib/stores/store.ts'
import { stageResult } from '../../support/results.ts'
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
  await runs[0]!.step('stage', nothing, async () => stageResult())
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
      assert.match(error.message, /exists, but for another request: .*us-east-1/)
      return true
    })
})

/** A context that collects what is said, and choices of runs in this workspace. */
function host(workspace: string) {
  const said: string[] = []
  const talk = { ...silentContext().talk, info: (text: string) => void said.push(text) }
  const context = silentContext({ talk })
  const choose = (run: string, more: object = {}) => chosenRun({ workspace, run, ...more }, context)
  return { said, context, choose, latest: async (more: object = {}) => (await choose('latest', more)).id }
}

const trail = { ...REQUEST, source: 'cloudtrail' }

test('latest is the run that was named last, not the newest; a command says which run that is', async () => {
  const workspace = tempFolder()
  const { said, choose, latest } = host(workspace)
  const first = await createRun(workspace, REQUEST)
  const second = await createRun(workspace, other)
  assert.equal(await latest(), second.id)
  assert.deepEqual(said, [`latest is run ${second.id}`])
  await choose(first.id)
  assert.equal(await latest(), first.id)
  await createRun(workspace, other)
  assert.equal((await openRun(workspace, 'latest')).id, second.id)
})

test('latest: a dry run leaves it as it is', async () => {
  const workspace = tempFolder()
  const { choose, latest } = host(workspace)
  const first = await createRun(workspace, REQUEST)
  const second = await createRun(workspace, other)
  await choose(first.id, { dryRun: true })
  assert.equal(await latest({ dryRun: true }), second.id)
})

test('latest of a source, whatever is done with another', async () => {
  const workspace = tempFolder()
  const { choose, latest } = host(workspace)
  const waf = await createRun(workspace, REQUEST)
  const cloudtrail = await createRun(workspace, trail)
  assert.equal(await latest({ source: ['waf'] }), waf.id)
  assert.equal(await latest({ source: 'cloudtrail' }), cloudtrail.id)
  assert.equal(await latest({ source: ['cloudtrail', 'waf'] }), cloudtrail.id)
  await assert.rejects(choose('latest', { source: ['wav'] }), { message: 'there is no source "wav"', exitCode: 2 })
})

test('latest: two sources at once never lose a note of the other', async () => {
  const workspace = tempFolder()
  const { choose, latest } = host(workspace)
  const [waf, waf2] = [await createRun(workspace, REQUEST), await createRun(workspace, other)]
  const [cloudtrail, cloudtrail2] = [
    await createRun(workspace, trail),
    await createRun(workspace, { ...other, source: 'cloudtrail' }),
  ]
  for (let round = 0; round < 20; round++) {
    const [a, b] = round % 2 === 0 ? [waf, cloudtrail2] : [waf2, cloudtrail]
    await Promise.all([choose(a.id), choose(b.id)])
    assert.equal(await latest({ source: 'waf', dryRun: true }), a.id)
    assert.equal(await latest({ source: 'cloudtrail', dryRun: true }), b.id)
  }
})

test('latest does not follow a clock that goes back', async (t) => {
  const workspace = tempFolder()
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24') })
  await createRun(workspace, REQUEST)
  t.mock.timers.setTime(Date.parse('2026-11-23'))
  const second = await createRun(workspace, other)
  assert.equal(await host(workspace).latest(), second.id)
})

test('latest: runs that are gone are passed over, and without a note the ledgers tell', async () => {
  const workspace = tempFolder()
  const { choose, latest } = host(workspace)
  const first = await createRun(workspace, REQUEST)
  const second = await createRun(workspace, other)
  const third = await createRun(workspace, trail)
  await first.step('stage', nothing, async () => stageResult())
  rmSync(third.path(''), { recursive: true })
  assert.equal(await latest({ dryRun: true }), second.id)
  await assert.rejects(choose('latest', { source: 'cloudtrail' }), /^UserError: there is no run of cloudtrail in/)
  writeFileSync(`${workspace}/latest/waf.json`, '[{')
  assert.equal(await latest(), first.id)
  rmSync(`${workspace}/latest`, { recursive: true })
  assert.equal(await latest({ source: 'waf' }), first.id)
})

test('latest of --from-run is the latest that is not the run of the model, also the second time', async () => {
  const workspace = tempFolder()
  const { context, choose, latest } = host(workspace)
  const [model, night] = [await createRun(workspace, REQUEST), await createRun(workspace, other)]
  await createRun(workspace, trail)
  for (let time = 1; time <= 2; time++) {
    const run = await choose(model.id)
    assert.equal((await otherRun({ workspace, run: 'latest' }, run, context)).id, night.id)
    assert.equal(await latest(), model.id)
  }
  const lone = await createRun(workspace, trail)
  await assert.rejects(otherRun({ workspace, run: 'latest' }, lone, context), /there is no other run of cloudtrail in/)
})

test('latest: whoever may only read the workspace leaves the note as it is', async () => {
  const store = Object.assign(Object.create(folderStore(tempFolder())) as Store, {
    write: () => Promise.reject(new UserError('no permission', { exitCode: 4 })),
  })
  await noteNamed(store, { id: 'waf-1', request: REQUEST })
  assert.deepEqual(await namedRuns(store), [])
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
