import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { UsageError, UserError } from '../../../scripts/lib/cli/errors.ts'
import { type Json, readLedger } from '../../../scripts/lib/runs/ledger.ts'
import { nextCommand } from '../../../scripts/lib/runs/next.ts'
import { paths } from '../../../scripts/lib/runs/paths.ts'
import type { Run, StepMemory, StepPlan } from '../../../scripts/lib/runs/run.ts'
import { createRun, openRun } from '../../../scripts/lib/runs/workspace.ts'
import { tempFolder } from '../../support/temp.ts'
import { REQUEST } from './fixture/ledger.ts'

const newRun = (): Promise<Run> => createRun(tempFolder(), REQUEST)
const plan = (change: Partial<StepPlan> = {}): StepPlan => ({ settings: {}, inputs: [], overwrite: false, ...change })

/** Work that counts how often it was done, with a result of its own each time unless a digest is given. */
function worker(digest?: string) {
  const work = async (): Promise<{ times: number; digest: string }> => {
    work.times += 1
    return { times: work.times, digest: digest ?? String(work.times) }
  }
  work.times = 0
  return work
}

test('a step is done once, and its result comes back', async () => {
  const [run, work] = [await newRun(), worker()]
  assert.deepEqual(await run.step('stage', plan(), work), { times: 1, digest: '1', repeated: false })
  assert.deepEqual(await run.step('stage', plan(), work), { times: 1, digest: '1', repeated: true })
  assert.equal(run.isDone('stage'), true)
  assert.deepEqual(run.result('stage'), { times: 1, digest: '1' })
})

test('another process finds it done', async () => {
  const workspace = tempFolder()
  const [first, work] = [await createRun(workspace, REQUEST), worker()]
  await first.step('stage', plan({ settings: { b: [1], a: { y: 1, x: 2 } } }), work)
  const second = await openRun(workspace, first.id)
  const again = await second.step('stage', plan({ settings: { a: { x: 2, y: 1 }, b: [1] } }), work)
  assert.deepEqual(again, { times: 1, digest: '1', repeated: true })
})

test('a run that was opened before sees what was done since', async () => {
  const workspace = tempFolder()
  const [early, work] = [await createRun(workspace, REQUEST), worker()]
  await (await createRun(workspace, REQUEST)).step('stage', plan(), work)
  assert.equal((await early.step('stage', plan(), work)).repeated, true)
})

test('--overwrite does it again and forgets', async () => {
  const [run, work] = [await newRun(), worker()]
  await run.step('stage', plan(), work)
  assert.equal((await run.step('stage', plan({ overwrite: true }), work)).times, 2)
  assert.equal((await run.step('stage', plan(), work)).repeated, true)
})

const others: [what: string, before: Record<string, Json>, after: Record<string, Json>, says: RegExp][] = [
  ['another value', { seed: 1, epochs: 5 }, { seed: 2, epochs: 5 }, /\(seed 1\)/],
  ['a value more', { seed: 1 }, { seed: 1, entity: 'arn' }, /\(entity null\)/],
  ['a value less', { seed: 1, entity: 'arn' }, { seed: 1 }, /\(entity "arn"\)/],
  ['two values', { seed: 1, entity: 'arn' }, { seed: 2, entity: 'account' }, /\(seed 1, entity "arn"\)/],
  ['another order in a list', { files: ['a', 'b'] }, { files: ['b', 'a'] }, /files \["a","b"\]/],
]

for (const [what, before, after, says] of others)
  test(`other settings of a done step are refused, naming --overwrite: ${what}`, async () => {
    const [run, work] = [await newRun(), worker()]
    await run.step('train', plan({ settings: before }), work)
    await assert.rejects(run.step('train', plan({ settings: after }), work), (error) => {
      assert.ok(error instanceof UsageError)
      assert.equal(error.exitCode, 2)
      assert.match(error.message, says)
      assert.match(error.hint ?? '', /--overwrite/)
      return true
    })
    assert.equal(work.times, 1)
    assert.equal((await run.step('train', plan({ settings: before }), work)).repeated, true)
    assert.equal((await run.step('train', plan({ settings: after, overwrite: true }), work)).times, 2)
  })

test('a cheap step is simply done again', async () => {
  const [run, work] = [await newRun(), worker()]
  await run.step('score', plan({ settings: { alerts: 1 } }), work)
  const redo = plan({ settings: { alerts: 2 }, onChange: 'redo' })
  assert.equal((await run.step('score', redo, work)).times, 2)
  assert.equal((await run.step('score', redo, work)).repeated, true)
})

test('a result that no longer stands is made again, also with other settings', async () => {
  const [run, work] = [await newRun(), worker()]
  await run.step('stage', plan(), work)
  const stale = async () => true
  assert.equal((await run.step('stage', plan({ stale }), work)).times, 2)
  assert.equal((await run.step('stage', plan({ stale, settings: { a: 1 } }), work)).times, 3)
  assert.equal((await run.step('stage', plan({ stale: async () => false, settings: { a: 1 } }), work)).repeated, true)
})

test('a step without its input names the command to run first', async () => {
  const [run, work] = [await newRun(), worker()]
  await assert.rejects(run.step('train', plan({ inputs: ['extract'] }), work), (error) => {
    assert.ok(error instanceof UserError)
    assert.equal(error.message, `run ${run.id} has no finished extract`)
    assert.equal(error.hint, nextCommand('extract', run))
    return true
  })
  assert.equal(work.times, 0)
})

