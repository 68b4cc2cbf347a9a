import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProcess, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { extractedRun, simulatedRows } from './runs.ts'

const { train, holdout } = simulatedRows(20)
const ARGS = ['--epochs', '8', '--vector-dim', '8']

/** Names and content of all files but the ledger, whose times differ; drafts of the killed are no files of the store. */
const fingerprint = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.draft-') && !entry.name.startsWith('run.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(folder.length)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .sort()

async function uninterrupted(): Promise<string[]> {
  const workspace = tempFolder()
  const run = await extractedRun(workspace, train, holdout)
  const { code, stderr } = await runScript('train', ['--workspace', workspace, ...ARGS])
  assert.equal(code, 0, stderr)
  return fingerprint(run.path(''))
}

const expected = uninterrupted()

/** When it is killed: at what it says, and so long after that, for what it never speaks of. */
const moments: [word: string, ms: number][] = [
  ['epoch 1 of', 0],
  ['epoch 5 of', 0],
  ['epoch 8 of', 0],
  ['epoch 8 of', 15],
  ['epoch 8 of', 30],
  ['calibrating', 0],
  ['calibrating', 5],
  ['calibrating', 10],
  ['calibrating', 20],
]
for (const [word, ms] of moments)
  test(`killed ${ms} ms after "${word}" and started again, it ends in the same bytes`, async () => {
    const workspace = tempFolder()
    const run = await extractedRun(workspace, train, holdout)
    const killed = await runProcess('train', ['--workspace', workspace, ...ARGS], {
      onStderr: (text, kill) => {
        if (text.includes(word)) setTimeout(() => kill('SIGKILL'), ms)
      },
    })
    assert.ok(killed.signal === 'SIGKILL' || killed.code === 0, killed.stderr)
    const { code, stderr } = await runScript('train', ['--workspace', workspace, ...ARGS])
    assert.equal(code, 0, stderr)
    assert.deepEqual(fingerprint(run.path('')), await expected)
  })
