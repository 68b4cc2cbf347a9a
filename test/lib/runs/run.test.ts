import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { UsageError, UserError } from '../../../scripts/lib/cli/errors.ts'
import type { Checkpoint, Saved } from '../../../scripts/lib/runs/checkpoints.ts'
import { readLedger, type StepSettings } from '../../../scripts/lib/runs/ledger.ts'
import { nextCommand } from '../../../scripts/lib/runs/next.ts'
import { paths } from '../../../scripts/lib/runs/paths.ts'
import type { Results, StepName } from '../../../scripts/lib/runs/results.ts'
import type { Run, StepPlan } from '../../../scripts/lib/runs/run.ts'
import { createRun, openRun } from '../../../scripts/lib/runs/workspace.ts'
import { extractResult, scoreResult, stageResult, trainingJobResult, trainResult } from '../../support/results.ts'
import { tempFolder } from '../../support/temp.ts'
import { REQUEST } from './fixture/ledger.ts'

const newRun = (): Promise<Run> => createRun(tempFolder(), REQUEST)
const plan = (change: Partial<StepPlan> = {}): StepPlan => ({ settings: {}, inputs: [], overwrite: false, ...change })

/** Work that counts how often it was done, with a digest of its own each time unless one is given. */
function worker<R>(make: (change: { digest: string }) => R, digest?: string) {
  const work = async (): Promise<R> => {
    work.times += 1
    return make({ digest: digest ?? String(work.times) })
  }
  work.times = 0
  return work
}
const stages = (digest?: string) => worker(stageResult, digest)
const trains = () => worker(trainResult)

test('a step is done once, and its result comes back', async () => {
  const [run, work] = [await newRun(), stages()]
  assert.deepEqual(await run.step('stage', plan(), work), { ...stageResult({ digest: '1' }), repeated: false })
  assert.deepEqual(await run.step('stage', plan(), work), { ...stageResult({ digest: '1' }), repeated: true })
  assert.equal(run.isDone('stage'), true)
  assert.deepEqual(run.result('stage'), stageResult({ digest: '1' }))
})

test('another process finds it done', async () => {
  const workspace = tempFolder()
  const [first, work] = [await createRun(workspace, REQUEST), stages()]
  await first.step('stage', plan({ settings: { b: [1], a: { y: 1, x: 2 } } }), work)
  const second = await openRun(workspace, first.id)
  const again = await second.step('stage', plan({ settings: { a: { x: 2, y: 1 }, b: [1] } }), work)
  assert.deepEqual(again, { ...stageResult({ digest: '1' }), repeated: true })
})

test('a run that was opened before sees what was done since', async () => {
  const workspace = tempFolder()
  const [early, work] = [await createRun(workspace, REQUEST), stages()]
  await (await createRun(workspace, REQUEST)).step('stage', plan(), work)
  assert.equal((await early.step('stage', plan(), work)).repeated, true)
})

test('--overwrite does it again and forgets', async () => {
  const [run, work] = [await newRun(), stages()]
  await run.step('stage', plan(), work)
  assert.equal((await run.step('stage', plan({ overwrite: true }), work)).digest, '2')
  assert.equal((await run.step('stage', plan(), work)).repeated, true)
})

const others: [what: string, before: StepSettings, after: StepSettings, says: RegExp][] = [
  ['another value', { seed: 1, epochs: 5 }, { seed: 2, epochs: 5 }, /other options: --seed 1$/],
  ['a value more', { seed: 1 }, { seed: 1, entity: 'arn' }, /other options: \(no --entity\)$/],
  ['a value less', { seed: 1, entity: 'arn' }, { seed: 1 }, /other options: --entity arn$/],
  ['two values', { seed: 1, entity: 'arn' }, { seed: 2, entity: 'account' }, /--seed 1 --entity arn$/],
  ['an option of several words', { alertsPerDay: 5 }, { alertsPerDay: 10 }, /--alerts-per-day 5$/],
  [
    'a flag',
    { skipBadFiles: true, dedupe: false },
    { skipBadFiles: false, dedupe: true },
    /--skip-bad-files \(no --dedupe\)$/,
  ],
  ['another order in a list', { files: ['a', 'b'] }, { files: ['b', 'a'] }, /--files a,b/],
]

