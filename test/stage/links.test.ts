import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { contents, scratch, stageDay, stagedFiles, trailKey, writeObjects } from './logs.ts'

const key = (tail: string) => trailKey('111122223333', 'us-east-1', '20260302T1000Z', tail)

/** Logs of which one object is a link to another file, by a path that means nothing from another place. */
function linkedLogs(elsewhere?: string) {
  const logs = scratch()
  const folder = elsewhere ?? join(logs, 'others')
  writeObjects(logs, contents([key('whole')]))
  writeObjects(folder, { file: 'from elsewhere' })
  const [link, file] = [join(logs, key('linked')), join(folder, 'file')]
  symlinkSync(relative(join(link, '..'), file), link)
  return { logs, link, file }
}

describe('logs that are links', () => {
  it('are staged as what they lead to', async () => {
    const { logs, file } = linkedLogs()
    const { result, stderr } = await stageDay(logs, [])
    assert.equal(result?.copied, 2, stderr)
    const staged = join(result.staged, key('linked'))
    assert.equal(readFileSync(staged, 'utf8'), 'from elsewhere')
    assert.equal(statSync(staged).ino, statSync(file).ino)
    rmSync(logs, { recursive: true })
    assert.equal(readFileSync(staged, 'utf8'), 'from elsewhere')
  })

  it('are left out with a warning where they lead out of the logs, whether to a file or to a folder', async () => {
    const { logs } = linkedLogs(scratch())
    const others = scratch()
    writeObjects(others, contents([key('other')]))
    symlinkSync(join(others, 'AWSLogs'), join(logs, 'AWSLogs/o-abc123/222233334444'))
    const { result, stderr } = await stageDay(logs, [])
    assert.deepEqual([result?.copied, stagedFiles(result?.staged)], [1, [key('whole')]], stderr)
    assert.match(stderr, /warning: links that lead out of the logs are left out: 2 links\n/)
    assert.ok(stderr.includes(`${JSON.stringify(key('linked'))}`), stderr)
  })

  it('that lead out of the logs cannot be named either', async () => {
    const { logs } = linkedLogs(scratch())
    const file = join(scratch(), 'keys.txt')
    writeFileSync(file, `${key('whole')}\n${key('linked')}\n`)
    const { code, stderr } = await stageDay(logs, ['--keys-file', file])
    assert.equal(code, 1)
    assert.match(stderr, /_linked\.json\.gz": named in .*keys\.txt, but not in the logs/)
  })

  it('may be the folder of the logs itself', async () => {
    const { logs } = linkedLogs()
    const link = join(scratch(), 'logs')
    symlinkSync(logs, link)
    const { result, stderr } = await stageDay(link, [])
    assert.equal(result?.copied, 2, stderr)
  })

  it('are not overlooked where they lead nowhere', async () => {
    const { logs, file } = linkedLogs()
    rmSync(file)
    const { code, stderr } = await stageDay(logs, [])
    assert.equal(code, 1)
    assert.match(stderr, /1 object of the manifest could not be staged\n.*_linked\.json\.gz": .*leads nowhere/)
  })

  it('count once where one leads back', async () => {
    const { logs } = linkedLogs()
    symlinkSync('.', join(logs, 'again'))
    symlinkSync('..', join(logs, 'AWSLogs/again'))
    const { result, stderr } = await stageDay(logs, [])
    assert.equal(result?.objects, 2, stderr)
  })
})
