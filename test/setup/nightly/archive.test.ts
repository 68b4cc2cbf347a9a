import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { archiveOfProject } from '../../../scripts/setup/nightly/archive.ts'
import { zipped } from '../../../scripts/setup/nightly/zip.ts'
import { ROOT } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'
import { unzipped } from '../../support/zip.ts'

const text = (body: Uint8Array): string => Buffer.from(body).toString()

test('an archive has its files whole, with names of any language', () => {
  const files = { 'a/b.txt': 'hello\n', empty: '', 'ä/ß.bin': '\0\u0001\u00ff' }
  const zip = zipped(Object.entries(files).map(([name, body]) => [name, Buffer.from(body)] as const))
  assert.deepEqual(Object.fromEntries([...unzipped(zip)].map(([name, body]) => [name, text(body)])), files)
})

/** A small project of the same shape. */
function project(): string {
  const root = `${tempFolder()}/`
  for (const folder of ['cfn', 'scripts/lib', 'sql', 'test', 'node_modules/x'])
    mkdirSync(root + folder, { recursive: true })
  for (const file of ['.npmrc', 'LICENSE', 'package.json', 'package-lock.json']) writeFileSync(root + file, file)
  for (const file of ['cfn/a.yaml', 'scripts/b.mjs', 'scripts/lib/c.ts', 'sql/d.sql']) writeFileSync(root + file, file)
  for (const file of ['test/e.test.ts', 'node_modules/x/f.js', 'scripts/.DS_Store']) writeFileSync(root + file, file)
  return root
}

test('the archive holds what is installed and run, no tests, no packages, nothing hidden', async () => {
  const { body } = await archiveOfProject([], project())
  assert.deepEqual(
    [...unzipped(body).keys()],
    [
      '.npmrc',
      'LICENSE',
      'cfn/a.yaml',
      'package-lock.json',
      'package.json',
      'scripts/b.mjs',
      'scripts/lib/c.ts',
      'sql/d.sql',
    ],
  )
})

test('the same files are the same archive, whenever and wherever; another byte is another one', async () => {
  const root = project()
  const first = await archiveOfProject([], root)
  assert.match(first.name, /^prestage-[0-9a-f]{16}\.zip$/)
  const copy = `${tempFolder()}/copy/`
  cpSync(root, copy, { recursive: true })
  utimesSync(`${copy}package.json`, 1, 1)
  assert.deepEqual(await archiveOfProject([], copy), first)
  writeFileSync(`${copy}sql/d.sql`, 'select 1')
  assert.notEqual((await archiveOfProject([], copy)).name, first.name)
})

test('the archive of this project has every entry and every template', async () => {
  const { body } = await archiveOfProject([])
  const files = unzipped(body)
  for (const folder of ['scripts', 'scripts/recipes', 'cfn'])
    for (const entry of readdirSync(ROOT + folder, { withFileTypes: true }))
      if (entry.isFile()) assert.ok(files.has(`${folder}/${entry.name}`), entry.name)
  assert.equal(text(files.get('package-lock.json') ?? Buffer.of()), readFileSync(`${ROOT}package-lock.json`, 'utf8'))
  assert.ok([...files.keys()].every((name) => !/^test|node_modules/.test(name)))
})