for (const [what, before, after, says] of others)
  test(`other settings of a done step are refused, naming the options: ${what}`, async () => {
    const [run, work] = [await newRun(), trains()]
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
    assert.equal((await run.step('train', plan({ settings: after, overwrite: true }), work)).digest, '2')
  })

test('a cheap step is simply done again', async () => {
  const [run, work] = [await newRun(), worker(scoreResult)]
  await run.step('score', plan({ settings: { alerts: 1 } }), work)
  const redo = plan({ settings: { alerts: 2 }, onChange: 'redo' })
  assert.equal((await run.step('score', redo, work)).digest, '2')
  assert.equal((await run.step('score', redo, work)).repeated, true)
})

test('a result that no longer stands is made again, also with other settings', async () => {
  const [run, work] = [await newRun(), stages()]
  await run.step('stage', plan(), work)
  const redoIf = async () => true
  assert.equal((await run.step('stage', plan({ redoIf }), work)).digest, '2')
  assert.equal((await run.step('stage', plan({ redoIf, settings: { a: 1 } }), work)).digest, '3')
  assert.equal((await run.step('stage', plan({ redoIf: async () => false, settings: { a: 1 } }), work)).repeated, true)
})

test('a step without its input names the command to run first', async () => {
  const [run, work] = [await newRun(), trains()]
  await assert.rejects(run.step('train', plan({ inputs: ['extract'] }), work), (error) => {
    assert.ok(error instanceof UserError)
    assert.equal(error.message, `run ${run.id} has no finished extract`)
    assert.equal(error.hint, nextCommand('extract', run))
    return true
  })
  assert.equal(work.times, 0)
})

type Works = { readonly [S in StepName]?: () => Promise<Results[S]> }

const chain = async (run: Run, works: Works, overwrite = '') => {
  const take = async <S extends StepName>(name: S, inputs: readonly StepName[], work = works[name]) => {
    if (work !== undefined) await run.step(name, plan({ inputs, overwrite: name === overwrite }), work)
  }
  await take('stage', [])
  await take('extract', ['stage'])
  await take('train', ['extract'])
  await take('score', ['extract', 'train'])
}
const allWorks = () => ({
  stage: stages(),
  extract: worker(extractResult),
  train: trains(),
  score: worker(scoreResult),
})

test('another input means another result, all the way down', async () => {
  const [run, works] = [await newRun(), allWorks()]
  const times = () => Object.values(works).map((work) => work.times)
  await chain(run, works)
  await chain(run, works)
  assert.deepEqual(times(), [1, 1, 1, 1])
  await chain(run, works, 'extract')
  assert.deepEqual(times(), [1, 2, 2, 2])
})

test('an input made again with the same bytes changes nothing', async () => {
  const [run, works] = [await newRun(), { stage: stages('same'), extract: worker(extractResult) }]
  await chain(run, works)
  await chain(run, works, 'stage')
  assert.deepEqual([works.stage.times, works.extract.times], [2, 1])
})

test('a result whose own input was replaced is no input', async () => {
  const [run, works] = [await newRun(), allWorks()]
  await chain(run, works)
  await chain(run, { stage: works.stage, extract: works.extract }, 'extract')
  await assert.rejects(run.step('score', plan({ inputs: ['extract', 'train'] }), works.score), (error) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /extract was done again after train, whose result is out of date/)
    assert.equal(error.hint, nextCommand('train', run))
    return true
  })
})

const job = (id: string) => ({ manifest: { key: 'manifest.csv', etag: 'e', rows: 1 }, id })

/** An attempt that saves something and then fails. */
const failing = (more: Saved<'stage'>) => async (checkpoint: Checkpoint<Saved<'stage'>>) => {
  await checkpoint.save(more)
  throw new Error('connection lost')
}

const attempts: [what: string, second: Partial<StepPlan>, saved: Saved<'stage'>][] = [
  ['the same settings', {}, { job: job('j-1') }],
  ['other settings', { settings: { seed: 2 } }, {}],
  ['--overwrite', { overwrite: true }, {}],
]

