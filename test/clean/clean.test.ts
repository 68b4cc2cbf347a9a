import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { test } from 'node:test'
import { removeAll, removeEach } from '../../scripts/clean/leftovers.ts'
import { localLeftovers } from '../../scripts/clean/local/clean.ts'
import type { Leftover } from '../../scripts/lib/aws/leftover.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { openRun } from '../../scripts/lib/runs/workspace.ts'
import { firstLine, killHard, startFixture } from '../support/child.ts'
import { type Ended, runScript, scriptPath } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { onTerminal, TERMINAL } from '../support/terminal.ts'
import { runWithLeavings } from './leavings.ts'

const { signal } = new AbortController()
const remove = (run: Run, everything: boolean, until = signal) =>
  removeAll(run, everything, () => removeEach(localLeftovers(run, everything), until))

async function listed(run: Run, everything: boolean): Promise<Leftover[]> {
  const found: Leftover[] = []
  for await (const group of localLeftovers(run, everything)) found.push(...group)
  return found
}

const clean = (workspace: string, ...args: string[]): Promise<Ended> =>
  runScript('clean', ['--workspace', workspace, '--output', 'json', ...args])

test('staged objects and drafts go, everything else stays, and the ledger keeps what was done', async () => {
  const { run, logs } = await runWithLeavings()
  const removed = await remove(run, false)
  // The link to a folder and the copy count; what is linked from the logs frees nothing.
  assert.deepEqual(
    removed.map(({ what, files }) => [what, files]),
    [
      ['staged', 3],
      ['tmp', 1],
    ],
  )
  assert.deepEqual(readdirSync(run.path('')).sort(), ['model', 'pairs', 'report.html', 'run.json'])
  assert.deepEqual(readdirSync(logs).sort(), ['kept.txt', 'linked.gz'])
  assert.equal(readFileSync(`${logs}/linked.gz`, 'utf8'), 'linked')
  const { steps } = (await openRun(run.path('').replace(/\/runs\/.*/, ''), run.id)).ledger
  assert.equal(steps.stage?.state, 'done')
  assert.deepEqual(steps.clean?.result, { removed })
})

test('linked files are counted apart, links are not followed', async () => {
  const { run } = await runWithLeavings()
  const [staged, ...others] = await listed(run, false)
  assert.equal(staged?.what, 'staged')
  assert.match(staged?.note ?? '', /^3 files, \d+ B; 6 B of it are links to logs that stay$/)
  assert.equal(others.length, 1)
})

test('everything is the folder, and nothing beside it', async () => {
  const { run, workspace, logs } = await runWithLeavings()
  const removed = await remove(run, true)
  assert.equal(removed.at(-1)?.what, 'run.json')
  assert.deepEqual(readdirSync(`${workspace}/runs`), [])
  assert.deepEqual(readdirSync(logs).sort(), ['kept.txt', 'linked.gz'])
})

test('a removal of everything that was interrupted can be started again', async () => {
  const { run, workspace } = await runWithLeavings()
  const stopped = AbortSignal.abort(new Error('stopped'))
  await assert.rejects(remove(run, true, stopped), /stopped/)
  await remove(await openRun(workspace, run.id), true)
  assert.equal(existsSync(run.path('')), false)
})

test('a run folder that is a link to elsewhere is left alone', async () => {
  const { run, workspace } = await runWithLeavings()
  const elsewhere = `${tempFolder()}/moved`
  renameSync(run.path(''), elsewhere)
  symlinkSync(elsewhere, run.path(''))
  for (const everything of [false, true])
    await assert.rejects(listed(await openRun(workspace, run.id), everything), /is a link to another place/)
  assert.ok(existsSync(`${elsewhere}/staged/copy.gz`))
})

test('staged that is itself a link: the link goes', async () => {
  const { run, logs } = await runWithLeavings()
  renameSync(run.path('staged'), `${logs}/real`)
  symlinkSync(`${logs}/real`, run.path('staged'))
  await remove(run, false)
  assert.equal(existsSync(run.path('staged')), false)
  assert.ok(existsSync(`${logs}/real/copy.gz`))
})

test('clean --yes, and clean again', async () => {
  const { run, workspace } = await runWithLeavings()
  const first = await clean(workspace, '--run', run.id, '--yes')
  assert.equal(first.code, 0, first.stderr)
  const { removed } = JSON.parse(first.stdout)
  assert.deepEqual(
    removed.map(({ what }: { what: string }) => what),
    ['staged', 'tmp'],
  )
  const again = await clean(workspace, '--run', run.id, '--yes')
  assert.deepEqual(JSON.parse(again.stdout), { run: run.id, removed: [] })
  assert.deepEqual(await listed(run, false), [])
})

test('clean --dry-run shows and removes nothing', async () => {
  const { run, workspace } = await runWithLeavings()
  const ended = await clean(workspace, '--dry-run')
  assert.deepEqual(JSON.parse(ended.stdout), { run: run.id, dryRun: true, wouldRemove: ['staged', 'tmp'] })
  assert.ok(existsSync(run.path('staged/copy.gz')))
})

test('off a terminal clean refuses without --yes', async () => {
  const { run, workspace } = await runWithLeavings()
  const ended = await runScript('clean', ['--workspace', workspace, '--everything'])
  assert.equal(ended.stdout, '')
  assert.match(ended.stderr, /add --yes/)
  assert.match(ended.stderr, /staged: 3 files/)
  assert.equal(ended.code, 3)
  assert.ok(existsSync(run.path('staged/copy.gz')))
})

for (const [typed, code, stays] of [
  ['yes\r', 3, true],
  ['ID\r', 0, false],
] as const)
  test(`on a terminal the run's id must be typed: ${typed.trim()}`, { skip: TERMINAL.missing }, async () => {
    const { run, workspace } = await runWithLeavings()
    let asked = false
    const command = [process.execPath, scriptPath('clean'), '--workspace', workspace]
    const ended = await onTerminal(command, {
      onSaid: (soFar, type) => {
        if (asked || !/to go on: /.test(soFar)) return
        asked = true
        type(typed.replace('ID', run.id))
      },
    })
    assert.equal(ended.code, code, ended.said)
    assert.equal(existsSync(run.path('staged')), stays)
  })

test('a run that another process is at is left alone', async () => {
  const { run, workspace } = await runWithLeavings()
  const holder = startFixture('lib/runs/fixture/hold-lock.ts', [run.path('')])
  assert.equal(await firstLine(holder), 'held')
  for (const more of [[], ['--everything']]) {
    const ended = await clean(workspace, '--yes', ...more)
    assert.match(ended.stderr, /another process is at this run/)
    assert.equal(ended.code, 1)
  }
  await killHard(holder)
  assert.ok(existsSync(run.path('staged/copy.gz')))
})

test('a run that does not exist', async () => {
  const { workspace } = await runWithLeavings()
  const ended = await clean(workspace, '--run', 'waf-1', '--yes')
  assert.match(ended.stderr, /no run waf-1/)
  assert.equal(ended.code, 2)
})
