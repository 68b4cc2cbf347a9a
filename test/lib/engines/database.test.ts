import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf, UserError } from '../../../scripts/lib/cli/errors.ts'
import { engineFailure } from '../../../scripts/lib/engines/duckdb/database.ts'
import { extract, stagedRun } from '../../support/staged-run.ts'
import { tempFolder } from '../../support/temp.ts'

const settings = { scratch: '/w/tmp', memoryLimit: '64MB', threads: 1, signal: new AbortController().signal }

const failures: [reason: string, says: RegExp][] = [
  [
    'Out of Memory Error: failed to allocate data of size 32.0 MiB\n\nPossible solutions:\n* SET threads=X',
    /^64MB is too little memory for the query engine: .*32\.0 MiB$/,
  ],
  [
    'IO Error: Could not write file "/w/tmp/x": No space left on device',
    /^the query engine cannot work in \/w\/tmp: .*No space/,
  ],
]

for (const [reason, says] of failures)
  test(`what the engine lacks is no bug: ${reason.slice(0, 30)}`, () => {
    const shown = engineFailure(new Error(reason), settings)
    assert.ok(shown instanceof UserError)
    assert.match(shown.message, says)
    assert.ok(shown.hint)
    assert.equal(exitCodeOf(shown), 1)
  })

test('any other failure stays what it is', () => {
  for (const error of [new Error('Binder Error: no such column'), new UserError('a log file cannot be read'), 'text'])
    assert.equal(engineFailure(error, settings), error)
})

test('extract --memory-limit 16MB says that it is too little', async () => {
  const workspace = tempFolder()
  await stagedRun(workspace, { 'a.json': '{"eventTime":"2026-03-02T10:00:00Z","eventID":"a"}' })
  const { code, stderr } = await extract(workspace, ['--memory-limit', '16MB'])
  assert.equal(code, 1)
  assert.match(stderr, /16MB is too little memory for the query engine: Out of Memory Error: .*\n.*--memory-limit/)
  assert.doesNotMatch(stderr, /bug/)
})
