import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { contents, scratch, stageDay, trailKey, writeObjects } from './logs.ts'

const key = (tail: string) => trailKey('111122223333', 'us-east-1', '20260302T1000Z', tail)

/** Logs of which one object is a link to a file elsewhere, by a path that means nothing from another place. */
function linkedLogs() {
  const [logs, elsewhere] = [scratch(), scratch()]
  writeObjects(logs, contents([key('whole')]))
  writeObjects(elsewhere, { file: 'from elsewhere' })
  const [link, file] = [join(logs, key('linked')), join(elsewhere, 'file')]
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
