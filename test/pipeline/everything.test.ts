import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { fewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04', '--dry-run', '--output', 'json']

test('all sources are those that lie in the logs', async () => {
  const logs = await fewObjects()
  const args = ['--source', 'all', '--logs', logs, '--workspace', tempFolder(), ...WINDOW]
  const { code, stdout, stderr } = await runScript('pipeline', args)
  assert.equal(code, 0, stderr)
  assert.deepEqual(Object.keys(JSON.parse(stdout).steps), ['cloudtrail', 'waf'])
  assert.match(stderr, /^there are logs of cloudtrail, waf$/m)
})

test('where no source lies, nothing is taken', async () => {
  const logs = tempFolder()
  mkdirSync(`${logs}/other`)
  const { code, stderr } = await runScript('pipeline', [
    '--source',
    'all',
    '--logs',
    logs,
    '--workspace',
    tempFolder(),
    ...WINDOW,
  ])
  assert.equal(code, 1)
  assert.match(stderr, /is empty/)
})