const chain = async (run: Run, works: Record<string, () => Promise<{ digest: string }>>, overwrite = '') => {
  const before = { stage: [], extract: ['stage'], train: ['extract'], score: ['extract', 'train'] }
  for (const [name, inputs] of Object.entries(before)) {
    const work = works[name]
    if (work !== undefined) await run.step(name, plan({ inputs, overwrite: name === overwrite }), work)
  }
}

test('another input means another result, all the way down', async () => {
  const [run, works] = [await newRun(), { stage: worker(), extract: worker(), train: worker(), score: worker() }]
  const times = () => Object.values(works).map((work) => work.times)
  await chain(run, works)
  await chain(run, works)
  assert.deepEqual(times(), [1, 1, 1, 1])
  await chain(run, works, 'extract')
  assert.deepEqual(times(), [1, 2, 2, 2])
})

test('an input made again with the same bytes changes nothing', async () => {
  const [run, works] = [await newRun(), { stage: worker('same'), extract: worker() }]
  await chain(run, works)
  await chain(run, works, 'stage')
  assert.deepEqual([works.stage.times, works.extract.times], [2, 1])
})

test('a result whose own input was replaced is no input', async () => {
  const [run, works] = [await newRun(), { stage: worker(), extract: worker(), train: worker(), score: worker() }]
  await chain(run, works)
  await chain(run, { stage: works.stage, extract: works.extract }, 'extract')
  await assert.rejects(run.step('score', plan({ inputs: ['extract', 'train'] }), works.score), (error) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /extract was done again after train, whose result is out of date/)
    assert.equal(error.hint, nextCommand('train', run))
    return true
  })
})

/** An attempt that notes something and then fails. */
const failing = (notes: Record<string, Json>) => async (memory: StepMemory) => {
  await memory.remember(notes)
  throw new Error('connection lost')
}
const recalling = async (memory: StepMemory) => ({ recalled: { ...memory.recalled } })

const attempts: [what: string, second: Partial<StepPlan>, recalled: Record<string, Json>][] = [
  ['the same settings', {}, { job: 'j-1' }],
  ['other settings', { settings: { seed: 2 } }, {}],
  ['--overwrite', { overwrite: true }, {}],
]

for (const [what, second, recalled] of attempts)
  test(`what a failed attempt noted, under ${what}`, async () => {
    const run = await newRun()
    const first = plan({ settings: { seed: 1 } })
    await assert.rejects(run.step('stage', first, failing({ job: 'j-1' })), /connection lost/)
    assert.equal(run.isDone('stage'), false)
    const result = await run.step('stage', { ...first, ...second }, recalling)
    assert.deepEqual(result, { recalled, repeated: false })
  })

test('notes add up over attempts, and lie in the ledger at once', async () => {
  const run = await newRun()
  await assert.rejects(run.step('stage', plan(), failing({ a: 1, b: 1 })))
  await run.step('stage', plan(), async (memory) => {
    await memory.remember({ b: 2 })
    const record = (await readLedger(run.store))?.steps.stage
    assert.deepEqual([record?.state, record?.memory], ['running', { a: 1, b: 2 }])
    return {}
  })
})

test('many notes at once all arrive', async () => {
  const run = await newRun()
  await run.step('stage', plan(), async (memory) => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => memory.remember({ [`part${i}`]: i })))
    return {}
  })
  const record = (await readLedger(run.store))?.steps.stage
  assert.equal(record?.state, 'done')
  assert.equal(Object.keys(record?.memory ?? {}).length, 50)
})

test('a failure is noted and does not cost the steps before', async () => {
  const run = await newRun()
  await run.step('stage', plan(), worker())
  await assert.rejects(run.step('extract', plan({ inputs: ['stage'] }), failing({})))
  const steps = (await readLedger(run.store))?.steps
  assert.deepEqual([steps?.stage?.state, steps?.extract?.state], ['done', 'failed'])
  assert.equal(steps?.extract?.error, 'connection lost')
})

test('a failure that cannot be noted is still the one that is shown', async () => {
  const run = await newRun()
  const full = async () => {
    Object.assign(run.store, { write: () => Promise.reject(new Error('no space left')) })
    throw new Error('copy 7 failed')
  }
  await assert.rejects(run.step('stage', plan(), full), /copy 7 failed/)
})

test('two steps at once: the second is refused', async () => {
  const run = await newRun()
  await run.step('stage', plan(), async () => {
    await assert.rejects(run.step('stage', plan(), worker()), /another process is at this run: stage/)
    return {}
  })
})

test('who finds a step done takes away the lock of a process that died behind its last note', async () => {
  const run = await newRun()
  await run.step('stage', plan(), worker())
  await run.store.write(paths.lock, JSON.stringify({ token: 't', host: hostname(), pid: 2 ** 30, step: 'stage' }))
  assert.equal((await run.step('stage', plan(), worker())).repeated, true)
  assert.equal(await run.store.text(paths.lock), undefined)
})

test('what is done is told to who may only read the run, and while another step is at it', async () => {
  const run = await newRun()
  await run.step('stage', plan(), worker())
  await run.step('extract', plan({ inputs: ['stage'] }), async () => {
    assert.equal((await run.step('stage', plan(), worker())).repeated, true)
    return {}
  })
  Object.assign(run.store, { write: () => Promise.reject(new Error('EROFS: read-only file system')) })
  assert.equal((await run.step('stage', plan(), worker())).repeated, true)
  await assert.rejects(run.step('stage', plan({ overwrite: true }), worker()), /EROFS/)
})
