import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { zipped } from '../../../scripts/setup/nightly/zip.ts'
import { tempFolder } from '../../support/temp.ts'

// With all tests only, as the judges from outside, which need Python as well.
test('another program reads the archive of a night: Python', () => {
  const zip = `${tempFolder()}/a.zip`
  writeFileSync(zip, zipped([['a/b.txt', Buffer.from('hello')]]))
  const script = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.read("a/b.txt").decode())'
  assert.equal(execFileSync('python3', ['-c', script, zip]).toString(), 'None hello\n')
})
