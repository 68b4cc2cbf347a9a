import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { clearDeadLock, withLock } from '../../../scripts/lib/runs/lock.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import type { Store } from '../../../scripts/lib/stores/store.ts'
import { firstLine, killHard, startFixture } from '../../support/child.ts'
import { tempFolder } from '../../support/temp.ts'
import { thisProcess } from '../../support/waiting.ts'

const lockOf = (folder: string) => `${folder}/run.lock`
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const done = async () => 'done'

test('the lock is there while the work runs, and gone after it', async () => {
  const folder = tempFolder()
  const holder = await withLock(folderStore(folder), { ...thisProcess, step: 'stage' }, async () =>
    JSON.parse(readFileSync(lockOf(folder), 'utf8')),
  )
  assert.equal(holder.step, 'stage')
  assert.equal(holder.pid, process.pid)
  assert.equal(existsSync(lockOf(folder)), false)
})

test('work that fails gives the lock back and keeps its error', async () => {
  const folder = tempFolder()
  const fail = () =>
    withLock(folderStore(folder), { ...thisProcess, step: 'stage' }, () => Promise.reject(new Error('disk on fire')))
  await assert.rejects(fail, /disk on fire/)
  assert.equal(existsSync(lockOf(folder)), false)
})

test('a second process is refused with a clear message, and gets in when the first one is dead', async () => {
  const folder = tempFolder()
  const first = startFixture('lib/runs/fixture/hold-lock.ts', [folder])
  assert.equal(await firstLine(first), 'held')
  await assert.rejects(withLock(folderStore(folder), { ...thisProcess, step: 'score' }, done), (error) => {
    assert.ok(error instanceof UserError)
    assert.equal(error.message, `another process is at this run: train, process ${first.pid} on ${hostname()}`)
    assert.match(error.hint ?? '', new RegExp(`delete ${lockOf(folder)}`))
    return true
  })
  await killHard(first)
  assert.ok(existsSync(lockOf(folder)))
  assert.equal(await withLock(folderStore(folder), { ...thisProcess, step: 'score' }, done), 'done')
})

test('of several that find a dead lock, one gets it', async () => {
  const folder = tempFolder()
  writeFileSync(lockOf(folder), lock({ host: 'elsewhere', beat: minutesAgo(60) }))
  const all = Array.from({ length: 4 }, () => startFixture('lib/runs/fixture/hold-lock.ts', [folder]))
  const said = await Promise.all(all.map(firstLine))
  assert.equal(said.filter((line) => line === 'held').length, 1, said.join('\n'))
  assert.equal(
    said.filter((line) => line.startsWith('another process is at this run: train')).length,
    3,
    said.join('\n'),
  )
  await Promise.all(all.map(killHard))
})

test('the same within one process', async () => {
  const store = folderStore(tempFolder())
  let inside = 0
  const slow = async () => {
    inside += 1
    assert.equal(inside, 1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    inside -= 1
  }
  const ends = await Promise.allSettled(
    Array.from({ length: 8 }, () => withLock(store, { ...thisProcess, step: 'stage' }, slow)),
  )
  assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1)
})

interface Written {
  token?: string
  host?: string
  pid?: number
  step?: string
  beat?: string
}
const lock = (holder: Written) =>
  JSON.stringify({ token: 't', host: hostname(), pid: 1, step: 'train', beat: minutesAgo(0), ...holder })

/** What is written is made when a test begins: all files of a process are loaded before their tests run. */
const locks: [what: string, written: () => string, alive: boolean][] = [
  ['another machine, a beat just now', () => lock({ host: 'elsewhere' }), true],
  ['another machine, a beat nine minutes ago', () => lock({ host: 'elsewhere', beat: minutesAgo(9) }), true],
  ['another machine, silent for eleven minutes', () => lock({ host: 'elsewhere', beat: minutesAgo(11) }), false],
  ['another machine, no time', () => lock({ host: 'elsewhere', beat: 'never' }), false],
  ['this machine, a process that lives, silent or not', () => lock({ pid: process.ppid, beat: minutesAgo(60) }), true],
  ['this machine, no such process', () => lock({ pid: 2 ** 30 }), false],
  ['a dead predecessor with our process number', () => lock({ pid: process.pid }), false],
  ['nothing in it', () => '', false],
  ['no lock in it', () => 'null', false],
  ['half of one', () => lock({}).slice(0, 20), false],
]

for (const [what, written, alive] of locks)
  test(`a lock of ${what} ${alive ? 'holds' : 'is taken over'}`, async () => {
    const folder = tempFolder()
    const text = written()
    writeFileSync(lockOf(folder), text)
    const taken = withLock(folderStore(folder), { ...thisProcess, step: 'stage' }, done)
    if (!alive) return assert.equal(await taken, 'done')
    await assert.rejects(taken, /another process is at this run/)
    assert.equal(readFileSync(lockOf(folder), 'utf8'), text)
  })

for (const [what, written, alive] of locks)
  test(`a lock of ${what} is ${alive ? 'left alone' : 'cleared'}`, async () => {
    const folder = tempFolder()
    writeFileSync(lockOf(folder), written())
    await clearDeadLock(folderStore(folder), thisProcess)
    assert.equal(existsSync(lockOf(folder)), alive)
  })

test('whoever may only read leaves a dead lock where it is', async () => {
  const folder = tempFolder()
  writeFileSync(lockOf(folder), lock({ pid: 2 ** 30 }))
  const readOnly: Store = { ...folderStore(folder), write: () => Promise.reject(new Error('EROFS')) }
  await clearDeadLock(readOnly, thisProcess)
  assert.ok(existsSync(lockOf(folder)))
})

test('a lock that somebody else took meanwhile stays', async () => {
  const folder = tempFolder()
  await withLock(folderStore(folder), { ...thisProcess, step: 'stage' }, async () =>
    writeFileSync(lockOf(folder), lock({ token: 'theirs' })),
  )
  assert.equal(JSON.parse(readFileSync(lockOf(folder), 'utf8')).token, 'theirs')
})

test('a store that cannot be read is no dead holder', async () => {
  const folder = tempFolder()
  writeFileSync(lockOf(folder), lock({ host: 'elsewhere' }))
  const broken: Store = { ...folderStore(folder), text: () => Promise.reject(new Error('503 Slow Down')) }
  await assert.rejects(withLock(broken, { ...thisProcess, step: 'stage' }, done), /503 Slow Down/)
  assert.equal(readFileSync(lockOf(folder), 'utf8'), lock({ host: 'elsewhere', beat: beatOf(folder) }))
})

const beatOf = (folder: string): string => JSON.parse(readFileSync(lockOf(folder), 'utf8')).beat

test('a beat shows that the holder lives, and spares a lock that was lost', { timeout: 20_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() })
  const folder = tempFolder()
  await withLock(folderStore(folder), { ...thisProcess, step: 'stage' }, async () => {
    const first = beatOf(folder)
    t.mock.timers.tick(60_000)
    await eventually(() => beatOf(folder) !== first)
    writeFileSync(lockOf(folder), lock({ token: 'theirs', beat: 'theirs' }))
    t.mock.timers.tick(60_000)
  })
  assert.equal(beatOf(folder), 'theirs')
})

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