for (const [what, second, saved] of attempts)
  test(`what a failed attempt saved, under ${what}`, async () => {
    const run = await newRun()
    const first = plan({ settings: { seed: 1 } })
    await assert.rejects(run.step('stage', first, failing({ job: job('j-1') })), /connection lost/)
    assert.equal(run.isDone('stage'), false)
    await run.step('stage', { ...first, ...second }, async (checkpoint) => {
      assert.deepEqual(checkpoint.saved, saved)
      return stageResult()
    })
  })

test('what attempts save adds up, and lies in the ledger at once', async () => {
  const run = await newRun()
  await assert.rejects(run.step('stage', plan(), failing({ job: job('j-1'), endedJobs: 1 })))
  await run.step('stage', plan(), async (checkpoint) => {
    await checkpoint.save({ endedJobs: 2 })
    const record = (await readLedger(run.store))?.steps.stage
    assert.deepEqual([record?.state, record?.checkpoint], ['running', { job: job('j-1'), endedJobs: 2 }])
    return stageResult()
  })
})

test('what is saved at the same time all arrives, in its order', async () => {
  const run = await newRun()
  await run.step('extract', plan(), async (checkpoint) => {
    const salts = Array.from({ length: 50 }, (_, i) => `salt-${i}`)
    await Promise.all([checkpoint.save({ queries: {} }), ...salts.map((salt) => checkpoint.save({ salt }))])
    return extractResult()
  })
  const record = (await readLedger(run.store))?.steps.extract
  assert.deepEqual([record?.state, record?.checkpoint], ['done', { queries: {}, salt: 'salt-49' }])
})

test('a failure is noted and does not cost the steps before', async () => {
  const run = await newRun()
  await run.step('stage', plan(), stages())
  await assert.rejects(
    run.step('extract', plan({ inputs: ['stage'] }), async () => Promise.reject(new Error('connection lost'))),
  )
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
    await assert.rejects(run.step('stage', plan(), stages()), /another process is at this run: stage/)
    return stageResult()
  })
})

test('who finds a step done takes away the lock of a process that died behind its last note', async () => {
  const run = await newRun()
  await run.step('stage', plan(), stages())
  await run.store.write(paths.lock, JSON.stringify({ token: 't', host: hostname(), pid: 2 ** 30, step: 'stage' }))
  assert.equal((await run.step('stage', plan(), stages())).repeated, true)
  assert.equal(await run.store.text(paths.lock), undefined)
})

test('what is done is told to who may only read the run, and while another step is at it', async () => {
  const run = await newRun()
  await run.step('stage', plan(), stages())
  await run.step('extract', plan({ inputs: ['stage'] }), async () => {
    assert.equal((await run.step('stage', plan(), stages())).repeated, true)
    return extractResult()
  })
  Object.assign(run.store, { write: () => Promise.reject(new Error('EROFS: read-only file system')) })
  assert.equal((await run.step('stage', plan(), stages())).repeated, true)
  await assert.rejects(run.step('stage', plan({ overwrite: true }), stages()), /EROFS/)
})

test('a result in another form than the next reader accepts is not written', async () => {
  const run = await newRun()
  const wrong = async () => Object.assign(stageResult(), { more: 1 })
  await assert.rejects(run.step('stage', plan(), wrong), /unknown member "more"/)
  assert.equal((await readLedger(run.store))?.steps.stage?.state, 'failed')
})

test('the holdout ends with the window, and begins at the cutoff', async () => {
  const cases: [cutoff: string, days: number][] = [
    ['2026-11-20T18:00:00.000Z', 0.25],
    ['2026-11-19T00:00:00.000Z', 2],
    ['2026-11-21T00:00:00.000Z', 1],
  ]
  for (const [cutoff, days] of cases) {
    const run = await newRun()
    await run.step('extract', plan(), async () => extractResult({ cutoff }))
    assert.deepEqual(run.holdout(), { from: new Date(cutoff), to: new Date(REQUEST.to), days })
  }
})

test('a training that was done elsewhere than expected is refused', async () => {
  const run = await newRun()
  await run.step('train', plan(), async () => trainingJobResult({ job: 'a-job' }))
  assert.equal(run.resultBy('sagemaker', 'train').job, 'a-job')
  assert.throws(() => run.resultBy('local', 'train'), {
    message: `run ${run.id}: train was done in SageMaker, not on this machine`,
    hint: `${nextCommand('train', run)} --overwrite`,
  })
})
