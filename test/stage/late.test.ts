import assert from 'node:assert/strict'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { rowOf } from '../../scripts/lib/runs/selected.ts'
import { contents, lastHour, scratch, stagedFiles, stageInto, writeObjects } from './logs.ts'

describe('a window whose late files are due', () => {
  const { window, at } = lastHour()

  it('takes them up on the next call, and keeps what the logs have lost', async () => {
    const [logs, workspace] = [scratch(), scratch()]
    writeObjects(logs, contents([at(30), at(25)]))
    const first = await stageInto(workspace, logs, window)
    assert.deepEqual([first.result.copied, first.result.final], [2, false])
    writeObjects(logs, contents([at(20)]))
    rmSync(join(logs, at(30)))
    const second = await stageInto(workspace, logs, window)
    assert.deepEqual([second.result.copied, second.result.skipped, second.result.objects], [1, 2, 3])
    assert.deepEqual(stagedFiles(first.result.staged), [at(30), at(25), at(20)].toSorted())
  })

  it('is selected anew where a process died between its selection and the note of its plan', async () => {
    const [logs, workspace] = [scratch(), scratch()]
    writeObjects(logs, contents([at(30), at(25)]))
    const { result } = await stageInto(workspace, logs, window)
    writeObjects(logs, contents([at(15)]))
    const size = `content of ${at(15)}`.length
    appendFileSync(join(result.staged, '../selection.csv'), rowOf({ key: at(15), size }))
    const again = await stageInto(workspace, logs, window)
    assert.deepEqual([again.result.copied, again.result.skipped, again.result.objects], [1, 2, 3])
    assert.notEqual(again.result.digest, result.digest)
  })

  it('keeps what a file of keys names and the logs have lost since it was staged', async () => {
    const [logs, workspace] = [scratch(), scratch()]
    writeObjects(logs, { 'a.json': 'a', 'b.json': 'b' })
    const file = join(scratch(), 'keys.txt')
    writeFileSync(file, 'a.json\nb.json\n')
    const args = [...window, '--keys-file', file]
    assert.equal((await stageInto(workspace, logs, args)).result.copied, 2)
    rmSync(join(logs, 'a.json'))
    const again = await stageInto(workspace, logs, args)
    assert.ok(again.result, again.stderr)
    assert.deepEqual([again.result.copied, again.result.skipped], [0, 2])
    const elsewhere = await stageInto(scratch(), logs, args)
    assert.match(elsewhere.stderr, /"a\.json": named in .*keys\.txt, but not in the logs/)
  })
})
